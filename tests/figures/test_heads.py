"""Each head's number, and each cell of a head's pattern, by our own arithmetic on plain transformers' patterns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from recompute import Recomputed, word_places

import llm_tracker as lt
from llm_tracker.analysis.heads import HeadMeasure
from llm_tracker.analysis.patterns import PatternBy, PatternText, paired_places
from llm_tracker.figures import patterns as patterns_module
from llm_tracker.tracing.rereading.found import HeadPattern

Truth = Callable[[lt.Turn], Recomputed]
MEASURES = get_args(HeadMeasure)


def tokens_of(turn: lt.Turn, text: str) -> list[int]:
    """The positions of a word in what was said last, the space in front with it, found by its letters in the text."""
    end = turn.prompt.text.rindex(turn.said) + turn.said.index(text) + len(text)
    start = end - len(text) - (turn.said.index(text) > 0)
    return [at for at, (first, last) in enumerate(turn.prompt.spans) if first < end and last > start]


def expected(patterns: np.ndarray, turn: lt.Turn, measure: str, words: tuple[str, ...] = (), step: int = 0) -> Any:
    """(layer, head): a measure of rows (layer, head, key)."""
    roles = [*turn.prompt.roles, *["answer"] * step]
    parked = np.array([role == "template" or at == 0 for at, role in enumerate(roles)])
    if measure == "words":
        chosen = sorted({at for word in words for at in tokens_of(turn, word)})
        return patterns[..., chosen].sum(-1)
    if measure == "parked":
        return patterns[..., parked].sum(-1)
    if measure == "max":
        return patterns[..., ~parked].max(-1)
    return -(patterns * np.log(np.where(patterns > 0, patterns, 1))).sum(-1)


def rows_of(truth: Recomputed, step: int = 0) -> np.ndarray:
    return np.stack([truth.pattern(step, layer) for layer in range(3)]).astype(float)


def grid(figure: lt.Figure) -> np.ndarray:
    cells = list(zip(figure.frame["layer"], figure.frame["head"], strict=True))
    assert cells == [(layer, head) for layer in range(1, 4) for head in range(1, 5)]
    return figure.frame["value"].to_numpy().reshape(3, 4)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("step", [0, 2])
def test_every_head_has_its_number(session: lt.Session, truth: Truth, measure: HeadMeasure, step: int) -> None:
    turn = session.turns[2]
    figure = lt.figure(session, "heads", 2, step=step, measure=measure, words=["Rome", "London", "Oslo"])
    wanted = expected(rows_of(truth(turn), step), turn, measure, ("Rome", "London"), step)
    np.testing.assert_allclose(grid(figure), wanted, atol=1e-4)
    assert set(figure.frame["turn"]) == {"before"}
    if measure == "words":
        assert "“Rome” and “London”" in figure.sentence
        assert "Oslo" not in figure.sentence, "it stands nowhere"


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("of_control", [False, True])
def test_the_difference_is_after_minus_before(
    session: lt.Session, truth: Truth, measure: HeadMeasure, of_control: bool
) -> None:
    before, after = session.turns[0], session.controls[1] if of_control else session.turns[1]
    figure = lt.figure(session, "heads", 1, 0, measure=measure, words=[], difference=True, control=of_control)
    one, two = (expected(rows_of(truth(turn)), turn, measure) for turn in (before, after))
    np.testing.assert_allclose(grid(figure), two - one, atol=1e-4)
    assert set(figure.frame["turn"]) == {"difference"}


def test_the_words_of_a_difference_are_looked_for_on_each_side(
    session: lt.Session, other: lt.Session, truth: Truth
) -> None:
    figure = lt.figure(session, "heads", 1, 0, against_session=other, words=["London"], difference=True)
    one, two = (
        expected(rows_of(truth(turn)), turn, "words", ("London",)) for turn in (other.turns[0], session.turns[1])
    )
    np.testing.assert_allclose(grid(figure), two - one, atol=1e-4)


def test_weighed_it_is_made_of_what_each_position_adds(session: lt.Session, tiny_llama: lt.LoadedModel) -> None:
    turn = session.turns[1]
    shares = lt.value_weights(tiny_llama, turn, 0).head_shares.astype(float)
    figure = lt.figure(session, "heads", 1, step=0, words=["London"], weighed=True, model=tiny_llama)
    np.testing.assert_allclose(grid(figure), expected(shares, turn, "words", ("London",)), atol=1e-5)
    difference = lt.figure(session, "heads", 1, 0, measure="parked", weighed=True, difference=True, model=tiny_llama)
    before = lt.value_weights(tiny_llama, session.turns[0], 0).head_shares.astype(float)
    wanted = expected(shares, turn, "parked") - expected(before, session.turns[0], "parked")
    np.testing.assert_allclose(grid(difference), wanted, atol=1e-5)


def test_a_layer_without_attention_has_no_cells(session: lt.Session) -> None:
    turn = replace(session.turns[0], trace=replace(session.turns[0].trace, heads=(4, 0, 2)))
    frame = lt.figure(replace(session, turns=(turn,), controls={}), "heads", measure="parked").frame
    assert list(zip(frame["layer"], frame["head"], strict=True)) == [(1, 1), (1, 2), (1, 3), (1, 4), (3, 1), (3, 2)]


def test_of_a_long_answer_the_later_tokens_heads_are_refused_on_the_side_that_is_drawn(session: lt.Session) -> None:
    trace = session.turns[0].trace
    cut = replace(trace, attention=trace.attention[:1], attention_mean=trace.attention.mean(2))
    long = replace(session, turns=(replace(session.turns[0], trace=cut), *session.turns[1:]))
    with pytest.raises(lt.InputError, match="Choose an earlier token"):
        lt.figure(long, "heads", 0, step=2)
    with pytest.raises(lt.InputError, match="Choose an earlier token"):
        lt.figure(long, "heads", 1, 0, step=0, against_step=2, difference=True)
    assert len(lt.figure(long, "heads", 1, 0, step=0, against_step=2).frame) == 12


def test_heads_of_models_with_other_layers_have_no_difference(session: lt.Session) -> None:
    trace = session.turns[0].trace
    shallow = replace(trace, attention=trace.attention[:, :2], resid=trace.resid[:, :3], heads=(4, 4))
    shallow_session = replace(session, turns=(replace(session.turns[0], trace=shallow),), controls={})
    with pytest.raises(lt.InputError, match="models with other layers or heads"):
        lt.figure(session, "heads", 1, 0, against_session=shallow_session, measure="max", difference=True)


@pytest.mark.parametrize(("layer", "head"), [(None, None), (1, 4), (2, 2)])
def test_a_pattern_by_token_is_that_of_plain_transformers(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth, layer: int | None, head: int | None
) -> None:
    turn = session.turns[0]
    figure = lt.figure(session, "pattern", 0, layer=layer, head=head, by="token", model=tiny_llama)
    whole = truth(turn).patterns[(layer or 3) - 1][(head or 1) - 1].numpy()
    n_positions = len(whole)
    assert n_positions <= patterns_module.WINDOW
    queries, keys = figure.frame["query"].to_numpy(), figure.frame["key"].to_numpy()
    assert len(figure.frame) == n_positions * (n_positions + 1) // 2, "what lies behind a query is left out"
    np.testing.assert_allclose(figure.frame["value"], whole[queries, keys], atol=1e-4)
    texts = [turn.prompt.text[slice(*span)] for span in turn.prompt.spans] + list(turn.trace.tokens)
    assert figure.frame["query_text"].tolist() == [texts[at] for at in queries]
    assert figure.frame["key_text"].tolist() == [texts[at] for at in keys]
    assert figure.title == f"Layer {layer or 3}, head {head or 1}: its pattern"


def test_a_pattern_by_word_sums_to_a_word_and_is_the_mean_from_one(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth
) -> None:
    turn = session.turns[1]
    figure = lt.figure(session, "pattern", 1, layer=2, head=3, model=tiny_llama)
    whole = truth(turn).patterns[1][2].numpy().astype(float)
    places, words = word_places(turn), turn.words_before(turn.trace.n_steps)
    texts = {word.tokens: word.text.strip() for word in words}
    assert max(len(range(*span)) for span in places) > 1
    assert len(places) == len(words) + 1
    for row in figure.frame.to_dict("records"):
        one, other = places[row["query"]], places[row["key"]]
        wanted = np.mean([whole[query, slice(*other)].sum() for query in range(*one)])
        assert row["value"] == pytest.approx(wanted, abs=1e-4)
        assert row["query_text"] == texts.get(one, row["query_text"])
        assert row["key_text"] == texts.get(other, row["key_text"])
    slot = len(turn.prompt.token_ids) - 1
    own = figure.frame[figure.frame["query"] == places.index((slot, slot + 1))]
    assert own["query_text"].iloc[0] == turn.prompt.text[slice(*turn.prompt.spans[slot])]
    sums = figure.frame.groupby("query")["value"].sum()
    assert sums.tolist() == pytest.approx([1] * len(places), abs=1e-4)


@pytest.mark.parametrize("by", ["word", "token"])
def test_a_window_begins_where_it_is_told_and_ends_with_the_text(
    session: lt.Session, tiny_llama: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(patterns_module, "WINDOW", 4)

    def drawn(first: int | None) -> set[int]:
        frame = lt.figure(session, "pattern", 0, by=by, first=first, model=tiny_llama).frame
        assert set(frame["query"]) == set(frame["key"])
        return set(frame["query"])

    turn = session.turns[0]
    count = len(word_places(turn)) if by == "word" else turn.trace.prompt_length + 4
    assert drawn(None) == set(range(count - 4, count))
    assert drawn(2) == {2, 3, 4, 5}
    assert drawn(count - 1) == drawn(count + 99) == {count - 1}
    assert drawn(-7) == {0, 1, 2, 3}


@pytest.fixture
def late() -> HeadPattern:
    """Of six positions the last three queries were kept."""
    whole = np.tril(np.arange(1, 37, dtype=np.float32).reshape(6, 6))
    return HeadPattern(1, 1, 3, whole[3:] / whole[3:].sum(-1, keepdims=True))


def places(pattern: HeadPattern, spans: list[tuple[int, int]]) -> PatternText:
    names = [f"w{at}" for at in range(len(spans))]
    return PatternText(pattern, tuple(spans), tuple(names), tuple(at == 0 for at in range(len(spans))))


def test_of_a_very_long_text_only_the_last_queries_have_values(late: HeadPattern) -> None:
    frame = places(late, [(at, at + 1) for at in range(6)]).frame(2, 5)
    cells = [(2, 2), (3, 2), (3, 3), (4, 2), (4, 3), (4, 4)]
    assert list(zip(frame["query"], frame["key"], strict=True)) == cells
    wanted = [float("nan"), *(float(late.weights[query - 3, key]) for query, key in cells[1:])]
    assert frame["value"].tolist() == pytest.approx(wanted, nan_ok=True)


def test_a_word_whose_queries_were_not_all_kept_is_the_mean_of_those_that_were(late: HeadPattern) -> None:
    frame = places(late, [(0, 2), (2, 4), (4, 6)]).frame(0, 3)
    values = {(row["query"], row["key"]): row["value"] for row in frame.to_dict("records")}
    assert np.isnan(values[0, 0]), "none of its queries was kept"
    assert values[1, 0] == pytest.approx(late.weights[0, 0:2].sum())
    assert values[2, 1] == pytest.approx(late.weights[1:3, 2:4].sum(-1).mean())
    assert frame["query_text"].tolist() == ["w0", "w1", "w1", "w2", "w2", "w2"]
    assert frame["parked"].tolist() == [True, True, False, True, False, False]


@pytest.mark.parametrize("by", ["word", "token"])
def test_the_first_place_and_the_templates_are_parked(
    session: lt.Session, tiny_llama: lt.LoadedModel, by: PatternBy
) -> None:
    turn = session.turns[0]
    figure = lt.figure(session, "pattern", 0, by=by, first=0, model=tiny_llama)
    frame = figure.frame
    roles = [*turn.prompt.roles, *["answer"] * turn.trace.n_steps]
    words = [start for start, _ in word_places(turn)]
    starts = words if by == "word" else range(len(roles))
    parked = [at for at, start in enumerate(starts) if start == 0 or roles[start] == "template"]
    assert sorted(set(frame["key"][frame["parked"]])) == parked
    assert f"Grey: {len(parked)} parked places" in figure.sentence


@pytest.mark.parametrize("by", ["word", "token"])
def test_a_patterns_difference_is_after_minus_before_where_both_texts_have_the_places(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth, by: PatternBy
) -> None:
    before, after = session.turns[0], session.turns[1]
    figure = lt.figure(session, "pattern", 1, 0, difference=True, layer=2, head=3, by=by, first=0, model=tiny_llama)
    frame, whole = figure.frame, [truth(turn).patterns[1][2].numpy().astype(float) for turn in (before, after)]
    pairs = paired_places(before, after, by)
    spans = [word_places(turn) if by == "word" else None for turn in (before, after)]

    def given(side: int, query: int | None, key: int | None) -> float:
        if query is None or key is None:
            return float("nan")
        own = spans[side] or [(at, at + 1) for at in range(len(whole[side]))]
        return float(np.mean([whole[side][at, slice(*own[key])].sum() for at in range(*own[query])]))

    for row in frame.to_dict("records"):
        query, key = pairs[row["query"]], pairs[row["key"]]
        sides = [given(side, query[side], key[side]) for side in (0, 1)]
        assert [row["before"], row["after"]] == pytest.approx(sides, abs=1e-4, nan_ok=True)
        assert row["value"] == pytest.approx(sides[1] - sides[0], abs=2e-4, nan_ok=True)
    assert frame["value"].notna().any()
    assert frame["value"].isna().any()
    assert figure.sentence.startswith("The largest difference: what “")
