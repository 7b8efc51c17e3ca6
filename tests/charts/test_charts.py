"""Charts draw the numbers that they are given, on shared scales, with every text as it is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.candidates import EVERYTHING_ELSE
from llm_tracker.analysis.compare import sides_of
from llm_tracker.analysis.layers import layer_frame
from llm_tracker.charts.attention import attention_chart
from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.charts.layers import _layer_ticks, layers_chart, moved_apart
from llm_tracker.languages.spoken import in_language
from llm_tracker.wording.formats import percent


@pytest.fixture(scope="module")
def session() -> lt.Session:
    model = tiny_model("llama")
    return lt.track(
        model, "What is it?", ["No, London."], recipe="chat", max_new_tokens=2, watch_words=["zebra"], control=True
    )


@pytest.fixture(scope="module")
def frames(session: lt.Session) -> dict[str, pd.DataFrame]:
    words = session.watch_words
    return {side.name: lt.candidates(side.turn.trace, 0, words=words) for side in sides_of(session)}


def rows(chart: Any) -> list[dict[str, Any]]:
    datasets = chart.to_dict()["datasets"]
    return [row for dataset in datasets.values() for row in dataset]


def bars(chart: Any) -> list[dict[str, Any]]:
    """The rows of the candidates' bars, once each."""
    drawn = [row for row in rows(chart) if "bar_end" in row]
    return list({(row["turn"], row["row"]): row for row in drawn}.values())


def test_every_candidate_is_drawn_with_its_probability_from_zero_on_one_scale(
    frames: dict[str, pd.DataFrame],
) -> None:
    sides = {name: frames[name] for name in ("before", "after")}
    drawn = bars(candidates_chart(sides))
    widths = {row["end"] - row["start"] for row in drawn}
    assert max(widths) - min(widths) < 1e-9
    for name, frame in sides.items():
        own = [row for row in drawn if row["turn"] == name]
        assert [row["prob"] for row in own] == pytest.approx(frame["prob"].tolist())
        assert [(row["bar_end"] - row["start"]) / (row["end"] - row["start"]) for row in own] == pytest.approx(
            frame["prob"].tolist()
        )


def test_everything_else_comes_last_in_each_ranking(frames: dict[str, pd.DataFrame]) -> None:
    drawn = bars(candidates_chart({name: frames[name] for name in ("before", "after")}))
    for turn in ("before", "after"):
        own = [row for row in drawn if row["turn"] == turn]
        assert max(own, key=lambda row: row["row"])["label"] == EVERYTHING_ELSE


@pytest.mark.parametrize("code", ["en", "de", "es"])
def test_the_logits_stand_left_of_the_longest_percentage(frames: dict[str, pd.DataFrame], code: str) -> None:
    with in_language(code):
        drawn = candidates_chart({"after": frames["after"].assign(prob=1e-9)}).to_dict()
        longest = len(percent(1e-9))
    offsets = [layer["mark"].get("dx", 0) for layer in drawn["layer"] if isinstance(layer["mark"], dict)]
    assert min(offsets) <= -7 * longest


def test_lines_join_the_two_ranks_of_a_token(frames: dict[str, pd.DataFrame]) -> None:
    sides = {name: frames[name] for name in ("before", "after")}
    before, after = (frame["token_id"].tolist() for frame in sides.values())
    both = [token_id for token_id in before if token_id in after]
    joins = [row for row in rows(candidates_chart(sides, followed=frozenset(both[:1]))) if "weight" in row]
    assert [(row["y"], row["y2"]) for row in joins] == [
        (before.index(token_id) + 0.55, after.index(token_id) + 0.55) for token_id in both
    ]
    assert [row["weight"] > 2 for row in joins] == [token_id == both[0] for token_id in both]


def test_the_control_is_a_tick_at_the_same_tokens_probability(frames: dict[str, pd.DataFrame]) -> None:
    sides = {name: frames[name] for name in ("before", "after")}
    control = dict(zip(frames["again"]["token_id"], frames["again"]["prob"], strict=True))
    ticks = [row for row in rows(candidates_chart(sides, frames["again"])) if "y2" in row and "again_at" in row]
    expected = [control[token_id] for token_id in frames["after"]["token_id"] if token_id in control and token_id >= 0]
    assert expected
    assert [(row["again_at"] - row["start"]) / (row["end"] - row["start"]) for row in ticks] == pytest.approx(expected)
    assert [row for row in rows(candidates_chart(sides)) if "y2" in row and "again_at" in row] == []


def test_one_answer_alone_is_one_ranking_over_the_whole_width(frames: dict[str, pd.DataFrame]) -> None:
    drawn = bars(candidates_chart({"before": frames["before"]}))
    assert {(row["start"], row["end"]) for row in drawn} == {(0.0, 1.0)}


@pytest.mark.parametrize("measure", ["lead", "prob", "rank"])
def test_every_turn_has_a_point_a_layer(session: lt.Session, measure: Any) -> None:
    word, over = session.watch_words[0], "London"
    frame = layer_frame(sides_of(session), measure, word, over)
    drawn = [row for row in rows(layers_chart(frame, measure, word, over)) if "turn" in row]
    assert len(drawn) == 3 * 3
    assert [row["value"] for row in drawn] == pytest.approx(frame["value"].tolist())
    for name, side in zip(("before", "after", "again"), sides_of(session), strict=True):
        table = side.turn.trace.lens[0].watched
        values = {
            "lead": table[word].logit - table[over].logit,
            "prob": table[word].prob,
            "rank": table[word].rank,
        }[measure]
        assert [row["value"] for row in drawn if row["turn"] == name] == pytest.approx(values.tolist())


def test_the_lead_always_shows_its_zero_and_the_probability_its_whole(session: lt.Session) -> None:
    sides, word = sides_of(session), session.watch_words[0]
    lead = layers_chart(layer_frame(sides, "lead", word, "London"), "lead", word, "London").to_dict()
    low, high = lead["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert low < 0 < high
    prob = layers_chart(layer_frame(sides, "prob", word), "prob", word).to_dict()
    assert prob["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 1]


@pytest.mark.parametrize(
    "places", [[0.5, 0.5, 0.5], [0.99, 0.98, 0.2], [0.0, 0.01, 0.02], [0.3], [1.0, 0.0], [0.5, 0.49, 0.9]]
)
def test_names_at_line_ends_keep_apart_and_in_order(places: list[float]) -> None:
    moved = moved_apart(places, 0.1)
    assert all(b - a >= 0.1 - 1e-9 for a, b in zip(sorted(moved), sorted(moved)[1:], strict=False))
    assert sorted(range(len(places)), key=lambda at: (places[at], at)) == sorted(
        range(len(moved)), key=lambda at: (moved[at], at)
    )
    assert max(moved) <= 1


def test_two_models_of_other_depths_share_an_axis_in_percent_and_both_lines_reach_its_end() -> None:
    frame = pd.DataFrame(
        {
            "turn": ["before"] * 2 + ["after"] * 4,
            "layer": [1, 2, 1, 2, 3, 4],
            "value": [0.1, 0.9, 0.2, 0.3, 0.4, 0.5],
        }
    )
    chart = layers_chart(frame, "prob", "it")
    points = {(row["turn"], row["layer"]): row["at"] for row in rows(chart) if "turn" in row}
    assert points == {
        ("before", 1): 50, ("before", 2): 100,
        ("after", 1): 25, ("after", 2): 50, ("after", 3): 75, ("after", 4): 100,
    }  # fmt: skip
    assert sorted(row["name"] for row in rows(chart) if "colour" in row) == ["after", "before"], "both ends are named"
    axis = chart.to_dict()["layer"][0]["encoding"]["x"]
    assert (axis["title"], axis["scale"]["domain"]) == ("depth, in % of each one's layers", [0, 100])


@pytest.mark.parametrize("n_layers", [1, 2, 3, 12, 22, 30, 32, 80, 126])
def test_the_layer_axis_names_the_first_and_the_last_layer(n_layers: int) -> None:
    ticks = _layer_ticks(n_layers)
    assert (ticks[0], ticks[-1]) == (1, n_layers)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 12


def test_the_whole_bar_of_each_turn_is_all_of_the_attention(session: lt.Session) -> None:
    groups = {side.name: lt.attention_groups(lt.attention_by_word(side.turn)) for side in sides_of(session)}
    drawn = rows(attention_chart(groups))
    for name, shares in groups.items():
        own = [row for row in drawn if row["name"] == name]
        assert [row["share"] for row in own] == pytest.approx(shares.tolist())
        assert own[0]["group"] == "parked"
        assert own[0]["start"] == pytest.approx(0)
        assert own[-1]["end"] == pytest.approx(1, abs=1e-5)
        assert [row["end"] for row in own[:-1]] == pytest.approx([row["start"] for row in own[1:]])


def candidate_frame(text: str) -> pd.DataFrame:
    return pd.DataFrame({"rank": [1], "token_id": [7], "token": [text], "logit": [1.0], "prob": [1.0]})


@pytest.mark.parametrize("text", NASTY_TOKENS)
def test_any_token_is_drawn_as_it_is_and_stands_in_no_expression(text: str) -> None:
    """Vega reads expressions as code: a token "if" in one would make the whole chart vanish."""
    chart = candidates_chart({"before": candidate_frame(text), "after": candidate_frame(text)})
    assert {row["label"] for row in bars(chart)} == {f"1. {text.replace(chr(10), '↵')}"}
    spec = chart.to_dict()
    del spec["datasets"]
    assert "labelExpr" not in str(spec)
    assert text not in str(spec) or text in ("if", "'", "event")
    assert "'sort': [" not in str(spec)


def test_charts_hold_few_rows(session: lt.Session, frames: dict[str, pd.DataFrame]) -> None:
    sides = {name: frames[name] for name in ("before", "after")}
    assert len(rows(candidates_chart(sides, frames["again"]))) < 5000
