"""How often each answer came: its share with its interval, the greedy one told apart, with every text as it is."""

from __future__ import annotations

import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, drawn_texts, of_kind, texts_of_data, tokens_in_code

from llm_tracker.analysis.sampled_answers import answer_distribution
from llm_tracker.charts.palette import BEFORE, RECIPE
from llm_tracker.charts.samples import MOST_CHARACTERS, MOST_ROWS, samples_chart
from llm_tracker.tracing.sampled import SampledAnswer, SampledAnswers
from llm_tracker.tracing.session import Decoding
from llm_tracker.wording.formats import shown


def distribution(counts: dict[str, int], greedy: str | None = None) -> pd.DataFrame:
    answers = [answer for answer, n in counts.items() for _ in range(n)]
    samples = [SampledAnswer(seed, (1,), answer, answer, "end", None, -1.0) for seed, answer in enumerate(answers)]
    return answer_distribution(SampledAnswers(tuple(samples), Decoding(temperature=1.0)), greedy)


def test_every_answer_has_a_bar_with_its_share_and_its_interval() -> None:
    frame = distribution({"Paris": 6, "Lyon": 3, "Rome": 1}, "Lyon")
    chart = samples_chart(frame)
    (bars,), (spread,) = of_kind(chart, "bar"), of_kind(chart, "rule")
    assert bars.column("share") == frame["share"].tolist() == [0.6, 0.3, 0.1]
    assert [(row["low"], row["high"]) for row in spread.rows] == list(zip(frame["low"], frame["high"], strict=True))
    assert bars.encoding["x"]["scale"]["domain"] == [0, 1]
    assert bars.column("place") == [0, 1, 2]


def test_the_greedy_answer_has_its_colour_and_its_words_also_where_it_never_came() -> None:
    (bars,) = of_kind(samples_chart(distribution({"Paris": 2, "Lyon": 1}, "Rome")), "bar")
    assert bars.column("colour") == [RECIPE, RECIPE, BEFORE]
    assert bars.column("label") == ["Paris  2", "Lyon  1", "Rome (the greedy answer)  0"]
    (bars,) = of_kind(samples_chart(distribution({"Paris": 2}, None)), "bar")
    assert bars.column("colour") == [RECIPE]


def test_of_many_answers_the_commonest_are_drawn_and_the_greedy_one_always() -> None:
    counts = {f"answer {at}": 40 - at for at in range(20)}
    (bars,) = of_kind(samples_chart(distribution(counts, "answer 19")), "bar")
    assert len(bars.rows) == MOST_ROWS
    assert bars.column("answer") == [*(f"answer {at}" for at in range(MOST_ROWS - 1)), "answer 19"]
    (bars,) = of_kind(samples_chart(distribution(counts, "answer 3")), "bar")
    assert bars.column("answer") == [f"answer {at}" for at in range(MOST_ROWS)]


def test_an_empty_answer_is_named_and_a_long_one_is_cut() -> None:
    (bars,) = of_kind(samples_chart(distribution({"": 1, "x" * 99: 1})), "bar")
    assert bars.column("label") == ["(an empty answer)  1", f"{'x' * (MOST_CHARACTERS - 1)}…  1"]


def test_any_answer_is_drawn_as_it_is_and_stands_in_no_expression() -> None:
    texts = list(NASTY_TOKENS)
    chart = samples_chart(distribution(dict.fromkeys(texts, 1)))
    assert {f"{shown(text)}  1" for text in texts} <= texts_of_data(chart)
    assert tokens_in_code(chart) == []
    assert {f"{shown(text)}  1" for text in texts} <= set(drawn_texts(chart))


@pytest.mark.parametrize("counts", [{}, {"Paris": 1}])
def test_one_answer_or_none_can_be_drawn(counts: dict[str, int]) -> None:
    chart = samples_chart(distribution(counts))
    (bars,) = of_kind(chart, "bar")
    assert len(bars.rows) == len(counts)
    assert drawn_texts(chart)
