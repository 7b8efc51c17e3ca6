"""The views of several models: one scale before and after, numbers that say whose they are, none where nothing is."""

from __future__ import annotations

import pytest
from chart_specs import of_kind
from model_runs import OVER, WORD, asked_only, called, leading, two_sizes

from llm_tracker.analysis.across_models.runs import named
from llm_tracker.charts.across_models.lead import WIDE
from llm_tracker.figures.across_models.views import groups_figure, lead_figures, words_figure


def test_before_and_after_are_drawn_on_one_scale_and_the_control_beside_the_later() -> None:
    figures = lead_figures(two_sizes(), WORD, OVER)
    assert list(figures) == ["before", "after"]
    scales = [of_kind(each.chart, "line")[0].encoding["y"]["scale"]["domain"] for each in figures.values()]
    assert scales[0] == scales[1]
    assert set(figures["before"].frame["turn"]) == {"before"}
    assert set(figures["after"].frame["turn"]) == {"after", "again"}
    assert all(each.sentence.startswith("In A ") for each in figures.values())


def test_a_question_alone_has_one_figure_and_unread_words_have_none() -> None:
    assert list(lead_figures(named([asked_only()]), WORD, OVER)) == ["before"]
    assert lead_figures(two_sizes(), WORD, "zebra") == {}


def test_the_format_that_others_are_compared_with_lies_below_them() -> None:
    same = leading([1, 2, 3], [1, 1, 1])
    runs = named([called(same, "Small", "bfloat16"), called(same, "Small", "float32")])
    lines = of_kind(lead_figures(runs, WORD, OVER)["before"].chart, "line")
    assert {mark.look["strokeWidth"]: mark.rows[0]["model"] for mark in lines}[WIDE] == "B"


@pytest.mark.parametrize("make", [groups_figure, words_figure])
def test_attention_says_of_which_answer_it_is(make: object) -> None:
    figure = make(two_sizes(), "before")  # type: ignore[operator]
    assert figure.title.endswith(", before")
    assert set(figure.frame["turn"]) == {"before"}
    assert make(named([asked_only()]), "after") is None  # type: ignore[operator]
