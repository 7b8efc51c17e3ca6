"""The same conversation on another model: what `track` finds there, with the proof that it was read exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from model_runs import CORRECTION, QUESTION, WORD, run_of, tiny

import llm_tracker as lt
from llm_tracker.conversation.same_conversation import stream_same_conversation
from llm_tracker.conversation.turns import begin_session
from llm_tracker.errors import Cancelled
from llm_tracker.progress import ended


def begun(model: lt.LoadedModel) -> lt.Session:
    return begin_session(model, "chat", lt.Decoding(max_new_tokens=2))


def test_it_is_what_python_finds_on_that_model() -> None:
    model, run = tiny(5), run_of(5)
    own = lt.track(model, QUESTION, CORRECTION, recipe="chat", max_new_tokens=2, watch_words=[WORD], control=True)
    for at, turn in enumerate(run.session.turns):
        assert turn.answer == own.turns[at].answer
        assert turn.prompt.token_ids == own.turns[at].prompt.token_ids
        assert np.allclose(turn.trace.resid, own.turns[at].trace.resid, atol=1e-4)
        mine, other = turn.score(WORD), own.turns[at].score(WORD)
        assert mine is not None
        assert other is not None
        assert mine.log_prob_of_all == pytest.approx(other.log_prob_of_all, abs=1e-4)
    assert run.session.controls[1].answer == own.controls[1].answer
    assert run.session.model == own.model
    assert (run.before, run.seconds > 0) == (0, True)


def test_the_first_token_of_each_answer_is_read_for_every_word_that_is_followed() -> None:
    session = run_of().session
    assert WORD in session.watch_words
    assert "Rome" in session.watch_words, "the correction names it"
    for turn in session.all_turns:
        assert set(session.watch_words) <= turn.trace.lens[turn.first_step].watched.keys()


def test_a_run_keeps_its_models_proof_and_how_it_cuts_each_word() -> None:
    model, run = tiny(), run_of()
    assert run.parity is not None
    assert run.parity.n_checks == len(model.proof.checks)
    assert run.parity.largest_gap == max(check.gap for check in model.proof.checks)
    assert run.word_tokens.keys() == set(run.session.watch_words)
    assert "".join(run.word_tokens[WORD]).strip() == WORD
    assert run.n_bytes == sum(turn.trace.n_bytes for turn in run.session.all_turns)


def test_only_the_last_correction_is_controlled_and_only_where_that_is_wanted() -> None:
    said = (QUESTION, CORRECTION, "Sure?")
    run = ended(stream_same_conversation(tiny(), begun(tiny()), said, (), 1, True))
    assert list(run.session.controls) == [2]
    without = ended(stream_same_conversation(tiny(), begun(tiny()), said, (), 1, False))
    assert without.session.controls == {}


def test_it_tells_how_much_is_done() -> None:
    shares = list(stream_same_conversation(tiny(), begun(tiny()), (QUESTION, CORRECTION), (), 0, True))
    assert shares == sorted(shares)
    assert shares == pytest.approx([0.25, 0.5, 0.75])


def stopping_at(n: int) -> Callable[[], bool]:
    """Says stop from the n-th time on that it is asked."""
    asked = [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] >= n

    return stop


@pytest.mark.parametrize("n", [1, 4, 12])
def test_half_a_conversation_is_none(n: int) -> None:
    stream = stream_same_conversation(tiny(), begun(tiny()), (QUESTION, CORRECTION), (), 0, True, stopping_at(n))
    with pytest.raises(Cancelled):
        ended(stream)


def test_a_word_that_the_model_cannot_be_given_is_refused() -> None:
    with pytest.raises(lt.InputError):
        ended(stream_same_conversation(tiny(), begun(tiny()), (QUESTION,), ["\x00"]))
