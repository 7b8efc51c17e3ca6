"""Whether a visitor may begin something now: how long a text is, how much was begun, how many wait."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING

from streamlit.runtime import Runtime, exists, get_instance

from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import ModelError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.models.loading.listing import require_installed
from llm_tracker.settings import with_flags

if TYPE_CHECKING:
    from llm_tracker.app.work.engine import Engine
    from llm_tracker.tracing.session import Session

GRACE_SECONDS = 5.0
"""How long a tab that has gone may take to be there again: a reload is no farewell."""


def refusal(engine: Engine, workspace: Workspace, model_id: str, text: str = "") -> str:
    """Why this cannot begin now, in a sentence or two; empty where it can, which is counted then."""
    limits = engine.limits
    if len(text) > limits.text:
        return say(
            "This has {n} characters; at most {most} are taken here. Say it in fewer words.",
            n=number(len(text), ","),
            most=number(limits.text, ","),
        )
    if limits.waiting is not None and engine.models.worker(model_id).n_waiting >= limits.waiting:
        return say("Too many are waiting for this model now ({n}). Try again in a minute.", n=limits.waiting)
    return too_often(engine, workspace)


def not_at_hand(engine: Engine, session: Session) -> str:
    """Why a session's model cannot be used, where it is not on this machine or not offered here; else empty."""
    why = why_not_at_hand(engine, session.model.id)
    return why and say("its model is not here. {why}", why=why)


def why_not_at_hand(engine: Engine, model_id: str) -> str:
    """Why a model cannot be used without a download; empty where it can."""
    try:
        if _is_at_hand(engine, model_id):
            return ""
        entry = engine.models.entry(model_id)
        require_installed(entry)
    except ModelError as error:
        return with_flags(error)
    return say(
        "{model} is not on this machine. Choose it in the sidebar, where its download is offered.", model=entry.title
    )


def is_at_hand(engine: Engine, model_id: str) -> bool:
    """Whether a model can be used without a download."""
    try:
        return _is_at_hand(engine, model_id)
    except ModelError:
        return False


def _is_at_hand(engine: Engine, model_id: str) -> bool:
    return engine.models.loaded(model_id) is not None or engine.models.is_here(model_id)


def too_often(engine: Engine, workspace: Workspace) -> str:
    """Why nothing more can begin in this minute; empty where it can, which is counted then."""
    wait = engine.pace.seconds_to_wait(workspace.key) or engine.address_pace.seconds_to_wait(workspace.address)
    if not wait:
        return ""
    return say(
        "This host takes {n} questions a minute from each visitor. The next one can be asked in {seconds} s.",
        n=engine.limits.a_minute,
        seconds=ceil(wait),
    )


def too_long(engine: Engine, session: Session) -> str:
    """Why a conversation cannot go on here; empty where it can."""
    most = engine.limits.prompt_tokens
    n_tokens = 0 if most is None else max(len(turn.prompt.token_ids) + turn.trace.n_steps for turn in session.turns)
    if most is None or n_tokens <= most:
        return ""
    return say(
        "This conversation has {n} tokens; here it goes on up to {most}. Begin a new one.",
        n=number(n_tokens, ","),
        most=number(most, ","),
    )


def is_watched(workspace: Workspace) -> bool:
    """Whether a tab of this visitor is open, or was a moment ago."""
    now = time.monotonic()
    if has_open_tab(workspace):
        workspace.seen_at = now
    return now - workspace.seen_at < GRACE_SECONDS


def has_open_tab(workspace: Workspace) -> bool:
    """Whether a tab of this visitor is open now."""
    workspace.tabs -= {tab for tab in tuple(workspace.tabs) if not _runtime_knows(tab)}  # others may come meanwhile
    return bool(workspace.tabs)


def _runtime_knows(tab: str) -> bool:
    runtime: Runtime | None = get_instance() if exists() else None
    return runtime is not None and runtime.is_active_session(tab)
