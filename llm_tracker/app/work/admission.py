"""Whether a visitor may begin something now: how long a text is, how much was begun, how many wait."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING

from streamlit.runtime import Runtime, exists, get_instance

from llm_tracker.app.work.workspace import Workspace

if TYPE_CHECKING:
    from llm_tracker.app.work.engine import Engine
    from llm_tracker.tracing.session import Session

GRACE_SECONDS = 5.0
"""How long a tab that has gone may take to be there again: a reload is no farewell."""


def refusal(engine: Engine, workspace: Workspace, model_id: str, text: str = "") -> str:
    """Why this cannot begin now, in a sentence or two; empty where it can, which is counted then."""
    limits = engine.limits
    if len(text) > limits.text:
        return f"This has {len(text):,} characters; at most {limits.text:,} are taken here. Say it in fewer words."
    if limits.waiting is not None and engine.models.worker(model_id).n_waiting >= limits.waiting:
        return f"Too many are waiting for this model now ({limits.waiting}). Try again in a minute."
    wait = engine.pace.seconds_to_wait(workspace.key) or engine.address_pace.seconds_to_wait(workspace.address)
    if wait:
        return (
            f"This host takes {limits.a_minute} questions a minute from each visitor. "
            f"The next one can be asked in {ceil(wait)} s."
        )
    return ""


def too_long(engine: Engine, session: Session) -> str:
    """Why a conversation cannot go on here; empty where it can."""
    most = engine.limits.prompt_tokens
    n_tokens = 0 if most is None else max(len(turn.prompt.token_ids) + turn.trace.n_steps for turn in session.turns)
    if most is None or n_tokens <= most:
        return ""
    return f"This conversation has {n_tokens:,} tokens; here it goes on up to {most:,}. Begin a new one."


def is_watched(workspace: Workspace) -> bool:
    """Whether a tab of this visitor is open, or was a moment ago."""
    now = time.monotonic()
    workspace.tabs = set(filter(_runtime_knows, tuple(workspace.tabs)))
    if workspace.tabs:
        workspace.seen_at = now
    return now - workspace.seen_at < GRACE_SECONDS


def _runtime_knows(tab: str) -> bool:
    runtime: Runtime | None = get_instance() if exists() else None
    return runtime is not None and runtime.is_active_session(tab)
