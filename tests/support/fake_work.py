"""Jobs without a model: an engine that runs nothing, sessions that hold no more than a workspace looks at."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.limits import OPEN, Pace
from llm_tracker.app.work.workspace import Workspace


def fake_session(n_bytes: int = 1, n_turns: int = 1) -> Any:
    """What a workspace needs of a session: turns with traces of a size, and controls."""
    turns = [SimpleNamespace(said="Why?", trace=SimpleNamespace(n_bytes=n_bytes, lens={})) for _ in range(n_turns)]
    return SimpleNamespace(
        turns=turns,
        all_turns=turns,
        controls={},
        watch_words=(),
        recipe="one-word",
        model=SimpleNamespace(id="m"),
        decoding=SimpleNamespace(max_new_tokens=16, max_thought_tokens=256),
        lacks_control=lambda _turn: True,
    )


class FakeEngine(Engine):
    """Takes jobs and never begins them: a test says how they end."""

    def __init__(self) -> None:
        self.models: Any = SimpleNamespace(loaded=lambda _model_id: object())
        self.limits, self.pace, self.address_pace = OPEN, Pace(None), Pace(None)

    def answering_id(self, workspace: Workspace) -> str:
        return "m"

    def submit(
        self,
        workspace: Workspace,
        job: Job,
        work: Callable[[Job], Any],
        afterwards: Callable[[], object] = lambda: None,
    ) -> Job:
        job.follow_up = lambda: None
        return job


def ended(
    workspace: Workspace, result: Any = None, status: str = "done", error: str = "", is_refused: bool = False
) -> None:
    """Let the workspace's job have ended."""
    assert workspace.job is not None
    job: Any = workspace.job
    job.result, job.status, job.error, job.is_refused = result, status, error, is_refused
