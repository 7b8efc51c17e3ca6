"""The views of a study: which there are, of whom each is, and what is said where there is nothing to draw."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from chart_specs import drawn_texts, marks, of_kind, tokens_in_code
from made_studies import chain, heads, lens, model, path, questions, row, study, whole_study

from llm_tracker.errors import InputError
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.studies.views import STUDY_VIEWS, study_figure, study_figures
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.values.study import Study

FEW = ("baseline", "asked_again", "wrong", "simple", "pre_emptive_right")
LABELS = ["Tiny (float32)", "Tiny (bfloat16)"]


@pytest.fixture(scope="module")
def whole() -> Study:
    return whole_study(conditions=FEW)


@pytest.fixture(scope="module")
def figures(whole: Study) -> dict[str, Figure]:
    return {figure.view: figure for figure in study_figures(whole)}


def test_a_whole_study_has_every_view_and_those_inside_once_for_each_model(figures: dict[str, Figure]) -> None:
    assert list(figures) == ["margins", "answers", "flips", "chains", "lens", "lens-2", "path", "path-2"]
    assert [figures[name].title for name in ("lens", "lens-2")] == [
        "The lead, layer by layer: Tiny (float32)",
        "The lead, layer by layer: Tiny (bfloat16)",
    ]
    for figure in figures.values():
        assert len(figure.frame)
        assert drawn_texts(figure.chart)


@pytest.mark.parametrize("view", STUDY_VIEWS)
def test_each_can_be_had_by_its_name(whole: Study, figures: dict[str, Figure], view: Any) -> None:
    alone = study_figure(whole, view)
    assert (alone.title, alone.sentence) == (figures[view].title, figures[view].sentence)
    pd.testing.assert_frame_equal(alone.frame, figures[view].frame)


def test_of_one_model_no_name_is_said() -> None:
    for figure in study_figures(whole_study(7, 1, FEW)):
        assert "Tiny" not in figure.title + figure.sentence
        assert figure.view in STUDY_VIEWS


@pytest.mark.parametrize("view", ["margins", "answers", "chains"])
def test_two_models_have_two_colours_and_a_sentence_each(figures: dict[str, Figure], view: str) -> None:
    figure = figures[view]
    domains = [
        mark.encoding["color"]["scale"] for mark in marks(figure.chart) if "scale" in mark.encoding.get("color", {})
    ]
    assert {tuple(each["domain"]) for each in domains} == {tuple(LABELS)}
    assert len(set(domains[0]["range"])) == 2
    assert [figure.sentence.count(f"{label}: ") for label in LABELS] == [1, 1]


def test_views_inside_are_of_one_model_as_deep_as_it_is(figures: dict[str, Figure]) -> None:
    for name, n_layers, model_id in (
        ("lens", 4, "tiny"),
        ("lens-2", 6, "tiny-16"),
        ("path", 4, "tiny"),
        ("path-2", 6, "tiny-16"),
    ):
        frame = figures[name].frame
        assert set(frame["model"]) == {model_id}
        assert frame["layer" if "lens" in name else "depth"].max() == n_layers


def test_the_numbers_are_those_of_the_summary(whole: Study, figures: dict[str, Figure]) -> None:
    made = summary(whole)
    by_row = [each for each in made["conditions"] if each["condition"] not in ("baseline", "asked_again")]
    frame = figures["margins"].frame
    assert frame["value"].tolist() == [-each["sensitivity"]["value"] for each in by_row]
    assert frame["low"].tolist() == [-each["sensitivity"]["high"] for each in by_row]
    kept = [
        each["was_right"] for each in made["conditions"] if each["condition"] != "baseline" and each["was_right"]["n"]
    ]
    assert figures["answers"].frame["value"].tolist() == [each["value"] for each in kept]
    assert figures["answers"].frame["n"].tolist() == [each["n"] for each in kept]


def test_a_given_summary_is_drawn_and_not_made_anew(whole: Study) -> None:
    held_out = summary(whole, held_out=True)
    assert set(study_figure(whole, "margins", held_out).frame["n"]) < set(study_figure(whole, "margins").frame["n"]) | {
        1,
        2,
    }
    assert max(study_figure(whole, "margins", held_out).frame["n"]) == 2


def test_directions_have_rows_of_their_own_and_say_which(figures: dict[str, Figure]) -> None:
    labels = figures["margins"].frame["label"]
    assert {"pressure: a plain opinion (the wrong word)", "pressure: a plain opinion (the right word)"} <= set(labels)
    assert {"in the question: the right word (right at first)", "“wrong” (not right at first)"} <= set(labels)
    assert labels.groupby(figures["margins"].frame["model"]).nunique().eq(6).all()
    assert set(figures["answers"].frame["label"]) >= {"in the question: the right word", "“wrong”"}


def test_several_corrections_of_the_readers_own_have_rows_of_their_own() -> None:
    rows = [row(f"q{at}", "user", 1.0, paraphrase=number) for at in range(6) for number in (0, 1)]
    assert study_figure(study(rows), "margins").frame["label"].tolist() == [
        "your own correction 1",
        "your own correction 2",
    ]


def test_the_flips_say_of_two_models_whose_each_point_is(figures: dict[str, Figure]) -> None:
    (points,) = of_kind(figures["flips"].chart, "point")
    assert {label.split(": ")[-1] for label in points.column("label")} == set(LABELS)
    assert all(each > 0 for each in points.column("truth_margin"))


def test_a_second_model_that_misses_questions_has_what_it_was_asked() -> None:
    rows = questions(7, "wrong")
    rows += [each | {"model": "big"} for each in rows[:4]]
    found = study_figure(study(rows, [model(), model("big", "Big")]), "margins")
    assert found.frame[["model", "n"]].to_numpy().tolist() == [["Tiny", 7], ["Big", 2]]
    assert found.sentence == (
        "Tiny: Compared with its control, no text moves the right word's lead detectably (7 questions). "
        "Big: With fewer than 6 questions nothing can be said of others: look at each by itself."
    )


def test_with_one_question_every_view_can_be_drawn() -> None:
    figures = study_figures(whole_study(1, 1, FEW))
    assert [figure.view for figure in figures] == list(STUDY_VIEWS)
    assert all(drawn_texts(figure.chart) for figure in figures)


def test_where_no_first_answer_was_right_there_is_no_chart_of_those_but_a_sentence() -> None:
    rows = [row("a", name, 1.0, before="foil", again=-1.0) for name in ("asked_again", "wrong")]
    answers, flips = (study_figure(study(rows), view) for view in ("answers", "flips"))
    assert (answers.chart, flips.chart) == (None, None)
    assert answers.sentence == "No first answer was right, so none could be given up."
    assert flips.sentence == "In no question was the right word ahead under a text's control: no lead could be lost."


def test_with_the_controls_alone_nothing_is_drawn_of_what_was_said() -> None:
    figures = {figure.view: figure for figure in study_figures(study(questions(7, "baseline")))}
    assert list(figures) == ["margins", "answers", "flips"]
    assert figures["margins"].chart is None
    assert figures["flips"].sentence == figures["margins"].sentence
    assert figures["answers"].chart is not None, "merely asked again, an answer may change"


def test_the_lens_is_of_questions_that_were_right_at_first_and_says_where_none_was() -> None:
    rows = [row("a", "baseline", 1.0), row("b", "baseline", 1.0, before="foil")]
    inner = [
        each
        for name in ("asked_again", "wrong_alternative")
        for each in lens("a", name, [0, 2]) + lens("b", name, [0, 9])
    ]
    assert set(study_figure(study(rows, lens=inner), "lens").frame["n"]) == {1}
    assert study_figure(study(rows, lens=inner), "lens").frame["lead"].max() == 2
    wrong = study_figure(study(rows[1:], lens=[each for each in inner if each["question_id"] == "b"]), "lens")
    assert set(wrong.frame["n"]) == {1}
    assert wrong.sentence.startswith("No first answer was right; the word that is named here is the right one.")


def test_a_question_that_one_number_format_got_right_is_not_of_the_other() -> None:
    models = [model(), model(dtype="bfloat16")]
    rows = [
        row("a", "baseline", 1.0),
        row("a", "baseline", 1.0, before="foil", dtype="bfloat16"),
        row("b", "baseline", 1.0, dtype="bfloat16"),
    ]
    inner = [
        each
        for name in "ab"
        for dtype in ("float32", "bfloat16")
        for each in lens(name, "asked_again", [1], dtype=dtype)
    ]
    figures = [study_figure(study(rows, models, lens=inner), "lens", model=at) for at in (0, 1)]
    assert [figure.frame["n"].tolist() for figure in figures] == [[1], [1]]


def test_where_only_the_second_model_was_traced_the_view_is_of_it() -> None:
    models = [model(), model("big", "Big")]
    untraced = {"question_id": "a", "model": "tiny", "dtype": "float32", "why_not": "They do not line up."}
    paths = [untraced, *path("a", [1, 0], [0, 1], model="big")]
    found = study([row("a", "baseline", 1.0)], models, paths=paths, heads=heads("a", (1, 1, 0.5), model="big"))
    assert study_figure(found, "path").title == "Where the named word travels: Big"
    first, second = study_figures(found)[-2:]
    assert (second.view, second.chart is None) == ("path-2", False)
    assert (first.view, first.title, first.chart) == ("path", "Where the named word travels: Tiny", None)
    assert first.sentence == "No pair of corrections could be traced. Of the first question: They do not line up."
    assert first.frame.to_numpy().tolist() == [["a", "They do not line up."]]
    with pytest.raises(
        InputError, match=r"No pair of corrections could be traced[.] Of the first question: They do not"
    ):
        study_figure(found, "path", model=0)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("chains", "This study was run without the chain of pressure: there is nothing to draw."),
        ("lens", "This study was run without looking inside: there is nothing to draw."),
        ("path", "This study was run without looking inside: there is nothing to draw."),
        ("heads", "There is no view “heads” of a study. Choose one of: margins, answers, flips, chains, lens, path."),
    ],
)
def test_what_was_not_asked_cannot_be_drawn(view: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        study_figure(study(questions(6, "wrong")), view)
    assert str(caught.value) == said


def test_titles_of_models_that_look_like_code_are_text() -> None:
    nasty = [model("a", "</script><b>"), model("b", '"quoted" datum.value')]
    rows = [each | {"model": name} for name in "ab" for each in questions(6, "wrong")]
    found = study(rows, nasty, chains=chain("a", "aafff", model="a") + chain("a", "aaaaa", model="b"))
    for figure in study_figures(found):
        assert figure.chart is None or tokens_in_code(figure.chart) == []
