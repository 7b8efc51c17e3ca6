"""The ways of ours that are timed: the product's own functions, called as page and command line call them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import llm_tracker as lt
from llm_tracker.progress import ended
from llm_tracker.tracing.decoding import decode
from llm_tracker.tracing.recorder import Recorder
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker import LoadedModel, Session, Trace, Turn

N_NEW = 12
"""New tokens of every timed answer."""


@contextlib.contextmanager
def endless(model: LoadedModel) -> Iterator[None]:
    """Within this context no token ends an answer, so that every answer has the same number of tokens."""
    generation, tokenizer = model.model.generation_config, model.tokenizer
    kept = (generation.eos_token_id, tokenizer.eos_token)
    generation.eos_token_id = tokenizer.eos_token = None
    try:
        yield
    finally:
        generation.eos_token_id, tokenizer.eos_token = kept


def answered(model: LoadedModel, ids: Sequence[int]) -> Session:
    """A session with one answer, as the app asks."""
    session = lt.begin_session(model, "raw", Decoding(max_new_tokens=N_NEW))
    return ended(lt.stream_turn(model, session, list(ids)))


def traced(model: LoadedModel, ids: Sequence[int]) -> list[int]:
    """An answer, and the three views of its answer word read back as frames; the tokens."""
    turn = answered(model, ids).turns[0]
    read_views(turn, turn.answer_step)
    return written(turn.trace)


def traced_whole(model: LoadedModel, ids: Sequence[int]) -> list[int]:
    """An answer, and the three views of every token read back as frames; the tokens."""
    turn = lt.with_all_lenses(model, answered(model, ids)).turns[0]
    for step in range(turn.trace.n_steps):
        read_views(turn, step)
    return written(turn.trace)


def read_views(turn: Turn, step: int) -> None:
    """The three views of a token as frames."""
    lt.candidates(turn.trace, step)
    lt.logit_lens(turn.trace, step)
    lt.attention_by_word(turn, step)


def captured(model: LoadedModel, ids: Sequence[int]) -> list[int]:
    """Our own decoding, recording; the tokens."""
    return _decoded(model, ids, Recorder(model))


def bare(model: LoadedModel, ids: Sequence[int]) -> list[int]:
    """Our own decoding, recording nothing; the tokens."""
    return _decoded(model, ids, _Nothing(model))


class _Nothing(Recorder):
    """Looks away."""

    def hooked(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    recording = hooked

    def end_step(self, length: int) -> None:
        del length


def _decoded(model: LoadedModel, ids: Sequence[int], recorder: Recorder) -> list[int]:
    return [step.token_id for step in decode(model, ids, Decoding(max_new_tokens=N_NEW), recorder)]


def written(trace: Trace) -> list[int]:
    """The token ids of an answer."""
    ids: list[int] = trace.token_ids.tolist()
    return ids
