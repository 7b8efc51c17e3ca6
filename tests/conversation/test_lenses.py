"""Which steps get a lens: as few as can be waited for, as many as comparing and saving need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.conversation.lenses import lens_steps
from llm_tracker.conversation.turns import begin_session, stream_turn
from llm_tracker.errors import OtherWeightsError
from llm_tracker.progress import ended
from llm_tracker.tracing.session import Decoding


@pytest.fixture(scope="module")
def answered() -> lt.Session:
    model = tiny_model("llama")
    session = ended(stream_turn(model, begin_session(model, "chat", Decoding(5)), "What is it?"))
    return replace(session, turns=(replace(session.turns[0], answer_step=3),))


def test_of_a_first_answer_only_the_step_that_carries_it_is_read() -> None:
    model = tiny_model("llama")
    session = ended(stream_turn(model, begin_session(model, "chat", Decoding(5)), "What is it?"))
    (turn,) = session.turns
    assert lens_steps(turn, "answered") == set(turn.trace.lens) == {turn.answer_step}


def test_answers_that_are_compared_are_read_at_their_first_position_too(answered: lt.Session) -> None:
    session = ended(stream_turn(tiny_model("llama"), answered, "No, London."))
    first, second = session.turns
    assert set(first.trace.lens) == {0, 3, *answered.turns[0].trace.lens}
    assert set(second.trace.lens) == {0, second.answer_step}


def test_a_step_that_a_view_asked_for_is_read_for_new_words_too(answered: lt.Session) -> None:
    model = tiny_model("llama")
    session = lt.with_watch_word(model, lt.with_step_lens(model, answered, 0, 2), "zebra")
    lenses = session.turns[0].trace.lens
    assert set(lenses) == {0, 2, 3, *answered.turns[0].trace.lens}
    assert all("zebra" in lens.watched for lens in lenses.values())


def test_what_is_saved_has_all_of_them(answered: lt.Session) -> None:
    turn = lt.with_all_lenses(tiny_model("llama"), answered).turns[0]
    assert lens_steps(turn, "saved") == set(turn.trace.lens) == set(range(turn.trace.n_steps))


def test_other_weights_read_nothing_of_these_answers(answered: lt.Session) -> None:
    others = replace(answered, model=replace(answered.model, weights_sha256="0" * 64))
    for read in (lt.with_all_lenses, lambda model, session: lt.with_watch_word(model, session, "zebra")):
        with pytest.raises(lt.InputError, match="other weights"):
            read(tiny_model("llama"), others)


@pytest.mark.parametrize(("turn", "step"), [(0, -1), (0, 99), (7, 0), (-1, 0)])
def test_a_step_or_turn_that_is_not_there_is_named(answered: lt.Session, turn: int, step: int) -> None:
    with pytest.raises(lt.InputError, match=f"no (step {step}|turn {turn})"):
        lt.with_step_lens(tiny_model("llama"), answered, turn, step)
    with pytest.raises(lt.InputError, match=f"no (step {step}|turn {turn})"):
        lt.with_answer_step(answered, turn, step)


def test_weights_without_a_digest_are_told_apart_by_what_their_model_is() -> None:
    llama, qwen = (replace(tiny_model(family), directory=None) for family in ("llama", "qwen2"))
    answered = lt.track(llama, "Who?", max_new_tokens=2)
    assert lt.with_watch_word(llama, answered, "Rome").watch_words[-1] == "Rome"
    with pytest.raises(OtherWeightsError):
        lt.with_watch_word(qwen, answered, "Rome")


def test_one_word_to_watch_is_a_word_and_not_its_letters() -> None:
    assert lt.begin_session(tiny_model("llama"), watch_words="London ").watch_words == ("London",)
