"""What one visitor has on the screen, kept in the process so that a reloaded tab finds it again."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_tracker.app.jobs import Job

if TYPE_CHECKING:
    from llm_tracker.tracing.session import Session

MAX_WORKSPACES = 64
MAX_BYTES = 512 * 2**20
"""What the traces of all workspaces together may take."""


@dataclass(eq=False)
class Workspace:
    """One visitor's model, session and running job, under an unguessable key that the address carries.

    Several tabs may stand on one workspace; whoever comes first takes over a job's result.
    """

    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    model_id: str = ""
    """The model that was ready last."""
    wanted_id: str = ""
    """The model chosen in the sidebar."""
    recipe: str = "one-word"
    max_new_tokens: int = 16
    session: Session | None = None
    job: Job | None = None
    ask_error: str = ""
    correct_error: str = ""
    read_error: str = ""
    """Why a token's layers could not be read; cleared by the next question or correction."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def answering(self) -> bool:
        """Whether an answer is being written or waits to be."""
        job = self.job
        return job is not None and job.active and job.kind in ("ask", "correct")

    @property
    def n_bytes(self) -> int:
        """What its session's traces take."""
        session = self.session
        return sum(turn.trace.n_bytes for turn in session.turns) if session is not None else 0

    def begin(self, start: Callable[[Session | None], Job]) -> bool:
        """Take over what has ended, then start a job on the session in hand; False while an answer is under way.

        `start` is given the session. A click that comes twice, or from a second tab, starts nothing and loses nothing.
        """
        with self._lock:
            self.collect()
            if self.answering:
                return False
            self.ask_error = self.correct_error = self.read_error = ""
            self.job = start(self.session)
            return True

    def collect(self) -> bool:
        """Take over the result of a job that has ended; False where there is none."""
        with self._lock:
            job = self.job
            if job is None or job.active:
                return False
            self.job = None
            if job.status == "done":
                self.session = job.result
            elif job.kind == "correct":
                self.correct_error = job.error
            elif job.kind == "lens":
                self.read_error = job.error
            else:
                self.ask_error = job.error
            return True


class Workspaces:
    """The workspaces of this process; past a bound, the one that was used longest ago is let go."""

    def __init__(self, bound: int = MAX_WORKSPACES, bound_bytes: int = MAX_BYTES) -> None:
        self._bound = bound
        self._bound_bytes = bound_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Workspace] = OrderedDict()

    def at(self, key: str | None) -> Workspace:
        """The workspace of a key, or a new one (with a key of its own) where there is none."""
        with self._lock:
            workspace = self._kept.get(key or "") or Workspace()
            self._kept[workspace.key] = workspace
            self._kept.move_to_end(workspace.key)
            idle = [
                kept for kept in self._kept.values() if kept is not workspace and not (kept.job and kept.job.active)
            ]
            while idle and self._too_much():
                del self._kept[idle.pop(0).key]
            return workspace

    def _too_much(self) -> bool:
        return len(self._kept) > self._bound or sum(kept.n_bytes for kept in self._kept.values()) > self._bound_bytes
