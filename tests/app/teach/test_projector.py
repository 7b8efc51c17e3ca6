"""The projector shows one thing at a time, and no answer before it is uncovered."""

from __future__ import annotations

import pytest
from projecting import PAGE, begun, on, pressed
from streamlit.testing.v1 import AppTest
from visitor import Loader, opened, settled, shown_html, until, visitor

import llm_tracker as lt
from llm_tracker.app.teach.lessons import LESSONS
from llm_tracker.app.teach.slides import SLIDES, TITLES
from llm_tracker.app.work import asking
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.teaching.classroom import MOST_CHARS


@pytest.fixture
def at(engine: engines.Engine) -> AppTest:
    """The projector on the finished example."""
    return pressed(opened(PAGE), "Open the projector")


def asked(at: AppTest, question: str = "What is it?") -> AppTest:
    at.text_input(key="projector question").set_value(question)
    return pressed(at, "Ask")


def corrected(at: AppTest, correction: str = "No, London.") -> AppTest:
    at.text_input(key="projector correction").set_value(correction)
    return pressed(at, "Correct")


def answer_of(engine: engines.Engine, turn: int) -> str:
    workspace = visitor(engine)
    ref = next(each for each in workspace.shown or () if each is not None and each.turn == turn)
    return workspace.sessions[ref.session].turns[turn].answer


def test_an_answer_is_hidden_until_it_is_uncovered(at: AppTest, engine: engines.Engine) -> None:
    at = asked(at)
    assert at.title[0].value == "The answer"
    assert "hidden" in shown_html(at)
    said = answer_of(engine, 0)
    assert f'lt-big lt-before"><bdi class="lt-exact">{said}' not in shown_html(at)
    at = pressed(at, "Uncover the answer")
    assert at.title[0].value == "The answer"
    assert "lt-big lt-before" in shown_html(at)


def test_guesses_are_counted_and_held_against_the_answer(at: AppTest, engine: engines.Engine) -> None:
    at = asked(at)
    for guess in ("Oslo", "Rome", "oslo"):
        at.text_input(key="guess before").set_value(guess)
        at = pressed(at, "Count")
    visitor(engine).classroom.guess("before", answer_of(engine, 0)[:MOST_CHARS])
    at = settled(at.run())
    assert next(button.label for button in at.button if "·" in button.label) == "Oslo · 2"
    at = settled(at.button(key="one more before Rome").click().run())
    at = settled(at.button(key="one less before Oslo").click().run())
    at = pressed(at, "Uncover the answer")
    assert "of 4 guesses" in shown_html(at)
    assert "<td>Rome</td><td class='number'>2</td>" in shown_html(at)


def test_an_empty_guess_is_refused_and_costs_nothing(at: AppTest) -> None:
    at = pressed(asked(at), "Count")
    assert "The guess is empty." in shown_html(at)


def test_the_slides_follow_one_another_to_the_last(at: AppTest) -> None:
    at = corrected(on(on(asked(at))))
    assert at.title[0].value == "The answer after the correction"
    titles = []
    for _ in range(5):
        at = on(at)
        titles.append(at.title[0].value)
    assert titles == [
        "The answer after the correction",
        "What changed",
        "What it might have written",
        "Layer by layer",
        "Where it looked",
    ]
    assert at.button(key="on").disabled
    assert "data:image/svg+xml;base64," in shown_html(at)
    at = settled(at.button(key="back").click().run())
    assert at.title[0].value == "Layer by layer"


def test_without_a_correction_there_is_no_way_past_it(at: AppTest) -> None:
    at = on(on(asked(at)))
    assert at.title[0].value == "The correction"
    assert at.button(key="on").disabled
    assert "Correct the answer to go on." in shown_html(at)


def test_an_empty_question_is_refused_in_its_place(at: AppTest) -> None:
    at = asked(at, "  ")
    assert at.title[0].value == "The question"
    assert "The question is empty." in shown_html(at)


def test_a_new_question_hides_the_next_answer(at: AppTest) -> None:
    at = pressed(asked(at), "Uncover the answer")
    at = asked(settled(at.button(key="back").click().run()), "What is this?")
    assert "lt-big lt-before" not in shown_html(at)


def test_the_screen_can_be_blanked(at: AppTest) -> None:
    at = settled(at.button(key="blank").click().run())
    assert len(at.title) == 0
    assert "background: #000" in shown_html(at)
    at = settled(at.button(key="blank").click().run())
    assert at.title[0].value == "The question"
    assert "background: #000" not in shown_html(at)


def test_an_answer_that_did_not_come_cannot_be_uncovered_and_says_why(
    at: AppTest, engine: engines.Engine, loader: Loader
) -> None:
    def broken(*_: object) -> lt.LoadedModel:
        raise lt.ModelError("The disk is full.")

    for model in engine.models.pool.held():
        engine.models.pool.unload(model.id)
    loader.load = broken
    at = asked(at)
    assert at.title[0].value == "The answer"
    assert "The disk is full." in shown_html(at)
    assert at.button(key="on").disabled
    assert "The answer is there" not in shown_html(at)


def test_what_another_conversation_answered_is_hidden(at: AppTest, engine: engines.Engine) -> None:
    at = pressed(asked(at), "Uncover the answer")
    workspace = visitor(engine)
    first = (workspace.shown or ())[0]
    at = pressed(asked(settled(at.button(key="back").click().run()), "What is this?"), "Uncover the answer")
    assert "lt-big lt-before" in shown_html(at)
    workspace.shown = (first, None) if first is not None else None
    workspace.results += 1  # as when a conversation is opened from the history
    at = settled(at.run())
    assert "lt-big lt-before" not in shown_html(at)


def test_leaving_shows_the_lessons(at: AppTest) -> None:
    at = settled(at.button(key="leave").click().run())
    assert at.title[0].value == "Teach"


def test_a_lesson_begins_in_the_projector_with_its_question(engine: engines.Engine) -> None:
    at = opened(PAGE)
    at = settled(at.button(key="open where-the-correction-travels").click().run())
    assert at.title[0].value == "Where the correction travels"
    at = settled(at.button(key="begin").click().run())
    assert at.text_input(key="projector question").value == "What is the capital of France?"
    assert at.button(key="on").disabled, "the example's answer is not that of the lesson's question"
    assert "Ask the question to go on." in shown_html(at)
    at = on(pressed(at, "Ask"))
    at = on(at)
    assert at.text_input(key="projector correction").value == "That is wrong. The correct answer is London."


def test_a_lesson_without_a_correction_goes_from_the_answer_to_its_candidates(engine: engines.Engine) -> None:
    at = on(pressed(begun("how-a-word-is-chosen"), "Uncover the answer"))
    assert at.title[0].value == "What it might have written"
    assert "data:image/svg+xml;base64," in shown_html(at)
    assert at.button(key="on").disabled


def test_a_lesson_that_has_more_to_say_leads_back_to_the_correction(engine: engines.Engine) -> None:
    at = on(pressed(begun("merely-asking-again"), "Uncover the answer"))
    assert at.text_input(key="projector correction").value == "Answer the question again."
    at = on(pressed(pressed(at, "Correct"), "Uncover the answer"))
    assert at.title[0].value == "What changed"
    at = on(at)
    assert at.title[0].value == "The correction"
    assert at.text_input(key="projector correction").value == "That is wrong. The correct answer is London."
    at = pressed(at, "Correct")
    assert at.title[0].value == "The answer after the correction"
    assert "lt-big lt-after" not in shown_html(at), "the next answer is hidden, too"
    at = on(on(at))
    assert at.title[0].value == "What changed"
    assert at.button(key="on").disabled


def test_the_conversation_in_hand_is_shown_with_the_usual_slides_after_a_lesson(engine: engines.Engine) -> None:
    at = settled(begun("how-a-word-is-chosen").button(key="leave").click().run())
    at = pressed(settled(at.button(key="all lessons").click().run()), "Open the projector")
    assert f"/ {len(SLIDES)}" in at.caption[0].value


def test_every_slide_has_a_title() -> None:
    assert set(TITLES) == {*SLIDES, *(name for lesson in LESSONS for name in lesson.slides)}


def test_a_correction_that_did_not_come_stays_ready(engine: engines.Engine, loader: Loader) -> None:
    at = on(pressed(begun("merely-asking-again"), "Uncover the answer"))

    def broken(*_: object) -> lt.LoadedModel:
        raise lt.ModelError("The disk is full.")

    works, loader.load = loader.load, broken
    for model in engine.models.pool.held():
        engine.models.pool.unload(model.id)
    at = pressed(at, "Correct")
    assert "The disk is full." in shown_html(at)
    loader.load = works
    assert at.title[0].value == "The correction"
    assert at.text_input(key="projector correction").value == "Answer the question again."


def test_a_lesson_that_was_left_is_gone_on_with_and_the_projector_of_no_lesson_begins_anew(
    engine: engines.Engine,
) -> None:
    at = pressed(begun("merely-asking-again"), "Uncover the answer")
    at = pressed(settled(at.button(key="leave").click().run()), "Go on in the projector")
    assert at.title[0].value == "The answer"
    assert "lt-big lt-before" in shown_html(at), "what was uncovered stays so"
    at = settled(at.button(key="leave").click().run())
    at = pressed(settled(at.button(key="begin").click().run()), "Leave")
    at = pressed(settled(at.button(key="all lessons").click().run()), "Open the projector")
    assert at.caption[0].value == f"1 / {len(SLIDES)}"
    assert not at.button(key="on").disabled, "the lesson's question need not be asked here"


def test_a_lesson_without_a_correction_shows_no_answer_that_was_not_guessed(engine: engines.Engine) -> None:
    at = begun("how-a-word-is-chosen")
    workspace = visitor(engine)
    first = (workspace.shown or ())[0]
    assert first is not None
    asking.correct(engine, workspace, first, "No, London.")  # as on the Ask page
    at = until(at, lambda: workspace.job is None)
    at = on(pressed(settled(at), "Uncover the answer"))
    assert at.title[0].value == "What it might have written"
    assert "after" not in shown_html(at).split('class="lt-caption"')[1].split("</p>")[0]
