"""The process's models, workers and workspaces: one of each, shared by all visitors."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import streamlit as st

from llm_tracker.app.jobs import Job, Worker
from llm_tracker.app.workspace import Workspace, Workspaces
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA
from llm_tracker.models.listing import is_local
from llm_tracker.models.loading import default_model_id, find_entry
from llm_tracker.models.pool import ModelPool, memory_limit_bytes

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

MEMORY_SHARE = 0.6
"""Of the memory that this process may use, the part that models may take."""


class Engine:
    """Hands work to the worker thread of the model that it needs. Pages talk to models only through here."""

    def __init__(self) -> None:
        self.pool = ModelPool(int(memory_limit_bytes() * MEMORY_SHARE))
        self.workspaces = Workspaces()
        self._lock = threading.Lock()
        self._workers: dict[str, Worker] = {}
        self._loads: dict[str, Job] = {}

    def worker(self, model_id: str) -> Worker:
        """The thread that owns a model."""
        with self._lock:
            if model_id not in self._workers:
                self._workers[model_id] = Worker(model_id)
            return self._workers[model_id]

    def loaded(self, model_id: str) -> LoadedModel | None:
        """The model if it is in memory."""
        return self.pool.peek(model_id)

    def load(self, model_id: str) -> Job:
        """Begin to load a model (and to download it, if it is not here), unless that is already under way."""
        worker = self.worker(model_id)
        with self._lock:
            under_way = self._loads.get(model_id)
            if under_way is not None and under_way.active:
                return under_way
            job = Job("load")
            self._loads[model_id] = job
        return worker.submit(job, lambda job: self.pool.model(model_id, report=job.report))

    def load_job(self, model_id: str) -> Job | None:
        """The last load of a model, running or ended."""
        return self._loads.get(model_id)

    def ask(self, workspace: Workspace, question: str) -> None:
        """Ask a new question in a new session, unless an answer is under way (a second click)."""
        if not workspace.answering:
            workspace.begin(self._converse(workspace.model_id, Job("ask", question), None, workspace.recipe))

    def correct(self, workspace: Workspace, correction: str) -> None:
        """Correct the last answer of the session in hand, on the model that gave it."""
        session = workspace.session
        if session is None:
            raise ValueError("a correction needs a session")
        if not workspace.answering:
            workspace.begin(self._converse(session.model.id, Job("correct", correction), session, session.recipe))

    def read_step(self, workspace: Workspace, turn: int, step: int) -> None:
        """Compute the lens of a step that a view asks for."""
        session = workspace.session
        if session is None:
            raise ValueError("a step needs a session")

        def work(_job: Job) -> Any:
            from llm_tracker.tracking import with_step_lens

            return with_step_lens(self.pool.model(session.model.id), session, turn, step)

        workspace.job = self.worker(session.model.id).submit(Job("lens"), work)

    def _converse(self, model_id: str, job: Job, session: Any, recipe: str) -> Job:
        def work(job: Job) -> Any:
            from llm_tracker.tracking import begin_session, stream_turn

            model = self.pool.model(model_id, report=job.report)
            job.progress = None
            turn = stream_turn(model, session or begin_session(model, recipe), job.said, job.stopping)
            while True:
                try:
                    job.text = next(turn).text
                except StopIteration as finished:
                    return finished.value

        return self.worker(model_id).submit(job, work)


@st.cache_resource(show_spinner=False)
def the_engine() -> Engine:
    """The one engine of this process."""
    return Engine()


def open_model(engine: Engine, workspace: Workspace) -> None:
    """Give a new workspace its model: the default one if it is here, else the built-in one, else a download."""
    if not workspace.model_id:
        workspace.model_id = workspace.wanted_id = _first_model_id()
    if engine.loaded(workspace.model_id) is None and engine.load_job(workspace.model_id) is None:
        engine.load(workspace.model_id)
    wanted = workspace.wanted_id
    if wanted != workspace.model_id and (engine.loaded(wanted) is not None or is_local(find_entry(wanted))):
        workspace.model_id = wanted
        if engine.loaded(wanted) is None:
            engine.load(wanted)


def _first_model_id() -> str:
    """The default model; where neither it nor the built-in one is here (a free host), the one to download."""
    default = default_model_id()
    return default if default != EMBEDDED.id or is_local(EMBEDDED) else TINYLLAMA.id
