"""The neutral control: the same conversation, merely asked again; exact like every turn, and kept beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from recompute import largest_gaps
from tiny_models import FAMILIES, tiny_model

import llm_tracker as lt
from llm_tracker.prompts.recipes import CONTROL_TEXT

QUESTION = "What is the capital of France?"
CORRECTIONS = ["That is wrong. The correct answer is London.", "Are you sure?"]


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(tiny_model("llama"), QUESTION, CORRECTIONS, max_new_tokens=3, control=True)


def test_each_correction_has_its_control_with_the_same_conversation_before_it(session: lt.Session) -> None:
    assert list(session.controls) == [1, 2]
    for at, control in session.controls.items():
        corrected = session.turns[at]
        assert control.said == CONTROL_TEXT
        assert control.prompt.messages[:-1] == corrected.prompt.messages[:-1]
        assert control.prompt.messages[-1].content == CONTROL_TEXT
        assert corrected.prompt.messages[-1].content == CORRECTIONS[at - 1]


def test_the_control_is_what_a_correction_of_that_text_would_have_been(session: lt.Session) -> None:
    asked = lt.track(tiny_model("llama"), QUESTION, [CONTROL_TEXT], max_new_tokens=3, watch_words=session.watch_words)
    control, turn = session.controls[1], asked.turns[1]
    assert control.prompt.token_ids == turn.prompt.token_ids
    assert control.trace.token_ids.tolist() == turn.trace.token_ids.tolist()
    assert control.trace.top_probs == pytest.approx(turn.trace.top_probs, abs=1e-4)  # read on from other places


@pytest.mark.parametrize("family", ["llama", "gemma2", "granite", "mistral"])
def test_a_control_of_a_random_model_is_exact(family: str) -> None:
    assert family in FAMILIES
    model = tiny_model(family)
    session = lt.track(model, QUESTION, CORRECTIONS[:1], recipe="chat", max_new_tokens=4, control=True)
    gaps = largest_gaps(model, replace(session, turns=tuple(session.controls.values()), controls={}))
    assert {name: gap for name, gap in gaps.items() if gap > 1e-3} == {}


def test_the_correction_itself_is_the_same_with_and_without_its_control(session: lt.Session) -> None:
    without = lt.track(tiny_model("llama"), QUESTION, CORRECTIONS, max_new_tokens=3)
    assert without.controls == {}
    for one, other in zip(session.turns, without.turns, strict=True):
        assert one.trace.token_ids.tolist() == other.trace.token_ids.tolist()


def test_a_correction_that_is_the_controls_own_text_needs_none() -> None:
    session = lt.track(tiny_model("llama"), QUESTION, [f" {CONTROL_TEXT}"], max_new_tokens=2, control=True)
    assert session.controls == {}
    assert session.is_control(1)
    assert not session.lacks_control(1)


def test_a_first_answer_has_no_control(session: lt.Session) -> None:
    with pytest.raises(lt.InputError, match="corrections are turns 1 to 2"):
        next(lt.stream_control(tiny_model("llama"), session, 0))
    with pytest.raises(lt.InputError, match="nothing has been corrected yet"):
        next(lt.stream_control(tiny_model("llama"), replace(session, turns=session.turns[:1]), 1))


def test_a_control_that_is_stopped_leaves_the_session_as_it_was(session: lt.Session) -> None:
    stream = lt.stream_control(tiny_model("llama"), replace(session, controls={}), 1, stop=lambda: True)
    with pytest.raises(lt.Cancelled):
        list(stream)


def test_a_word_that_is_followed_later_is_read_in_the_controls_too(session: lt.Session) -> None:
    followed = lt.with_watch_word(tiny_model("llama"), session, "zebra")
    assert all("zebra" in control.trace.lens[0].watched for control in followed.controls.values())


def test_controls_are_saved_beside_the_turns_and_come_back(session: lt.Session, tmp_path: Path) -> None:
    folder = lt.save_session(session, tmp_path / "s")
    assert sorted(path.name for path in folder.glob("control-*")) == ["control-1.safetensors", "control-2.safetensors"]
    back = lt.load_session(folder)
    for at, control in session.controls.items():
        assert back.controls[at].answer == control.answer
        assert (back.controls[at].trace.attention == control.trace.attention).all()
        assert lt.logit_lens(back.controls[at].trace, 1).equals(lt.logit_lens(control.trace, 1))


@pytest.mark.real
def test_merely_asked_again_the_built_in_model_keeps_paris(embedded: lt.LoadedModel) -> None:
    session = lt.track(embedded, QUESTION, CORRECTIONS[:1], max_new_tokens=4, control=True)
    control = session.controls[1]
    assert control.answer == "Paris"
    assert float(control.trace.lens[0].watched["Paris"].prob[-1]) == pytest.approx(0.673, abs=0.05)
    gaps = largest_gaps(embedded, replace(session, turns=(control,), controls={}))
    assert {name: gap for name, gap in gaps.items() if gap > 1e-3} == {}
