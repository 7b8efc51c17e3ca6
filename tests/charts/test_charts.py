"""Charts draw the numbers that they are given, on shared scales, with every text as it is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.candidates import EVERYTHING_ELSE
from llm_tracker.analysis.compare import watch_frame
from llm_tracker.charts.attention import attention_whole_chart, attention_words_chart
from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.charts.layers import lead_chart, word_chart

NASTY = [
    '"quoted"',
    "back\\slash",
    "</script><b>",
    "$x^2$ **bold** :red[x]",
    "東京 🍎",
    "line\nend",
    "datum.value",
    "'",
]


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(tiny_model("llama"), "What is it?", ["No, London."], recipe="chat", max_new_tokens=2)


def rows(chart: Any) -> list[dict[str, Any]]:
    datasets = chart.to_dict()["datasets"]
    return [row for dataset in datasets.values() for row in dataset]


def test_every_candidate_is_drawn_with_its_probability(session: lt.Session) -> None:
    frames = {name: lt.candidates(turn.trace) for name, turn in zip(("before", "after"), session.turns, strict=True)}
    drawn = rows(candidates_chart(frames))
    for name, frame in frames.items():
        assert [row["prob"] for row in drawn if row["turn"] == name] == pytest.approx(frame["prob"].tolist())


def test_everything_else_comes_last_and_the_axis_is_the_whole(session: lt.Session) -> None:
    chart = candidates_chart({"before": lt.candidates(session.turns[0].trace)}).to_dict()
    drawn = rows(candidates_chart({"before": lt.candidates(session.turns[0].trace)}))
    assert max(drawn, key=lambda row: row["place"])["label"] == EVERYTHING_ELSE
    assert chart["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_tokens_that_look_alike_are_kept_apart() -> None:
    frame = pd.DataFrame(
        {
            "rank": [1, 2, 0],
            "token_id": [7, 9, -1],
            "token": ["x", "x", EVERYTHING_ELSE],
            "logit": [2.0, 1.0, None],
            "prob": [0.6, 0.3, 0.1],
        }
    )
    labels = [row["label"] for row in rows(candidates_chart({"before": frame}))]
    assert labels == ["x #7", "x #9", EVERYTHING_ELSE]


def test_the_lead_has_a_point_a_layer_and_a_turn() -> None:
    drawn = rows(lead_chart({"before": [1.0, -2.0], "after": [0.5, 3.0]}, "Paris", "London"))
    leads = [(row["turn"], row["layer"], row["lead"]) for row in drawn if "lead" in row]
    assert leads == [("before", 1, 1.0), ("before", 2, -2.0), ("after", 1, 0.5), ("after", 2, 3.0)]


@pytest.mark.parametrize("metric", ["prob", "rank"])
def test_words_are_drawn_by_layer_in_all_turns(session: lt.Session, metric: str) -> None:
    words = list(session.watch_words)
    frame = watch_frame(dict(zip(("before", "after"), session.turns, strict=True)), words)
    drawn = rows(word_chart(frame, metric))  # type: ignore[arg-type]
    assert len(drawn) == 2 * len(words) * 3
    assert [row[metric] for row in drawn] == pytest.approx(frame[metric].tolist())


def test_attention_words_stay_in_reading_order_and_repeats_apart() -> None:
    shares = pd.DataFrame({"word": ["the", " the", "."], "group": ["user"] * 3, "share": [0.1, 0.2, 0.05]})
    chart = attention_words_chart(shares, 0.4)
    assert [(row["place"], row["label"], row["share"]) for row in rows(chart)] == [
        (0, "the", 0.1),
        (1, "the\u200b", 0.2),
        (2, ".", 0.05),
    ]
    assert chart.to_dict()["encoding"]["x"]["scale"]["domain"] == [0, 0.4]


@pytest.mark.parametrize("text", ["if", "datum", "event", '"]', "\\"])
def test_no_text_stands_in_an_expression_of_a_chart(text: str) -> None:
    """Vega reads expressions as code: a token "if" in one makes the whole chart vanish."""
    shares = pd.DataFrame({"word": [text], "group": ["user"], "share": [0.1]})
    tokens = pd.DataFrame({"rank": [1], "token_id": [7], "token": [text], "logit": [1.0], "prob": [1.0]})
    for chart in (attention_words_chart(shares, 0.4), candidates_chart({"before": tokens})):
        spec = chart.to_dict()
        del spec["datasets"]
        assert "labelExpr" not in str(spec)
        assert not isinstance(spec.get("encoding", spec.get("layer", [{}])[0].get("encoding"))["y"]["sort"], list)


@pytest.mark.parametrize("text", NASTY)
def test_any_text_is_drawn_as_it_is(text: str) -> None:
    shares = pd.DataFrame({"word": [text], "group": ["user"], "share": [0.1]})
    drawn = rows(attention_words_chart(shares, 0.4))[0]["label"]
    assert drawn == text.replace("\n", "↵")


def test_the_whole_bar_is_all_of_the_attention(session: lt.Session) -> None:
    groups = lt.attention_groups(lt.attention_by_word(session.turns[0]))
    drawn = rows(attention_whole_chart(groups))
    assert sum(row["share"] for row in drawn) == pytest.approx(1, abs=1e-5)
    assert drawn[0]["group"].startswith("parked")
