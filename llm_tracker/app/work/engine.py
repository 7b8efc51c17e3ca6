"""The process's models, workers and workspaces: one of each, shared by all visitors."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import streamlit as st

from llm_tracker.app.work.admission import is_watched
from llm_tracker.app.work.jobs import Job, Work
from llm_tracker.app.work.keeping.store_desk import StoreDesk
from llm_tracker.app.work.limits import OPEN, PUBLIC, VISITORS_AT_AN_ADDRESS, Pace, limits_of
from llm_tracker.app.work.model_desk import ModelDesk
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.app.work.workspaces import Workspaces
from llm_tracker.errors import ModelError, ModelRefusedError, TrackerError
from llm_tracker.languages.texts import say
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA
from llm_tracker.models.loading.listing import is_local
from llm_tracker.models.loading.load import load
from llm_tracker.models.loading.pool import Load
from llm_tracker.models.loading.resolve import default_model_id, find_entry
from llm_tracker.models.memory.heap import return_freed_memory
from llm_tracker.quiet import quiet_process
from llm_tracker.settings import STORE, Settings, is_public


class Engine:
    """Hands work to the worker thread of the model that it needs. Pages talk to models only through here.

    `load` reads a model, in tests another one than `models.loading.load`; `first_model_id` is what a new visitor begins
    with, in place of the one that is chosen by what is on this machine. `desk` has the store of sessions.
    """

    def __init__(self, load: Load = load, first_model_id: str = "", desk: StoreDesk | None = None) -> None:
        quiet_process()
        return_freed_memory()
        settings, self.settings_error = _settings()
        self.models = ModelDesk(settings, load)
        self.settings = self.models.settings
        self.limits = limits_of(settings.limits, PUBLIC if settings.public else OPEN)
        a_minute = self.limits.a_minute
        self.pace = Pace(a_minute)
        self.address_pace = Pace(a_minute and a_minute * VISITORS_AT_AN_ADDRESS)
        self.workspaces = Workspaces(desk, most=self.limits.most_kept)
        self._first_model_id = first_model_id

    def first_model_id(self) -> str:
        """What a new visitor begins with: what the app was started with, else the default model.

        Where neither that nor the built-in one is here (a free host), it is the one to download.
        """
        if self.settings.model or self._first_model_id:
            return self.settings.model or self._first_model_id
        if self.models.offered is not None:
            here = [model_id for model_id in self.models.offered if self.models.is_here(model_id)]
            return [*here, *self.models.offered][0]
        default = default_model_id()
        return default if default != EMBEDDED.id or is_local(EMBEDDED) else TINYLLAMA.id

    def answering_id(self, workspace: Workspace) -> str:
        """Which model a question goes to: the chosen one if it is here and not known to fail, else the last ready."""
        wanted = workspace.wanted_id
        if self.models.loaded(wanted) is not None:
            return wanted
        last = self.models.load_job(wanted)
        failed = last is not None and last.status in ("failed", "stopped")
        return wanted if self.models.is_here(wanted) and not failed else workspace.model_id

    def submit(
        self, workspace: Workspace, job: Job, work: Work, afterwards: Callable[[], object] = lambda: None
    ) -> Job:
        """Queue a job whose result the workspace takes over at its end.

        The worker's thread sees to that where no page is faster: answers arrive, and their controls follow, also when
        no page looks. `afterwards` needs the model's thread, and nobody waits for it.
        """

        def go_on() -> None:
            workspace.collect()
            afterwards()

        job.visitor = workspace.key
        if self.settings.public:  # else an answer comes also when no page looks
            job.is_wanted = partial(is_watched, workspace)
        return self.models.worker(job.model_id).submit(job, work, go_on)


def _settings() -> tuple[Settings, str]:
    """What the app was started with, and why it cannot be run so; empty where it can."""
    try:
        settings = Settings.of_environment()
        for name in (*filter(None, [settings.model]), *settings.models):
            if find_entry(name).source in ("directory", "gguf") and settings.public:
                raise ModelRefusedError(say("“{name}” is a path of this machine: a shared host loads none.", name=name))
        limits_of(settings.limits, OPEN)
    except TrackerError as error:
        said = say("The app was started as if no LLM_TRACKER_ variable had been set, but LLM_TRACKER_PUBLIC.")
        return Settings(public=is_public()), f"{error} {said}"
    return settings, ""


@st.cache_resource(show_spinner=False)
def the_engine(_engine: Engine | None = None) -> Engine:
    """The one engine of this process: the first one that was handed in, else one made now."""
    return _engine or Engine(desk=StoreDesk.of_address(os.environ.get(STORE) or _secret(STORE), not is_public()))


def _secret(name: str) -> str | None:
    """A setting that stands among the app's secrets, for hosts that have no other place for one."""
    try:
        found = st.secrets.get(name)
    except FileNotFoundError:  # there are none
        return None
    return None if found is None else str(found)


def choose_model(engine: Engine, workspace: Workspace) -> None:
    """Give a new workspace its model: the default one if it is here, else the built-in one, else one to download.

    A model chosen since takes over once it is ready, and a refused one never does.
    """
    if not workspace.model_id or not is_known(engine, workspace.wanted_id):
        workspace.model_id = workspace.wanted_id = engine.first_model_id()
    if engine.models.loaded(workspace.wanted_id) is not None:
        workspace.model_id = workspace.wanted_id


def is_known(engine: Engine, model_id: str) -> bool:
    """Whether there is such a model: one that was chosen days ago may have been a directory that is gone."""
    try:
        engine.models.entry(model_id)
    except ModelError:
        return False
    return True


def should_load(engine: Engine, workspace: Workspace) -> bool:
    """Whether the chosen model is to be loaded unasked: it is here, or there is no other one to begin with."""
    wanted = workspace.wanted_id
    return engine.models.must_load(wanted) and (engine.models.is_here(wanted) or wanted == workspace.model_id)
