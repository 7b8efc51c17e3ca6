"""The same asked n times: what the model read in a turn, with the session's own limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.conversation.sample import sample_answers, stream_sample_answers
from llm_tracker.progress import ended
from llm_tracker.tracing.run import run_turn

QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def session(tiny_llama: lt.LoadedModel) -> lt.Session:
    return lt.track(tiny_llama, QUESTION, ["No, London."], max_new_tokens=3)


@pytest.mark.parametrize("turn", [0, 1])
def test_answers_are_those_to_what_the_model_read_in_that_turn(
    turn: int, tiny_llama: lt.LoadedModel, session: lt.Session
) -> None:
    samples = sample_answers(tiny_llama, session, turn, 3, temperature=1.3, top_p=0.9, seed=5)
    assert samples.decoding == replace(session.decoding, temperature=1.3, top_p=0.9, seed=5)
    last = replace(samples.decoding, seed=7)
    again = ended(run_turn(tiny_llama, session.turns[turn].prompt, last, QUESTION, QUESTION))
    assert samples.answers[2].token_ids == tuple(again.trace.token_ids.tolist())
    assert [answer.seed for answer in samples.answers] == [5, 6, 7]
    assert all(len(answer.token_ids) <= 3 for answer in samples.answers)


def test_each_token_tells_how_many_answers_have_ended(tiny_llama: lt.LoadedModel, session: lt.Session) -> None:
    told: list[int] = []
    samples = ended(stream_sample_answers(tiny_llama, session, 0, 4), told.append)
    assert told[-1] == len(samples.answers) == 4


@pytest.mark.parametrize("turn", [-1, 2])
def test_a_turn_that_is_not_there_is_refused(turn: int, tiny_llama: lt.LoadedModel, session: lt.Session) -> None:
    with pytest.raises(lt.InputError, match=f"no turn {turn}: the session has turns 0 to 1"):
        sample_answers(tiny_llama, session, turn, 4)


@pytest.mark.parametrize("n", [-1, 0, 1025])
def test_a_number_of_answers_that_makes_no_sense_is_refused(
    n: int, tiny_llama: lt.LoadedModel, session: lt.Session
) -> None:
    with pytest.raises(lt.InputError, match=r"Ask for 1 to 1,024\."):
        sample_answers(tiny_llama, session, 0, n)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"temperature": 0.0}, "at least 0.01"), ({"top_p": 2.0}, "top-p"), ({"seed": -1}, "seed")],
)
def test_settings_that_make_no_sense_are_refused(
    settings: dict[str, float], message: str, tiny_llama: lt.LoadedModel, session: lt.Session
) -> None:
    with pytest.raises(lt.InputError, match=message):
        sample_answers(tiny_llama, session, 0, 2, **settings)  # type: ignore[arg-type]


def test_other_weights_are_not_asked(session: lt.Session) -> None:
    with pytest.raises(lt.OtherWeightsError):
        sample_answers(tiny_model("qwen2"), session, 0, 2)


def test_it_can_be_stopped(tiny_llama: lt.LoadedModel, session: lt.Session) -> None:
    with pytest.raises(lt.Cancelled):
        sample_answers(tiny_llama, session, 0, 2, stop=lambda: True)
