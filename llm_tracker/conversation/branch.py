"""Sessions that begin where another one does: at its question on another model, or behind one of its answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.template_use import like
from llm_tracker.tracing.provenance import model_info, require_same_weights, versions
from llm_tracker.tracing.session import Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def begun_like(session: Session, model: LoadedModel) -> Session:
    """A session without a turn yet, with another's recipe and decoding, on this model."""
    template = like(model, session.recipe, session.template)
    begun = replace(session, turns=(), watch_words=(), controls={}, template=template, parent=None, experiments={})
    return replace(begun, model=model_info(model), versions=versions())


def up_to(session: Session, turn: int, model: LoadedModel) -> Session:
    """The session as it was when a turn had just been answered, with the record of the model that goes on.

    Raises InputError where that has other weights.
    """
    require_same_weights(model, session)
    controls = {at: control for at, control in session.controls.items() if at <= turn}
    turns, parent = session.turns[: turn + 1], session.parent
    return replace(
        session,
        turns=turns,
        controls=controls,
        model=model_info(model),
        versions=versions(),
        parent=parent if parent is not None and parent.turn <= turn else None,
        experiments={at: record for at, record in session.experiments.items() if at <= turn},
    )
