"""What one visitor has on the screen, kept in the process so that a reloaded tab finds it again."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_tracker.app.jobs import Job

if TYPE_CHECKING:
    from llm_tracker.tracing.session import Session

MAX_WORKSPACES = 64


@dataclass(eq=False)
class Workspace:
    """One visitor's model, session and running job, under an unguessable key that the address carries."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    model_id: str = ""
    """The model that answers; it changes only once the chosen one is ready."""
    wanted_id: str = ""
    """The model chosen in the sidebar."""
    recipe: str = "one-word"
    session: Session | None = None
    job: Job | None = None
    ask_error: str = ""
    correct_error: str = ""
    read_error: str = ""
    """Why a token's layers could not be read; cleared by the next question or correction."""

    @property
    def answering(self) -> bool:
        """Whether an answer is being written or waits to be."""
        return self.job is not None and self.job.active and self.job.kind in ("ask", "correct")

    def begin(self, job: Job) -> None:
        """Let a new job be this workspace's, and forget what went wrong before."""
        self.ask_error = self.correct_error = self.read_error = ""
        self.job = job

    def collect(self) -> bool:
        """Take over the result of a job that has ended; False where there is none."""
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

    def __init__(self, bound: int = MAX_WORKSPACES) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Workspace] = OrderedDict()

    def at(self, key: str | None) -> Workspace:
        """The workspace of a key, or a new one (with a key of its own) where there is none."""
        with self._lock:
            workspace = self._kept.get(key or "") or Workspace()
            self._kept[workspace.key] = workspace
            self._kept.move_to_end(workspace.key)
            idle = [kept for kept in self._kept.values() if not (kept.job and kept.job.active)]
            for old in idle[: max(0, len(self._kept) - self._bound)]:
                if old is not workspace:
                    del self._kept[old.key]
            return workspace
