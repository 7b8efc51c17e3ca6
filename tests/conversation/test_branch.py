"""A session that begins where another one does: with its question on another model, or behind one of its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.conversation.branch import begun_like, up_to


@pytest.fixture(scope="module")
def session() -> lt.Session:
    said = ["No, London.", "Are you sure?"]
    return lt.track(tiny_model("llama"), "What is it?", said, recipe="chat", max_new_tokens=3, control=True)


def test_another_model_is_asked_in_the_same_way_and_knows_no_answer_yet(session: lt.Session) -> None:
    other = tiny_model("gpt2")
    begun = begun_like(session, other)
    assert (begun.recipe, begun.recipe_messages, begun.decoding) == (
        session.recipe,
        session.recipe_messages,
        session.decoding,
    )
    assert (begun.turns, begun.watch_words, dict(begun.controls)) == ((), (), {})
    assert begun.model.model_type == "gpt2"


def test_a_branch_has_the_turns_and_controls_up_to_the_corrected_answer(session: lt.Session) -> None:
    branch = up_to(session, 1, tiny_model("llama"))
    assert branch.turns == session.turns[:2]
    assert list(branch.controls) == [1]
    assert up_to(session, 0, tiny_model("llama")).controls == {}


def test_other_weights_do_not_go_on_with_these_answers(session: lt.Session) -> None:
    others = replace(session, model=replace(session.model, weights_sha256="0" * 64))
    with pytest.raises(lt.InputError, match="other weights"):
        up_to(others, 0, tiny_model("llama"))
