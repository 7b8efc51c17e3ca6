"""The process's models, workers and workspaces: one of each, shared by all visitors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from llm_tracker.app.work.jobs import Job, Work
from llm_tracker.app.work.model_desk import ModelDesk
from llm_tracker.app.work.workspace import EXAMPLE, Place, Workspace, Workspaces
from llm_tracker.errors import ModelError
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA
from llm_tracker.models.loading.listing import is_local
from llm_tracker.models.loading.load import require_dtype
from llm_tracker.models.loading.resolve import default_model_id, find_entry
from llm_tracker.models.memory.heap import return_freed_memory
from llm_tracker.progress import ended
from llm_tracker.settings import Settings
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker.analysis.lens.position_lens import PositionLens
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.tracing.session import Session


class Engine:
    """Hands work to the worker thread of the model that it needs. Pages talk to models only through here."""

    def __init__(self) -> None:
        return_freed_memory()
        self.settings = Settings.of_environment()
        self.settings_error = _refusal(self.settings)
        if self.settings_error:
            self.settings = Settings()
        self.models = ModelDesk(self.settings)
        self.settings = self.models.settings
        self.workspaces = Workspaces()

    def ask(self, workspace: Workspace, question: str) -> None:
        """Ask a new question in a new session, of the model chosen in the sidebar as soon as that can answer."""
        model_id, recipe = self.answering_id(workspace), workspace.recipe
        decoding = Decoding(max_new_tokens=workspace.max_new_tokens)

        def begin(model: LoadedModel) -> Session:
            from llm_tracker.conversation.tracking import begin_session

            return begin_session(model, recipe, decoding)

        def start() -> Job:
            job = Job(
                "ask", model_id, question, session=workspace.free_number(), max_new_tokens=decoding.max_new_tokens
            )
            return self._converse(workspace, job, begin)

        workspace.begin(start)

    def ask_same(self, workspace: Workspace, number: int) -> None:
        """Ask the chosen model what a session began with, in the same way; the two first answers then stand beside."""

        def start() -> Job:
            session = workspace.sessions[number]
            job = Job(
                "ask",
                workspace.model_id,
                session.turns[0].said,
                session=workspace.free_number(),
                beside=number,
                max_new_tokens=session.decoding.max_new_tokens,
            )
            return self._converse(workspace, job, lambda model: _begun_like(session, model))

        if number in workspace.sessions:
            workspace.begin(start)
        else:
            workspace.ask_error = "That question is not kept any more. Type it again, then press Ask."

    def correct(self, workspace: Workspace, place: Place, correction: str) -> None:
        """Correct an answer on the model that gave it: a session goes on, or branches where it had gone on already."""

        def start() -> Job:
            session = workspace.sessions[place.session]
            goes_on = place.turn == len(session.turns) - 1 and place.session != EXAMPLE
            job = Job(
                "correct",
                session.model.id,
                correction,
                session=place.session if goes_on else workspace.free_number(),
                turn=place.turn + 1,
                max_new_tokens=session.decoding.max_new_tokens,
            )
            return self._converse(
                workspace, job, lambda model: _up_to(workspace.current(session, place.session), place.turn, model)
            )

        if place.session in workspace.sessions:
            workspace.begin(start)
        else:
            workspace.correct_error = "That answer is not kept any more. Ask its question again, then correct it."

    def run_control(self, workspace: Workspace) -> None:
        """Begin the control of the correction that is shown, where it is wanted, missing, and was not stopped."""

        def start() -> Job | None:
            after = workspace.shown[1] if workspace.shown is not None else None
            if not workspace.control or workspace.read_error or after is None or after in workspace.stopped_controls:
                return None
            session = workspace.sessions[after.session]
            if not session.lacks_control(after.turn):
                return None

            def work(job: Job) -> Session:
                from llm_tracker.conversation.tracking import stream_control

                model, now = self.models.model(job.model_id), workspace.current(session, after.session)
                return ended(stream_control(model, now, after.turn, job.stopping), job.wrote)

            job = Job("control", session.model.id, session=after.session, turn=after.turn)
            return self._submit(workspace, job, work)

        workspace.begin_background(start)

    def read_step(self, workspace: Workspace, place: Place, step: int) -> None:
        """Compute the lens of a step, if it is missing, as a view asks for it."""

        def start() -> Job | None:
            session = workspace.sessions[place.session]
            if step in session.turns[place.turn].trace.lens:
                return None

            def work(job: Job) -> Session:
                from llm_tracker.conversation.tracking import with_step_lens

                model = self.models.model(job.model_id)
                return with_step_lens(model, workspace.current(session, place.session), place.turn, step)

            job = Job("lens", session.model.id, session=place.session, turn=place.turn)
            return self._submit(workspace, job, work)

        workspace.begin_background(start)

    def follow(self, workspace: Workspace, number: int, word: str) -> None:
        """Follow a further word through all turns of a session, unless it is followed already."""

        def start() -> Job | None:
            session = workspace.sessions[number]
            if word in session.watch_words:
                return None

            def work(job: Job) -> Session:
                from llm_tracker.conversation.tracking import with_watch_word

                model = self.models.model(job.model_id)
                return with_watch_word(model, workspace.current(session, number), word)

            return self._submit(workspace, Job("words", session.model.id, session=number, word=word), work)

        workspace.begin_background(start)

    def read_positions(self, workspace: Workspace, place: Place) -> None:
        """Begin the lens of all layers at all positions of a turn, as a view asks for it."""

        def start() -> Job:
            session = workspace.sessions[place.session]

            def work(job: Job) -> PositionLens:
                from llm_tracker.analysis.lens.position_tables import stream_position_lens
                from llm_tracker.conversation.tracking import require_same_weights

                model = self.models.model(job.model_id, job.report)
                job.progress = None
                require_same_weights(model, session)
                turn, words = session.turns[place.turn], session.watch_words
                return ended(stream_position_lens(model, turn, words, job.stopping), job.has_read)

            job = Job("positions", session.model.id, session=place.session, turn=place.turn)
            return self._submit(workspace, job, work)

        workspace.begin_background(start)

    def answering_id(self, workspace: Workspace) -> str:
        """Which model a question goes to: the chosen one if it is here and not known to fail, else the last ready."""
        wanted = workspace.wanted_id
        if self.models.loaded(wanted) is not None:
            return wanted
        last = self.models.load_job(wanted)
        failed = last is not None and last.status in ("failed", "stopped")
        return wanted if self.models.is_here(wanted) and not failed else workspace.model_id

    def _converse(self, workspace: Workspace, job: Job, session_for: Callable[[LoadedModel], Session]) -> Job:
        def work(job: Job) -> Session:
            from llm_tracker.conversation.tracking import stream_turn

            model = self.models.model(job.model_id, job.report)
            job.progress = None
            return ended(stream_turn(model, session_for(model), job.said, job.stopping), job.wrote)

        return self._submit(workspace, job, work)

    def _submit(self, workspace: Workspace, job: Job, work: Work) -> Job:
        """Queue a job whose result the workspace takes over at its end, and then what that calls for."""

        def then() -> None:
            workspace.collect()
            self._read_first(workspace, job)
            self.run_control(workspace)

        return self.models.worker(job.model_id).submit(job, work, then)

    def _read_first(self, workspace: Workspace, asked: Job) -> None:
        """Read the lens of a first answer's first position, where it will be compared with other answers.

        The answer is on the screen already; once another one is asked for, this model may have had to make room.
        """
        model = self.models.loaded(asked.model_id)
        if asked.kind == "ask" and asked.status == "done" and model is not None:
            from llm_tracker.conversation.tracking import with_step_lens

            session = asked.result
            workspace.replace(asked.session, session, with_step_lens(model, session, 0, 0))


def _refusal(settings: Settings) -> str:
    """Why the app cannot be run as it was started; empty where it can."""
    try:
        require_dtype(settings.dtype)
        if settings.model:
            find_entry(settings.model)
    except ModelError as error:
        return f"{error} The app was started without it."
    return ""


def _begun_like(session: Session, model: LoadedModel) -> Session:
    """A session without a turn yet, with another's recipe and decoding, on this model."""
    from llm_tracker.conversation.tracking import model_info, versions

    return replace(session, model=model_info(model), turns=(), watch_words=(), versions=versions(), controls={})


def _up_to(session: Session, turn: int, model: LoadedModel) -> Session:
    """The session as it was when a turn had just been answered, with the record of the model that goes on.

    Raises InputError where that has other weights.
    """
    from llm_tracker.conversation.tracking import model_info, require_same_weights, versions

    require_same_weights(model, session)
    controls = {at: control for at, control in session.controls.items() if at <= turn}
    turns = session.turns[: turn + 1]
    return replace(session, turns=turns, controls=controls, model=model_info(model), versions=versions())


@st.cache_resource(show_spinner=False)
def the_engine() -> Engine:
    """The one engine of this process."""
    return Engine()


def choose_model(engine: Engine, workspace: Workspace) -> None:
    """Give a new workspace its model: the default one if it is here, else the built-in one, else one to download.

    A model chosen since takes over once it is ready, and a refused one never does.
    """
    if not workspace.model_id:
        workspace.model_id = workspace.wanted_id = engine.settings.model or _first_model_id()
    if engine.models.loaded(workspace.wanted_id) is not None:
        workspace.model_id = workspace.wanted_id


def should_load(engine: Engine, workspace: Workspace) -> bool:
    """Whether the chosen model is to be loaded unasked: it is here, or there is no other one to begin with."""
    wanted = workspace.wanted_id
    return engine.models.must_load(wanted) and (engine.models.is_here(wanted) or wanted == workspace.model_id)


def _first_model_id() -> str:
    """The default model; where neither it nor the built-in one is here (a free host), the one to download."""
    default = default_model_id()
    return default if default != EMBEDDED.id or is_local(EMBEDDED) else TINYLLAMA.id
