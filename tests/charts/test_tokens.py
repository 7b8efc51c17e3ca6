"""A bar a token: each with its probability or its entropy, and what an answer has more, with every text as it is."""

from __future__ import annotations

from typing import Any, get_args

import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, drawn_texts, of_kind, texts_of_data, tokens_in_code

from llm_tracker.analysis.tokens import TokenMeasure
from llm_tracker.charts.heat import shortened
from llm_tracker.charts.palette import AFTER, BEFORE
from llm_tracker.charts.tokens import token_differences_chart, tokens_chart
from llm_tracker.wording.formats import shown

NAN = float("nan")
MEASURES = get_args(TokenMeasure)


def answer(turn: str, tokens: list[str]) -> pd.DataFrame:
    n_tokens = len(tokens)
    return pd.DataFrame(
        {
            "number": range(1, n_tokens + 1),
            "token": pd.Series(tokens, dtype=str),
            "prob": pd.Series([1 / (at + 1) for at in range(n_tokens)], dtype=float),
            "entropy_nats": pd.Series([0.5 * at for at in range(n_tokens)], dtype=float),
            "rival": pd.Series([f"not {token}" for token in tokens], dtype=str),
            "rival_prob": 0.1,
            "turn": turn,
        }
    )


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.concat([answer("before", ["a", " b"]), answer("after", ["c", "d", "e"])], ignore_index=True)


def bars_of(chart: Any) -> Any:
    (bars,) = of_kind(chart, "bar")
    return bars


@pytest.mark.parametrize("measure", MEASURES)
def test_every_token_of_every_answer_has_a_bar_with_its_number(frame: pd.DataFrame, measure: TokenMeasure) -> None:
    bars = bars_of(tokens_chart(frame.assign(rival=" next"), measure))
    assert set(bars.column("rival")) == {"·next"}
    assert [(row["turn"], row["number"], row["value"]) for row in bars.rows] == list(
        zip(frame["turn"], frame["number"], frame[measure], strict=True)
    )
    scale = bars.encoding["y"]["scale"]
    assert scale == ({"domain": [0, 1]} if measure == "prob" else {"domainMin": 0})


def test_the_answers_stand_beside_each_other_in_their_own_colours(frame: pd.DataFrame) -> None:
    chart = tokens_chart(frame, "prob")
    bars, rows = bars_of(chart), of_kind(chart, "text")
    assert bars.encoding["xOffset"]["scale"]["domain"] == ["before", "after"]
    for mark in (bars, *rows):
        scale = mark.encoding["color"]["scale"]
        assert dict(zip(scale["domain"], scale["range"], strict=True)) == {"before": BEFORE, "after": AFTER}
    assert [mark.column("text") for mark in rows] == [["a", "·b"], ["c", "d", "e"]]
    assert rows[0].look["dx"] > rows[1].look["dx"], "each in a row of its own"
    alone = bars_of(tokens_chart(frame[frame["turn"] == "before"], "prob"))
    assert alone.encoding["color"]["scale"]["domain"] == ["before"]


def test_an_entropy_that_was_not_kept_has_no_bar(frame: pd.DataFrame) -> None:
    bars = bars_of(tokens_chart(frame.assign(entropy_nats=NAN), "entropy_nats"))
    assert bars.column("value") == [None] * 5


def test_a_long_token_is_cut_below_and_whole_under_the_pointer() -> None:
    chart = tokens_chart(answer("before", ["averyveryverylongtoken"]), "prob")
    (texts,) = of_kind(chart, "text")
    assert texts.column("text") == ["averyveryvery…"]
    assert bars_of(chart).column("text") == ["averyveryverylongtoken"]


def differences(tokens: list[tuple[str, str]], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": range(1, len(tokens) + 1),
            "token_before": pd.Series([one for one, _ in tokens], dtype=str),
            "token_after": pd.Series([other for _, other in tokens], dtype=str),
            "prob": pd.Series(values, dtype=float),
            "entropy_nats": pd.Series(values, dtype=float),
        }
    )


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("values", "most"), [([0.1, -0.4], 0.4), ([0.2, 0.1], 0.2), ([0.0, 0.0], 1), ([NAN, NAN], 1)])
def test_a_difference_is_centred_on_zero_with_both_signs_on_one_scale(
    values: list[float], most: float, measure: TokenMeasure
) -> None:
    bars = bars_of(token_differences_chart(differences([("a", "b"), ("c", "d")], values), measure))
    assert bars.column("value") == [None if value != value else value for value in values]
    assert bars.encoding["y"]["scale"]["domain"] == [-most, most]
    assert bars.encoding["color"]["condition"]["value"] == AFTER
    assert bars.encoding["color"]["value"] == BEFORE


def test_each_place_of_a_difference_names_both_tokens_and_nothing_where_one_answer_ended() -> None:
    chart = token_differences_chart(differences([("a", "b"), ("", "d")], [0.1, NAN]), "prob")
    texts = [row for mark in of_kind(chart, "text") for row in mark.rows]
    assert [(row["turn"], row["number"], row["text"]) for row in texts] == [
        ("before", 1, "a"), ("after", 1, "b"), ("after", 2, "d"),
    ]  # fmt: skip
    assert len(bars_of(chart).rows) == 2


def test_any_token_is_drawn_as_it_is_and_stands_in_no_expression() -> None:
    texts = list(NASTY_TOKENS)
    pairs = [(text, text) for text in texts]
    for chart in (
        tokens_chart(answer("before", texts), "prob"),
        token_differences_chart(differences(pairs, [0.1] * len(texts)), "prob"),
    ):
        assert {shown(text) for text in texts} <= texts_of_data(chart)
        assert tokens_in_code(chart) == []
        assert {shortened(shown(text)) for text in texts} <= set(drawn_texts(chart))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("n_tokens", [0, 1])
def test_an_answer_of_one_token_or_of_none_can_be_drawn(n_tokens: int, measure: TokenMeasure) -> None:
    for chart in (
        tokens_chart(answer("before", ["a"][:n_tokens]), measure),
        token_differences_chart(differences([("a", "b")][:n_tokens], [0.1][:n_tokens]), measure),
    ):
        assert len(bars_of(chart).rows) == n_tokens
        assert drawn_texts(chart)
