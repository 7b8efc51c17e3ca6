"""Several answers of one workspace: which are kept, and which two are compared."""

from __future__ import annotations

from visitor import VIEWS, asked, corrected, headings, opened, picker, settled, shown_html, shown_turns, told, visitor

from llm_tracker.app.parts import html
from llm_tracker.app.selection.answer_pickers import ALONE
from llm_tracker.app.work import asking
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.turn_ref import TurnRef


def test_another_correction_of_the_same_answer_leaves_the_first_one_to_compare_with(engine: engines.Engine) -> None:
    at = corrected(told(engine), "That is right.")
    sessions = visitor(engine).sessions
    assert [[turn.said for turn in sessions[number].turns] for number in (1, 2)] == [
        ["What is it?", "No, London."],
        ["What is it?", "That is right."],
    ]
    at = settled(picker(at, "before").set_value(TurnRef(1, 1)).run())
    assert html.exact("No, London.") in shown_html(at)
    assert html.exact("That is right.") in shown_html(at)
    assert "(asked again: " in shown_html(at), "two corrections of one answer have the same control"
    assert "Merely asked again, the answer is" in shown_html(at)


def test_words_that_only_another_correction_named_are_offered_and_not_followed_unasked(
    engine: engines.Engine,
) -> None:
    at = corrected(told(engine), "No, Oslo.")
    (words,) = at.multiselect
    assert "London" in words.options
    assert "London" not in words.value
    assert "Oslo" in words.value


def test_a_correction_can_go_on_with_the_conversation(engine: engines.Engine) -> None:
    at = told(engine)
    at.segmented_control(key="corrects").set_value("after").run()
    at = corrected(at, "Are you sure?")
    assert [turn.said for turn in visitor(engine).sessions[1].turns] == ["What is it?", "No, London.", "Are you sure?"]
    assert html.exact("No, London.") in shown_html(at)


def test_answers_that_are_more_than_a_correction_apart_have_no_control_between_them(engine: engines.Engine) -> None:
    at = told(engine)
    at.segmented_control(key="corrects").set_value("after").run()
    at = corrected(at, "Are you sure?")
    at = settled(picker(at, "before").set_value(TurnRef(1, 0)).run())
    assert "Neither answer corrects the other" in shown_html(at)
    assert "(asked again: " not in shown_html(at)


def test_a_stale_choice_of_an_answer_that_is_gone_changes_nothing(engine: engines.Engine) -> None:
    at = told(engine)
    workspace = visitor(engine)
    asking.correct(engine, workspace, TurnRef(99, 0), "No.")
    assert "That answer is not kept any more." in shown_html(at.run())
    assert headings(at) == VIEWS


def test_an_edited_question_leaves_the_earlier_one_to_compare_with(engine: engines.Engine) -> None:
    at = asked(told(engine, ""), "What was it?")
    at = settled(picker(at, "after").set_value(TurnRef(1, 0)).run())
    assert html.exact("What is it?") in shown_html(at)
    assert html.exact("What was it?") in shown_html(at)
    assert "These are two first answers: there is no correction between them." in shown_html(at)


def test_an_answer_beside_itself_is_said_to_be_one(engine: engines.Engine) -> None:
    at = settled(picker(told(engine), "after").set_value(TurnRef(1, 0)).run())
    assert "This is one answer, compared with itself." in shown_html(at)


def test_the_right_side_can_be_emptied_and_picked_again(engine: engines.Engine) -> None:
    at = told(engine)
    at = settled(picker(at, "after").set_value(ALONE).run())
    assert shown_turns(engine, at) == (TurnRef(1, 0), None)
    assert "Correct the answer, and what changed will stand here." in shown_html(at)
    at = settled(picker(at, "after").set_value(TurnRef(1, 1)).run())
    assert "(asked again: " in shown_html(at)


def test_what_a_browser_sends_late_does_not_choose_among_newer_answers(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    sent = [at._tree.get_widget_states()]
    for question in ("What is it?", "What was it?"):
        at = asked(at, question)
        sent.append(at._tree.get_widget_states())
        at = corrected(at)
        sent.append(at._tree.get_widget_states())
    shown = shown_turns(engine, at)
    for late in sent:
        settled(at._run(late))
        assert shown_turns(engine, at) == visitor(engine).shown == shown


def test_a_new_question_is_corrected_itself_whatever_was_chosen_for_the_one_before(engine: engines.Engine) -> None:
    at = told(engine)
    at.segmented_control(key="corrects").set_value("after").run()
    at = corrected(corrected(asked(at, "And what is that?")), "That is right.")
    assert [len(visitor(engine).sessions[number].turns) for number in (2, 3)] == [2, 2]
