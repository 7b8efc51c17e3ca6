"""The workspaces of this process, and those of earlier ones as far as the store knows them."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

from llm_tracker.app.work.admission import has_open_tab
from llm_tracker.app.work.keeping.choices import with_choices, with_own_ways
from llm_tracker.app.work.keeping.kept_sessions import KeptSessions
from llm_tracker.app.work.keeping.most_kept import MostKept
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import StoreError
from llm_tracker.storage.store.store import OWN_MACHINE
from llm_tracker.storage.store.visits import latest_visit, visit

MAX_WORKSPACES = 64
MAX_BYTES = 512 * 2**20
"""What the traces of all workspaces together may take."""

_KEY = re.compile(r"[\w-]{22}", re.ASCII)
"""What a key looks like; see `Workspace.key`."""


def own_machine(_key: str) -> str:
    """The owner of every workspace where nobody shares the app."""
    return OWN_MACHINE


class Workspaces:
    """The workspaces of this process; past a bound, the one that was used longest ago, and no tab shows, is let go."""

    def __init__(
        self,
        desk: StoreDesk | None = None,
        bound: int = MAX_WORKSPACES,
        bound_bytes: int = MAX_BYTES,
        most: MostKept | None = None,
    ) -> None:
        self._most = most
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
            workspace = self._of_earlier(key or "", owner_of) or self._new(owner_of)
        with self._lock:
            kept = self._kept.setdefault(workspace.key, workspace)  # another tab may have been faster
            if kept.owner != workspace.owner:  # the key is somebody else's
                kept = self._begun(Workspace().key, owner_of)
                self._kept[kept.key] = kept
            self._kept.move_to_end(kept.key)
            gone = list(self._let_go(kept))
            left = [each for each in self._kept.values() if each is not kept]
        # Outside of the lock, for which everybody waits: both may wait for the store.
        for each in gone:
            each.sessions.save_all()
        for each in left:
            if not self._are_too_large():
                break
            each.let_go_unseen()
        return kept

    def _let_go(self, used: Workspace) -> Iterator[Workspace]:
        """Let those go that were used longest ago and no tab shows, where there are too many."""
        idle = [each for each in self._kept.values() if each is not used and not (each.job and each.job.active)]
        idle.sort(key=lambda each: each.sessions.n_unsaved > 0)
        for each in (each for each in idle if not has_open_tab(each)):
            if not self._too_much():
                return
            yield self._kept.pop(each.key)

    def _begun(self, key: str, owner_of: Callable[[str], str]) -> Workspace:
        owner = owner_of(key)
        return Workspace(key, owner, sessions=KeptSessions(self.desk, owner, most=self._most))

    def _new(self, owner_of: Callable[[str], str]) -> Workspace:
        """A new workspace, in which somebody who was here before need not choose their language again."""
        workspace = self._begun(Workspace().key, owner_of)
        try:
            store = workspace.sessions.store
            state = None if store is None else latest_visit(store.database, workspace.owner)
        except StoreError as error:
            workspace.sessions.trouble = str(error)
            return workspace
        return workspace if state is None else with_own_ways(workspace, state)

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
        return len(self._kept) > self._bound or self._are_too_large()

    def _are_too_large(self) -> bool:
        return sum(kept.n_bytes for kept in list(self._kept.values())) > self._bound_bytes
