"""Asks n times what the model read in a turn: how firmly it holds to its answer, and what else it would have said."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.lenses import require_step
from llm_tracker.progress import ended
from llm_tracker.tracing.provenance import require_same_weights
from llm_tracker.tracing.sampled import SampledAnswers
from llm_tracker.tracing.sampling import stream_samples
from llm_tracker.tracing.session import Session, require_unedited

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def stream_sample_answers(
    model: LoadedModel,
    session: Session,
    turn: int,
    n: int,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[int, None, SampledAnswers]:
    """Sample `n` answers to what the model read in a turn (from 0), yielding after every token how many have ended.

    Answer i has the seed `seed` + i; limits of tokens are the session's. The session stays as it is. Raises InputError
    for a turn that is not there, a number of answers outside of 1 to 1,024, settings that cannot be decoded with, and
    where the model has other weights than those that gave the answers; Cancelled where `stop` says so.
    """
    require_step(session, turn, 0)
    require_same_weights(model, session)
    require_unedited(session.turns[turn])
    decoding = replace(session.decoding, temperature=temperature, top_p=top_p, seed=seed)
    return (yield from stream_samples(model, session.turns[turn].prompt, decoding, n, stop))


def sample_answers(
    model: LoadedModel,
    session: Session,
    turn: int,
    n: int,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> SampledAnswers:
    """Sample `n` answers to what the model read in a turn (from 0), in one call: see `stream_sample_answers`.

    Answer i has the seed `seed` + i; limits of tokens are the session's. The session stays as it is. Raises InputError
    for a turn that is not there, a number of answers outside of 1 to 1,024, settings that cannot be decoded with, and
    where the model has other weights than those that gave the answers; Cancelled where `stop` says so.
    """
    return ended(stream_sample_answers(model, session, turn, n, temperature, top_p, seed, stop))
