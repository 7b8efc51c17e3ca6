"""States of one text put into another: what plain transformers says, and the ends that have to be exact."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from plain_passes import Span
from small_cases import FAMILIES, gap, plain, small, small_case, tiny

import llm_tracker as lt
from llm_tracker.experiments.hand_over import Patching, stream_grid, stream_hand_over
from llm_tracker.experiments.minimal_pairs import ReadPair, named_pair, read_pair
from llm_tracker.experiments.passes.interventions import Intervention, LikeRow, at_depth
from llm_tracker.experiments.passes.rows import Row, begin, read_rows
from llm_tracker.experiments.values.findings import HandOver
from llm_tracker.progress import ended


@cache
def patching(family: str) -> Patching:
    case = small_case(tiny(family)) if family == "mamba" else small(family)
    return Patching(case.model, read_pair(case.setting, case.case, named_pair(case.case)))


def spans(pair: ReadPair) -> tuple[Span, Span, Span]:
    return (pair.first, pair.end), (pair.end, pair.slot), (pair.slot, pair.slot + 1)


@cache
def curves(family: str) -> HandOver:
    found, checks = ended(stream_hand_over(patching(family)))
    assert all(check.ok for check in checks)
    return found


def logits_of(own: Patching, span: Span, depth: int) -> torch.Tensor:
    """(source, target, patched), by a pass of their own."""
    pair, (site, layer) = own.pair, at_depth(depth, len(own.model.layers))
    source = Row(pair.source)
    patched = Row(pair.target, (Intervention(site, layer, span, LikeRow(0)),))
    beginning = begin(own.model, pair.target[: max(1, min(span[0], pair.first))], len(pair.target))
    return next(read_rows(beginning, [source, Row(pair.target), patched], [source])).logits


@pytest.mark.parametrize("family", FAMILIES)
def test_the_three_curves_are_those_of_plain_transformers_with_states_put_in_by_hand(family: str) -> None:
    own, truth, found = patching(family), plain(family), curves(family)
    pair, states = own.pair, truth.states(own.pair.source)
    source, target = (float(pair.probe.margins(truth.logits(ids)[-1])) for ids in (pair.source, pair.target))
    assert (found.effect, *found.margins) == pytest.approx((source - target, source, target), abs=1e-4)
    for span, curve in zip(spans(pair), (found.named_word, found.between, found.answer_slot), strict=True):
        for depth, share in enumerate(curve):
            patched = float(pair.probe.margins(truth.with_states(pair.target, depth, span, states[depth])))
            assert share * found.effect == pytest.approx(patched - target, abs=1e-4)


@pytest.mark.parametrize("family", ["llama", "gemma2", "mistral", "mpt"])
def test_a_position_by_itself_is_patched_as_plain_transformers_patches_it(family: str) -> None:
    own, truth = patching(family), plain(family)
    pair, states = own.pair, truth.states(own.pair.source)
    grid = ended(stream_grid(own))
    assert [len(row) for row in grid] == [len(pair.target) - pair.first] * 4
    target = float(pair.probe.margins(truth.logits(pair.target)[-1]))
    for depth in (1, 2):
        for column, share in enumerate(grid[depth]):
            at = (pair.first + column, pair.first + column + 1)
            patched = float(pair.probe.margins(truth.with_states(pair.target, depth, at, states[depth])))
            assert share * own.effect == pytest.approx(patched - target, abs=1e-4)


@pytest.mark.parametrize("family", [*FAMILIES, "mamba"])
def test_the_ends_are_the_source_and_the_target(family: str) -> None:
    """Of the logits, and not only of their margin."""
    own = patching(family)
    word, between, slot = spans(own.pair)
    last = len(own.model.layers)
    for span, depth, like in [(word, 0, 0), (word, last, 1), (between, 0, 1), (between, last, 1)]:
        logits = logits_of(own, span, depth)
        assert gap(logits[2], logits[like]) <= 1e-6
    for depth, like in ((0, 1), (last, 0)):
        logits = logits_of(own, slot, depth)
        assert gap(logits[2], logits[like]) <= 1e-6
    assert gap(logits[0], logits[1]) > 0.01


@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("family", ["llama", "gemma2", "mistral", "bloom", "mamba"])
def test_at_any_depth_what_stands_before_the_word_is_the_targets_and_all_positions_are_the_sources(
    family: str, depth: int
) -> None:
    own = patching(family)
    before, everything = (0, own.pair.first), (0, len(own.pair.target))
    of_before, of_everything = (logits_of(own, span, depth) for span in (before, everything))
    assert gap(of_before[2], of_before[1]) <= 1e-6
    assert gap(of_everything[2], of_everything[0]) <= 1e-6


@pytest.mark.parametrize("family", [*FAMILIES, "mamba"])
def test_a_text_that_is_put_into_itself_stays_the_same_to_the_bit(family: str) -> None:
    own = patching(family)
    itself = Patching(own.model, replace(own.pair, source=own.pair.target))
    for span in spans(own.pair):
        for depth in range(4):
            logits = logits_of(itself, span, depth)
            assert torch.equal(logits[2], logits[1])


def test_a_curve_comes_after_the_other_and_none_changes_any_more() -> None:
    steps = list(stream_hand_over(patching("llama")))
    assert [len(each.named_word) for each in steps] == [4, 4, 4]
    assert [len(each.answer_slot) for each in steps] == [0, 0, 4]
    assert steps[0].named_word == pytest.approx(steps[2].named_word)
    assert steps[2].n_layers == 3
    assert "".join(steps[2].tokens).startswith("Rome")
    assert steps[2].n_word == 4


def test_a_pair_that_changes_nothing_has_no_path_and_it_says_so() -> None:
    own = patching("llama")
    nothing = Patching(own.model, replace(own.pair, source=own.pair.target)).too_small()
    assert nothing is not None
    assert nothing.why_not.endswith("differ by 0.00 nats: there is no effect to trace.")
    assert own.too_small() is None


def test_it_stops_between_two_batches() -> None:
    own = patching("llama")
    asked = iter([False, True])
    with pytest.raises(lt.Cancelled):
        ended(stream_hand_over(Patching(own.model, own.pair, stop=lambda: next(asked))))
