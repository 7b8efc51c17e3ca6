"""The process's models, workers and workspaces: one of each, shared by all visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from llm_tracker.app.jobs import Job, Worker
from llm_tracker.app.workspace import Workspace, Workspaces
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA
from llm_tracker.models.listing import is_local
from llm_tracker.models.loading import default_model_id, find_entry
from llm_tracker.models.pool import ModelPool, memory_limit_bytes
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel
    from llm_tracker.tracing.session import Session

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
            job = Job("load", model_id)
            self._loads[model_id] = job

        def work(job: Job) -> None:  # the pool keeps the model; a job that did too would keep it for ever
            self.pool.model(model_id, report=job.report)

        return worker.submit(job, work)

    def load_job(self, model_id: str) -> Job | None:
        """The last load of a model, running or ended."""
        return self._loads.get(model_id)

    def must_load(self, model_id: str) -> bool:
        """Whether a model is neither in memory, nor on its way, nor known to fail (it may have been let go since)."""
        last = self.load_job(model_id)
        return self.loaded(model_id) is None and (last is None or last.status == "done")

    def ask(self, workspace: Workspace, question: str) -> None:
        """Ask a new question in a new session, of the model chosen in the sidebar as soon as that can answer."""
        model_id, recipe = self._answering_id(workspace), workspace.recipe
        decoding = Decoding(max_new_tokens=workspace.max_new_tokens)

        def begin(model: LoadedModel) -> Session:
            from llm_tracker.tracking import begin_session

            return begin_session(model, recipe, decoding)

        workspace.begin(lambda _session: self._converse(Job("ask", model_id, question), begin))

    def correct(self, workspace: Workspace, correction: str) -> None:
        """Correct the last answer of the session in hand, on the model that gave it."""

        def start(session: Session | None) -> Job:
            if session is None:
                raise ValueError("a correction needs a session")
            return self._converse(Job("correct", session.model.id, correction), lambda _model: session)

        workspace.begin(start)

    def read_step(self, workspace: Workspace, turn: int, step: int) -> None:
        """Compute the lens of a step that a view asks for."""

        def start(session: Session | None) -> Job:
            if session is None:
                raise ValueError("a step needs a session")

            def work(_job: Job) -> Session:
                from llm_tracker.tracking import with_step_lens

                return with_step_lens(self.pool.model(session.model.id), session, turn, step)

            return self.worker(session.model.id).submit(Job("lens", session.model.id), work)

        workspace.begin(start)

    def _answering_id(self, workspace: Workspace) -> str:
        """The chosen model if it is here and not known to fail, else the one that was ready last."""
        wanted = workspace.wanted_id
        last = self.load_job(wanted)
        failed = last is not None and last.status in ("failed", "stopped")
        here = self.loaded(wanted) is not None or is_local(find_entry(wanted))
        return wanted if here and not failed else workspace.model_id

    def _converse(self, job: Job, session_for: Callable[[LoadedModel], Session]) -> Job:
        def work(job: Job) -> Session:
            from llm_tracker.tracking import stream_turn

            model = self.pool.model(job.model_id, report=job.report)
            job.progress = None
            turn = stream_turn(model, session_for(model), job.said, job.stopping)
            while True:
                try:
                    job.text = next(turn).text
                except StopIteration as finished:
                    session: Session = finished.value
                    return session

        return self.worker(job.model_id).submit(job, work)


@st.cache_resource(show_spinner=False)
def the_engine() -> Engine:
    """The one engine of this process."""
    return Engine()


def open_model(engine: Engine, workspace: Workspace) -> None:
    """Give a new workspace its model: the default one if it is here, else the built-in one, else a download.

    A model chosen since is loaded when it is here; it takes over once it is ready, and a refused one never does.
    """
    if not workspace.model_id:
        workspace.model_id = workspace.wanted_id = _first_model_id()
        if engine.must_load(workspace.model_id):
            engine.load(workspace.model_id)
    wanted = workspace.wanted_id
    if engine.loaded(wanted) is not None:
        workspace.model_id = wanted
    elif engine.must_load(wanted) and is_local(find_entry(wanted)):
        engine.load(wanted)


def _first_model_id() -> str:
    """The default model; where neither it nor the built-in one is here (a free host), the one to download."""
    default = default_model_id()
    return default if default != EMBEDDED.id or is_local(EMBEDDED) else TINYLLAMA.id
