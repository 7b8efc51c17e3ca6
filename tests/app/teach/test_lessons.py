"""The lessons say what the built-in model does, to the figure; their sheets are whole pages."""

from __future__ import annotations

import re

import pytest

import llm_tracker as lt
from llm_tracker.analysis.attention import attention_by_word, attention_groups
from llm_tracker.app.teach.lessons import LESSONS, QUESTION, WRONG, lesson_named, text_of
from llm_tracker.app.teach.sheet import sheet_html
from llm_tracker.figures.sides import sides_for
from llm_tracker.languages.spoken import ENGLISH, in_language
from llm_tracker.prompts.recipes import CONTROL_TEXT
from llm_tracker.wording.headline import headline, shift_split


def words_of(name: str) -> str:
    lesson = lesson_named(name)
    assert lesson is not None
    with in_language(ENGLISH):
        text = text_of(lesson)
    return " ".join(" ".join((text.goal, text.steps, text.say, text.do_not_say)).split())


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_sheet_is_a_page_that_needs_nothing_else(lesson) -> None:
    page = sheet_html(text_of(lesson), "Name", "Date")
    assert page.startswith("<!doctype html>")
    assert "<table>" in page
    assert "src=" not in page
    assert "href=" not in page
    assert page.count("<li>") == 4


def test_of_a_name_that_no_lesson_has_there_is_none() -> None:
    assert lesson_named("no such lesson") is None
    assert lesson_named(None) is None


@pytest.mark.real
def test_the_figures_of_the_answers_are_the_models_own(embedded: lt.LoadedModel) -> None:
    session = lt.track(embedded, QUESTION, [WRONG], control=True)
    sides = sides_for(session, 1, 0)
    said = headline(sides, session.watch_words)
    assert "“Paris” 95 % → under 0.1 % (asked again: 65 %)" in said
    assert "30 come with merely being asked again, the other 65" in shift_split(sides, session.watch_words)
    again = words_of("merely-asking-again")
    for figure in ("95 %", "65 %", "under 0.1 %", "30 come with merely being asked again, the other 65"):
        assert figure in again
    chosen = words_of("how-a-word-is-chosen")
    first = session.turns[0].trace
    assert f"{len(embedded.tokenizer):,} tokens" in chosen
    assert [token.strip() for token in first.top_tokens[0][:2]] == ["Paris", "London"]
    assert [round(100 * float(prob), 1) for prob in first.top_probs[0][:2]] == [95.2, 0.7]
    assert "“London” comes next with 0.7 %" in chosen
    assert session.turns[1].answer == "London"
    attention = lt.figure(session, "attention", turn=1, against=0).sentence
    assert "after, 79 % and “London” (3 %)" in attention
    assert "“London” gets most: 3 %" in words_of("what-attention-is-not")
    groups = attention_groups(attention_by_word(session.turns[1], session.turns[1].answer_step))
    assert round(100 * groups["recipe"]) == 10, "another tenth lies on the worked examples"


@pytest.mark.real
def test_merely_asked_again_the_model_says_what_the_lesson_says(embedded: lt.LoadedModel) -> None:
    session = lt.track(embedded, QUESTION, [CONTROL_TEXT])
    again = session.turns[1]
    assert again.answer == "Paris"
    assert round(100 * float(again.trace.token_probs[again.answer_step])) == 67
    assert "with 67 %. The next slide has 65 %" in words_of("merely-asking-again")


@pytest.mark.real
def test_the_figures_of_the_experiment_are_the_models_own(embedded: lt.LoadedModel) -> None:
    found = lt.experiment(
        embedded, QUESTION, "Paris", "London", WRONG, only=["hand_over", "knock_out", "heads"], n_wordings=1
    )
    travels = words_of("where-the-correction-travels")
    path = lt.experiment_figure(found, "hand_over").sentence
    assert "layer 24 brings it to the position that writes the answer (from 22 % to 85 % of it)" in path
    assert "from 22 % to 85 %" in travels
    heads = lt.experiment_figure(found, "head_patches").sentence
    (head, share, looked) = re.match(r"(Layer \d+ head \d+) brings (\d+ %) .* with (\d+ %)", heads).groups()
    assert f"{head.lower()} brings {share} of the effect by itself, and looks at “London” with {looked}" in travels
    assert "the most is 4 %" in heads
    assert "4 % at most" in travels
    hidden = lt.experiment_figure(found, "hidden").sentence
    assert "changes the lead by +24 nats; the next is “Paris” with −2.2 nats" in hidden
    is_not = words_of("what-attention-is-not")
    assert "grows by 24 nats" in is_not
    assert "The next word in the list changes it by 2." in is_not
    elsewhere = next(each for each in found.heads.shares if (each.layer, each.head) == (30, 2))
    assert elsewhere in found.heads.shares[:3], "it stands on the slide"
    assert elsewhere.attention_to_word < 0.01
    assert "layer 30 head 2 does not" in travels
