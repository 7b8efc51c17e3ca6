"""What the History page does with kept conversations: each act in one place, its outcome said in a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import TrackerError

if TYPE_CHECKING:
    from llm_tracker.storage.store.store import Store
    from llm_tracker.storage.store.summaries import StoredSession

T = TypeVar("T")

HISTORY = "history"
"""Where the workspace says what failed here."""


def with_store(workspace: Workspace, act: Callable[[Store], T], otherwise: T) -> T:
    """Do something with the visitor's store; where that fails, say why in `errors` and go on with `otherwise`."""
    store = workspace.sessions.store
    if store is None:
        if workspace.sessions.trouble:
            workspace.errors[HISTORY] = workspace.sessions.trouble
        return otherwise
    try:
        return act(store)
    except TrackerError as error:
        workspace.errors[HISTORY] = str(error)
        return otherwise


def turns_to_open(stored: StoredSession) -> tuple[TurnRef, ...]:
    """What is shown of a conversation that is opened: its last two answers, or its only one."""
    last = stored.n_turns - 1
    return tuple(TurnRef(stored.id, turn) for turn in range(max(0, last - 1), last + 1))


def turns_to_compare(stored: Iterable[StoredSession]) -> tuple[TurnRef, ...]:
    """The last answers of two conversations."""
    return tuple(TurnRef(each.id, each.n_turns - 1) for each in stored)


def give_star(workspace: Workspace, store: Store, session_id: int, starred: bool) -> None:
    """Give a conversation its star, or take it away. Raises InputError where no more may have one, StoreError."""
    most = workspace.sessions.most
    if starred and most is not None:
        most.require_room_for_star(store)
    store.describe(session_id, starred=starred)


CUT_OFF_SECONDS = 20.0
"""How long what was found is not looked for again: pages are drawn far more often than processes end."""


def cut_off(workspace: Workspace) -> list[StoredSession]:
    """Questions that were being answered by a process that has ended, the newest first."""
    now = time.monotonic()
    if now - workspace.looked_for_cut_off >= CUT_OFF_SECONDS:
        workspace.looked_for_cut_off = now
        workspace.cut_off = with_store(workspace, lambda store: store.cut_off(), [])
    return [each for each in workspace.cut_off if each.id not in workspace.sessions.given_up]


def delete(workspace: Workspace, ids: tuple[int, ...]) -> int:
    """Delete conversations, so that they can be brought back; how many there were."""
    n = with_store(workspace, lambda store: store.delete(*ids), 0)
    if n:
        workspace.let_go(ids)
    return n
