"""Steps that an answer has."""

from __future__ import annotations

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.tracing.trace import Trace


def require_step_of(trace: Trace, step: int) -> None:
    """Raise InputError for a step that is not there; they are counted from 0."""
    if not 0 <= step < trace.n_steps:
        raise InputError(
            say("There is no step {step}: this answer has steps 0 to {last}.", step=step, last=trace.n_steps - 1)
        )
