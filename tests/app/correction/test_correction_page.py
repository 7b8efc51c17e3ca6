"""The Correction page, run as a script: what it proposes, what comes of it, what is kept, and what is refused."""

from __future__ import annotations

from correcting import found_out, of_correction, on_correction, pressed
from explore import alts
from projecting import PAGE
from visitor import opened, reopened, settled, shown_html, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.causes.edits import edits
from llm_tracker.app.work.turn_ref import TurnRef


def test_the_stored_example_shows_every_view_before_anything_was_asked(engine: engines.Engine) -> None:
    at = on_correction(opened("dashboard.py"))
    assert not at.exception
    assert len(alts(at)) >= 10
    assert "layer 24 brings it to the position that writes the answer" in shown_html(at)
    assert [each.value for each in at.text_input if each.label in ("Right word", "Other word")] == ["Paris", "London"]


def test_an_answer_without_a_correction_says_where_to_correct_it(engine: engines.Engine) -> None:
    at = of_correction(engine, "")
    assert not at.exception
    assert "has not been corrected yet" in shown_html(at)


def test_what_is_found_out_is_kept_with_the_conversation(engine: engines.Engine) -> None:
    at = found_out(engine, of_correction(engine))
    assert not at.exception
    session = visitor(engine).sessions[1]
    found = lt.experiment_of(session.experiments[1])
    assert found.case.answer == "Paris"
    assert found.shift is not None
    assert all(check.ok for check in found.checks)
    assert len(alts(at)) >= 6
    again = on_correction(reopened(at))
    assert len(alts(again)) == len(alts(at))


def test_two_words_that_are_one_are_refused_and_nothing_is_lost(engine: engines.Engine) -> None:
    at = found_out(engine, of_correction(engine), "Paris", "paris")
    assert "stands for both words" in shown_html(at)
    assert [each.value for each in at.text_input if each.label == "Other word"] == ["paris"]
    assert visitor(engine).sessions[1].experiments == {}
    assert len(visitor(engine).sessions[1].turns) == 2


def test_an_edited_answer_stands_beside_the_untouched_one_and_is_a_branch(engine: engines.Engine) -> None:
    at = of_correction(engine)
    at = pressed(at, "Answer again")
    at = settled(until(at, lambda: visitor(engine).job is None))
    assert not at.exception
    ((change, branch),) = edits(visitor(engine), TurnRef(1, 1)).items()
    turn = visitor(engine).sessions[branch.session].turns[1]
    assert turn.edit == change.edit
    assert turn.edit is not None
    assert turn.edit.kind == "hidden"
    assert "untouched" in shown_html(at)
    assert "edited: " in shown_html(at)
    parent = visitor(engine).sessions[branch.session].parent
    assert parent is not None
    assert parent.turn == 1


def test_an_edited_answer_is_not_edited_twice_and_says_why_it_is_not_read_again(engine: engines.Engine) -> None:
    at = of_correction(engine)
    at = pressed(at, "Answer again")
    at = settled(until(at, lambda: visitor(engine).job is None))
    at = settled(pressed(at, "Compare them everywhere"))
    assert not at.exception
    assert "is edited already" in shown_html(at)
    ask = reopened(at)
    assert "Whole words are not scored where the model was changed" in shown_html(ask)
    assert "Each is the probability" not in shown_html(ask)
    teach = pressed(settled(ask.switch_page(PAGE).run()), "Open the projector")
    while teach.title[0].value != "What changed":
        teach = settled(teach.button(key="on").click().run())
    assert "The answer" in shown_html(teach)
    assert "Each is the probability" not in shown_html(teach)


def test_a_word_can_be_left_out_of_the_correction(engine: engines.Engine) -> None:
    at = of_correction(engine)
    at = at.selectbox(key="kind of edit").set_value("drop").run()
    at = settled(until(pressed(at, "Answer again"), lambda: visitor(engine).job is None))
    ((change, branch),) = edits(visitor(engine), TurnRef(1, 1)).items()
    assert visitor(engine).sessions[branch.session].turns[1].said == change.said
