"""The workspaces of this process, and those of earlier ones as far as the store knows them."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

from llm_tracker.app.work.keeping.choices import with_choices
from llm_tracker.app.work.keeping.kept_sessions import KeptSessions
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import StoreError
from llm_tracker.storage.store.store import OWN_MACHINE
from llm_tracker.storage.store.visits import visit

MAX_WORKSPACES = 64
MAX_BYTES = 512 * 2**20
"""What the traces of all workspaces together may take."""

_KEY = re.compile(r"[\w-]{22}", re.ASCII)
"""What a key looks like; see `Workspace.key`."""


def own_machine(_key: str) -> str:
    """The owner of every workspace where nobody shares the app."""
    return OWN_MACHINE


class Workspaces:
    """The workspaces of this process; past a bound, the one that was used longest ago is let go."""

    def __init__(
        self,
        desk: StoreDesk | None = None,
        bound: int = MAX_WORKSPACES,
        bound_bytes: int = MAX_BYTES,
        most_sessions: int | None = None,
    ) -> None:
        self._most_sessions = most_sessions
        self.desk = desk or StoreDesk(None)
        self._bound = bound
        self._bound_bytes = bound_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Workspace] = OrderedDict()

    def at(self, key: str | None, owner_of: Callable[[str], str] = own_machine) -> Workspace:
        """The workspace of a key, or a new one (with a key of its own) where there is none, or another owner's.

        One that this process does not know is looked for in the store. `owner_of` tells whose the one of a key is.
        """
        with self._lock:
            workspace = self._kept.get(key or "")
        if workspace is None or workspace.owner != owner_of(workspace.key):
            workspace = self._of_earlier(key or "", owner_of) or self._begun(Workspace().key, owner_of)
        with self._lock:
            workspace = self._kept.setdefault(workspace.key, workspace)  # another tab may have been faster
            self._kept.move_to_end(workspace.key)
            idle = [
                kept for kept in self._kept.values() if kept is not workspace and not (kept.job and kept.job.active)
            ]
            idle.sort(key=lambda kept: kept.sessions.n_unsaved > 0)
            while idle and self._too_much():
                del self._kept[idle.pop(0).key]
            return workspace

    def _begun(self, key: str, owner_of: Callable[[str], str]) -> Workspace:
        owner = owner_of(key)
        return Workspace(key, owner, sessions=KeptSessions(self.desk, owner, most=self._most_sessions))

    def _of_earlier(self, key: str, owner_of: Callable[[str], str]) -> Workspace | None:
        """The workspace that an earlier process had under a key; an empty one where the store cannot say now."""
        if not self.desk.is_kept or not _KEY.fullmatch(key):
            return None
        workspace = self._begun(key, owner_of)
        try:
            if (store := workspace.sessions.store) is not None:
                state = visit(store.database, store.owner, key)
                return None if state is None else with_choices(workspace, state)
        except StoreError as error:
            workspace.sessions.trouble = str(error)
        return workspace

    def __iter__(self) -> Iterator[Workspace]:
        """Those that are kept, the one that was used longest ago first."""
        with self._lock:
            return iter(list(self._kept.values()))

    def _too_much(self) -> bool:
        return len(self._kept) > self._bound or sum(kept.n_bytes for kept in self._kept.values()) > self._bound_bytes
