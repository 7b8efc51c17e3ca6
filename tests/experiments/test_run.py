"""An experiment as a whole: part by part, what cannot be had is said, and the model stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_cases import CORRECTION, QUESTION, RECIPE, Small, small, small_case, tiny

import llm_tracker as lt
from llm_tracker.experiments.knock_out import knock_outs
from llm_tracker.experiments.values.findings import Unavailable
from llm_tracker.experiments.values.parts import PART_NAMES, USUAL
from llm_tracker.models.forward.hooks import is_replacing
from llm_tracker.progress import ended

FIELDS = ("hand_over", "verdict", "lens", "knock_outs", "frozen_route", "heads", "attributions")


def run(case: Small, only: Any = USUAL, stop: Callable[[], bool] = lambda: False, n_wordings: int = 1) -> lt.Experiment:
    return ended(lt.stream_experiment(case.model, case.session, 1, case.case, only, n_wordings, stop))


Traces = dict[tuple[int, str], np.ndarray[Any, Any]]


def traces(case: Small) -> Traces:
    session = lt.track(case.model, QUESTION, [CORRECTION], recipe=RECIPE, max_new_tokens=3)
    names = ("token_ids", "top_logits", "top_probs", "entropies", "attention", "resid")
    return {(at, name): np.array(getattr(turn.trace, name)) for at, turn in enumerate(session.turns) for name in names}


def hooks_of(case: Small) -> list[list[int]]:
    """The hooks on each module, transformers' own among them."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [[key for kind in kinds for key in getattr(module, kind)] for module in case.model.model.modules()]


class Untouched:
    """What a model says and carries before an experiment, to be the same to the bit after it."""

    def __init__(self, case: Small) -> None:
        self._case = case
        traces(case)
        self._before, self._hooks = traces(case), hooks_of(case)
        self.require()

    def require(self) -> None:
        assert not is_replacing()
        assert hooks_of(self._case) == self._hooks
        again = traces(self._case)
        assert [name for name, rows in self._before.items() if not np.array_equal(rows, again[name])] == []


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2", "mpt", "mistral", "cohere", "mamba"])
def test_every_part_comes_or_says_why_not_and_the_model_stays_as_it_was(family: str) -> None:
    case = small_case(tiny(family))
    before = Untouched(case)
    found = run(case, PART_NAMES)
    for name in FIELDS:
        part = getattr(found, name)
        assert part is not None
        if isinstance(part, Unavailable):
            assert part.why_not[0].isupper() or part.why_not[0] == "“"
            assert part.why_not.endswith(".")
    assert {each.condition.name for each in found.conditions} > {"baseline", "user", "asked_again"}
    assert found.checks
    assert [check.name for check in found.checks if not check.ok] == []
    assert lt.experiment_of(json.loads(json.dumps(lt.experiment_record(found)))) == found
    before.require()


def test_of_a_model_without_attention_the_path_is_there_and_what_needs_attention_is_not() -> None:
    found = run(
        small_case(tiny("mamba")), ("hand_over", "knock_out", "heads", "attribution", "frozen_route", "verdict")
    )
    assert not isinstance(found.hand_over, Unavailable)
    assert found.hand_over is not None
    assert found.hand_over.answer_slot[-1] == pytest.approx(1, abs=1e-5)
    for part in (found.knock_outs, found.heads, found.attributions, found.frozen_route):
        assert isinstance(part, Unavailable)


@pytest.mark.parametrize("n", [0, 1, 2, 4, 7, 11])
@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_one_that_is_stopped_leaves_the_model_as_it_was(family: str, n: int) -> None:
    case = small_case(tiny(family))
    before = Untouched(case)
    asked = iter(range(100))
    with pytest.raises(lt.Cancelled):
        run(case, stop=lambda: next(asked) >= n)
    before.require()


@pytest.mark.parametrize("part", [name for name in USUAL if name != "verdict"])
@pytest.mark.parametrize("n", [0, 1])
def test_one_that_breaks_in_the_middle_of_a_pass_leaves_the_model_as_it_was(part: Any, n: int) -> None:
    """In the first pass, or in a later one where there are several."""
    case = small_case(tiny("llama"))
    before = Untouched(case)
    layer = case.model.layers[1]
    own, calls = layer.forward, [0]

    def broken(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] > n or part == "lens":
            raise MemoryError("broken on purpose")
        return own(*args, **kwargs)

    layer.forward = broken
    with pytest.raises(MemoryError, match="on purpose"):
        run(case, (part,))
    layer.forward = own
    assert calls[0] == (1 if part == "lens" else n + 1)
    before.require()


@pytest.mark.parametrize("n", [1, 3, 5])
def test_one_that_nobody_goes_on_with_leaves_the_model_as_it_was(n: int) -> None:
    case = small_case(tiny("llama"))
    before = Untouched(case)
    steps = lt.stream_experiment(case.model, case.session, 1, case.case, USUAL, 1)
    for _ in range(n):
        next(steps)
    steps.close()
    before.require()


def test_parts_come_one_by_one_in_their_order_and_none_goes_again() -> None:
    case = small("llama")
    steps = list(lt.stream_experiment(case.model, case.session, 1, case.case, PART_NAMES, 2))
    assert list(dict.fromkeys(step.part for step in steps)) == list(PART_NAMES)
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert 0 == shares[0] < shares[-1] < 1
    for name in FIELDS:
        there = [getattr(step.found, name) is not None for step in steps]
        assert there == sorted(there)
    read = [step.found.tokens_read for step in steps]
    assert read == sorted(read)
    assert read[-1] > 0


@pytest.mark.parametrize("part", [name for name in USUAL if name != "verdict"])  # no pair in this tokenizer
def test_what_every_part_reads_is_counted(part: Any) -> None:
    case = small_case(tiny("llama"))
    case.model.kv_caches.clear()
    assert run(case, (part,)).forward_equivalents > 0.9


def test_only_what_was_asked_for_is_run() -> None:
    found = run(small("llama"), ("lens",))
    assert [name for name in FIELDS if getattr(found, name) is not None] == ["lens"]
    assert found.conditions == ()
    with pytest.raises(lt.InputError, match="no part"):
        run(small("llama"), ("mood",))


def test_later_wordings_alone_are_scored_with_the_first() -> None:
    both, alone = (
        run(small("llama"), only, n_wordings=2) for only in (("conditions", "paraphrases"), ("paraphrases",))
    )
    scores = [{each.condition: each.margin for each in found.conditions} for found in (both, alone)]
    assert scores[0].keys() == scores[1].keys()
    assert [scores[1][each] for each in scores[0]] == pytest.approx(list(scores[0].values()), abs=1e-4)
    assert both.verdict_effect is not None


def test_a_pair_that_does_not_line_up_takes_nothing_from_the_other_parts() -> None:
    case = small_case(small("llama").model, answer="Constantinople")
    found = run(case)
    assert isinstance(found.hand_over, Unavailable)
    assert isinstance(found.heads, Unavailable)
    assert "Choose two words" in found.hand_over.why_not
    assert not isinstance(found.knock_outs, Unavailable)
    assert found.shift is not None


def test_words_that_no_token_tells_apart_are_said_so_part_by_part() -> None:
    found = run(small_case(small("llama").model, answer="Rome", foil="Romeo"))
    for name in FIELDS:
        part = getattr(found, name)
        assert isinstance(part, Unavailable)
        assert "no token tells them apart" in part.why_not
    assert found.shift is not None


def test_the_shift_is_that_of_the_sessions_own_correction() -> None:
    found = run(small("llama"), ("conditions",))
    margins = {each.condition.name: each.margin for each in found.conditions}
    shift = found.shift
    assert shift is not None
    assert abs(shift.total - (margins["user"] - margins["baseline"])) < 1e-12
    assert shift.asked_again == margins["asked_again"] - margins["baseline"]


def test_all_positions_of_the_grid_are_patched_by_themselves() -> None:
    found = run(small("llama"), ("hand_over", "grid"))
    path = found.hand_over
    assert path is not None
    assert not isinstance(path, Unavailable)
    assert path.grid is not None
    assert [row[-1] for row in path.grid] == pytest.approx(list(path.answer_slot), abs=1e-4)
    assert path.grid[-1][:-1] == pytest.approx([0] * (len(path.tokens) - 1), abs=1e-5)
    assert {len(row) for row in path.grid} == {len(path.tokens)}


def test_one_that_was_begun_is_gone_on_with_and_keeps_what_it_has() -> None:
    case = small("llama")
    first = run(case, ("hand_over", "lens"))
    later = ended(lt.stream_experiment(case.model, case.session, 1, case.case, ("knock_out",), 1, begun=first))
    assert (later.hand_over, later.lens) == (first.hand_over, first.lens)
    assert later.knock_outs is not None
    assert later.checks[: len(first.checks)] == first.checks
    assert later.tokens_read > first.tokens_read
    assert later.seconds >= first.seconds


def test_words_are_hidden_in_the_window_that_was_asked_for() -> None:
    case = small("llama")
    found = ended(lt.stream_experiment(case.model, case.session, 1, case.case, ("knock_out",), 1, window=(2, 3)))
    expected = knock_outs(case.model, case.prompt, case.probe, (2, 3))
    assert not isinstance(expected, Unavailable)
    assert found.knock_outs == expected[0]
    assert expected[0].layers == (2, 3)


@pytest.mark.parametrize("window", [(0, 2), (3, 2), (2, 4)])
def test_layers_that_are_not_there_are_refused(window: tuple[int, int]) -> None:
    case = small("llama")
    with pytest.raises(lt.InputError, match="There are layers 1 to 3"):
        ended(lt.stream_experiment(case.model, case.session, 1, case.case, ("knock_out",), 1, window=window))


def test_one_that_was_begun_on_something_else_is_not_gone_on_with() -> None:
    case, other = small("llama"), small_case(small("llama").model, answer="Oslo")
    begun = run(case, ("lens",))
    with pytest.raises(lt.InputError, match="about another correction or other words"):
        ended(lt.stream_experiment(other.model, other.session, 1, other.case, ("lens",), 1, begun=begun))
    foreign = small_case(tiny("gpt2"), own_answer=case.case.own_answer)
    with pytest.raises(lt.InputError, match="other weights"):
        ended(lt.stream_experiment(foreign.model, foreign.session, 1, case.case, ("lens",), 1, begun=begun))


def test_a_part_that_is_run_again_takes_its_own_place_and_leaves_other_wordings() -> None:
    case = small("llama")
    begun = run(case, ("conditions", "paraphrases", "knock_out"), n_wordings=2)
    again = ended(
        lt.stream_experiment(case.model, case.session, 1, case.case, ("conditions", "knock_out"), 2, begun=begun)
    )
    assert [each.condition for each in again.conditions] == [each.condition for each in begun.conditions]
    assert [each.margin for each in again.conditions] == pytest.approx(
        [each.margin for each in begun.conditions], abs=1e-4
    )
    assert [check.name for check in again.checks] == [check.name for check in begun.checks]
