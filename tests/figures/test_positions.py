"""The map of all layers at all positions is plain transformers' own read-out; its difference lays texts together."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from chart_specs import of_kind
from recompute import Recomputed
from thinking import thinking_model
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.figures import positions as positions_module
from llm_tracker.tracing.trace import StreamSite

Truth = Callable[[lt.Turn], Recomputed]
WORDS = ["London", "zebra"]


@cache
def read_outs(truth: Recomputed, site: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(layer, position, vocab) behind every position but the last, and the model's own predictions there."""
    rows = truth.resid[1:, :-1] if site == "resid_post" else truth.resid_mid[:, :-1]
    return torch.stack([truth.tail(layer) for layer in rows]), truth.logits[:-1]


def expected(turn: lt.Turn, truth: Recomputed, site: str, shows: str) -> np.ndarray:
    """(layer, position): what a map shows."""
    logits, final = read_outs(truth, site)
    log_probs = logits.log_softmax(-1)
    ids = torch.tensor([*turn.prompt.token_ids, *turn.trace.token_ids.tolist()])[1:]
    at = ids[None, :, None].expand(len(logits), -1, 1)
    watched = {word: turn.trace.lens[0].watched[word].token_id for word in WORDS}
    if shows == "next_prob":
        values = log_probs.exp().gather(-1, at)[..., 0]
    elif shows == "best_prob":
        values = log_probs.exp().max(-1).values
    elif shows == "next_rank":
        values = (logits > logits.gather(-1, at)).sum(-1) + 1
    elif shows == "entropy_nats":
        values = -(log_probs.exp() * log_probs).sum(-1)
    elif shows == "kl_nats":
        own = final.log_softmax(-1)
        values = (own.exp() * (own - log_probs)).sum(-1)
    elif shows == "lead of London over zebra":
        values = logits[..., watched["London"]] - logits[..., watched["zebra"]]
    else:
        kind, _, word = shows.partition(" of ")
        own = logits[..., [watched[word]]]
        values = {
            "prob": log_probs.exp()[..., watched[word]],
            "rank": (logits > own).sum(-1) + 1,
            "logit": own[..., 0],
        }[kind]
    return values.numpy().astype(float)


SHOWN = [
    "next_prob", "best_prob", "next_rank", "entropy_nats", "kl_nats", "prob of London", "rank of zebra",
    "logit of London", "lead of London over zebra",
]  # fmt: skip


@pytest.mark.parametrize(
    ("shows", "site"), [*((shows, "resid_post") for shows in SHOWN), *((shows, "resid_mid") for shows in SHOWN[::4])]
)
def test_every_cell_has_the_number_that_the_map_shows(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth, shows: str, site: StreamSite
) -> None:
    turn = session.turns[0]
    frame = lt.figure(session, "map", 0, shows=shows, site=site, words=WORDS, model=tiny_llama).frame
    wanted = expected(turn, truth(turn), site, shows)
    found = frame.pivot(index="layer", columns="position", values="value").to_numpy()
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=2e-3, rtol=1e-3)


def test_the_likeliest_token_of_every_cell_is_named(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth
) -> None:
    turn = session.turns[0]
    frame = lt.figure(session, "map", 0, model=tiny_llama).frame
    logits, _ = read_outs(truth(turn), "resid_post")
    best = [tiny_llama.tokenizer.decode([each]) for each in logits.argmax(-1).flatten().tolist()]
    shown = [found for found, wanted in zip(frame["best"], best, strict=True) if "\ufffd" not in wanted]
    assert shown == [wanted for wanted in best if "\ufffd" not in wanted]
    assert len(shown) > 20


@pytest.mark.parametrize("control", [False, True])
def test_of_two_turns_the_later_one_is_drawn_or_its_control(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth, control: bool
) -> None:
    turn = session.controls[1] if control else session.turns[1]
    frame = lt.figure(session, "map", 1, 0, control=control, first=0, words=WORDS, model=tiny_llama).frame
    wanted = expected(turn, truth(turn), "resid_post", "next_prob")
    found = frame.pivot(index="layer", columns="position", values="value").to_numpy()
    np.testing.assert_allclose(found, wanted[:, : found.shape[1]], atol=1e-4)


@pytest.mark.parametrize(
    ("shows", "site"),
    [
        ("next_prob", "resid_post"),
        ("next_rank", "resid_post"),
        ("lead of London over zebra", "resid_post"),
        ("kl_nats", "resid_mid"),
    ],
)
def test_a_difference_is_after_minus_before_at_positions_that_stand_for_each_other(
    session: lt.Session, tiny_llama: lt.LoadedModel, truth: Truth, shows: str, site: StreamSite
) -> None:
    before, after = session.turns[0], session.turns[1]
    figure = lt.figure(
        session, "map", 1, 0, shows=shows, site=site, words=WORDS, difference=True, first=0, model=tiny_llama
    )
    values = [expected(turn, truth(turn), site, shows) for turn in (before, after)]
    for row in figure.frame.to_dict("records"):
        one, two = row["position_before"], row["position_after"]
        sides = [np.nan if at < 0 else each[row["layer"] - 1, at] for each, at in zip(values, (one, two), strict=True)]
        assert [row["before"], row["after"]] == pytest.approx(sides, abs=2e-3, rel=1e-3, nan_ok=True)
        assert row["value"] == pytest.approx(sides[1] - sides[0], abs=4e-3, rel=1e-3, nan_ok=True)
        if one >= 0 and two >= 0 and one < len(before.prompt.token_ids) and two < len(after.prompt.token_ids):
            assert before.prompt.token_ids[one] == after.prompt.token_ids[two]


def places_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["layer"] == 1].set_index("position")[["position_before", "position_after"]]


@pytest.mark.parametrize("given", ["turn", "control", "other session"])
def test_the_places_where_the_answers_begin_stand_for_each_other_and_are_marked(
    session: lt.Session, other: lt.Session, tiny_llama: lt.LoadedModel, given: str
) -> None:
    before = other.turns[0] if given == "other session" else session.turns[0]
    after = session.controls[1] if given == "control" else session.turns[1]
    options = {"against_session": other if given == "other session" else None, "control": given == "control"}
    figure = lt.figure(session, "map", 1, 0, difference=True, model=tiny_llama, **options)  # type: ignore[arg-type]
    marked = [row for mark in of_kind(figure.chart, "text") for row in mark.rows if row.get("begins") == "answer"]
    place = places_of(figure.frame).loc[marked[0]["position"]]
    assert place.tolist() == [len(before.prompt.token_ids) - 1, len(after.prompt.token_ids) - 1]


def test_a_thought_of_another_length_leaves_a_difference_that_marks_the_later_answer() -> None:
    model = thinking_model("opened")
    short, long = (
        lt.track(model, "Why?", recipe="chat", max_new_tokens=2, thinking=True, max_thought_tokens=limit)
        for limit in (3, 6)
    )
    figure = lt.figure(long, "map", 0, 0, against_session=short, difference=True, model=model)
    marked = [row for mark in of_kind(figure.chart, "text") for row in mark.rows if row.get("begins") == "answer"]
    (turn,) = long.turns
    position = len(turn.prompt.token_ids) - 1 + turn.first_step
    assert places_of(figure.frame)["position_after"][marked[0]["position"]] == position
    assert turn.first_step != short.turns[0].first_step


def test_raw_texts_that_end_with_other_words_have_a_difference_too() -> None:
    model = tiny_model("llama")
    session = lt.track(model, "A text", ["goes on and on"], recipe="raw", max_new_tokens=2)
    figure = lt.figure(session, "map", 1, 0, difference=True, model=model)
    assert figure.frame["value"].notna().any()
    figure.chart.to_dict()


@pytest.mark.parametrize("difference", [False, True])
def test_a_window_begins_where_it_is_told_and_opens_on_the_answer(
    session: lt.Session, tiny_llama: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch, difference: bool
) -> None:
    monkeypatch.setattr(positions_module, "WINDOW", 8)

    def drawn(first: int | None) -> list[int]:
        figure = lt.figure(session, "map", 1, 0, difference=difference, first=first, model=tiny_llama)
        return figure.frame["position"].unique().tolist()

    turn = session.turns[1]
    count = turn.trace.prompt_length + turn.trace.n_steps - 1
    assert drawn(3) == list(range(3, 11))
    assert drawn(-5) == list(range(8))
    if not difference:
        assert drawn(9999) == list(range(count - 8, count)), "always full where it can be"
        answer = turn.trace.prompt_length - 1
        assert drawn(None) == list(range(answer - 6, answer + 2))
    else:
        assert len(drawn(9999)) == len(drawn(None)) == 8


def test_the_colours_say_what_the_map_shows(session: lt.Session, tiny_llama: lt.LoadedModel) -> None:
    def scale(shows: str, **how: bool | int) -> tuple[str, list[float]]:
        figure = lt.figure(session, "map", 1, shows=shows, words=WORDS, model=tiny_llama, **how)  # type: ignore[arg-type]
        (cells,) = [mark for mark in of_kind(figure.chart, "rect") if "opacity" in mark.encoding]
        opacity = cells.encoding["opacity"]
        return opacity["title"], opacity["scale"]["domain"]

    assert scale("prob of London") == ("probability of “London”", [0, 1])
    title, (low, high) = scale("logit of zebra")
    frame = lt.figure(session, "map", 1, shows="logit of zebra", words=WORDS, model=tiny_llama).frame
    assert (title, low, high) == ("logit of “zebra”", frame["value"].min(), frame["value"].max())
    assert low < 0, "logits have no zero of their own"
    title, (low, high) = scale("next_rank")
    assert title == "rank of the token that does come next (1 = best)"
    assert (low, high > 1) == (1, True)
    title, (low, high) = scale("lead of London over zebra", against=0, difference=True)
    assert title == "lead of “London” over “zebra”, in nats, after minus before"
    assert (low, high > 0) == (0, True)


@pytest.mark.parametrize("shows", ["", "prob of Oslo", "lead of London over Oslo", "rank", "logit of "])
@pytest.mark.parametrize("difference", [False, True])
def test_what_the_map_does_not_have_is_refused_with_what_it_has(
    session: lt.Session, tiny_llama: lt.LoadedModel, shows: str, difference: bool
) -> None:
    with pytest.raises(lt.InputError, match=r"It has: next_prob, .*lead of zebra over London"):
        lt.figure(session, "map", 1, 0, shows=shows or "?", words=WORDS, difference=difference, model=tiny_llama)
