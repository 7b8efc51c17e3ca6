"""Answers with one thing changed, as jobs: each becomes a conversation of its own, beside the untouched one."""

from __future__ import annotations

from dataclasses import dataclass

from llm_tracker.app.work.background import submit_background
from llm_tracker.app.work.causes.experiments import why_not
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.progress import ended
from llm_tracker.tracing.edit import Edit
from llm_tracker.tracing.session import Session

EDITED = "edit"


@dataclass(frozen=True)
class Change:
    """What is changed: something in the model, or what is said in the correction's place."""

    edit: Edit | None = None
    said: str | None = None


def edit_of(turn: TurnRef, change: Change) -> Subject:
    """The answer of a turn with one thing changed."""
    return Subject(EDITED, turn, (change,))


def edits_on(turn: TurnRef) -> Subject:
    """All answers of a turn with one thing changed: under this the workspace says why the last one failed."""
    return Subject(EDITED, turn)


def edits(workspace: Workspace, turn: TurnRef) -> dict[Change, TurnRef]:
    """The edited answers of a turn that are kept, the newest first."""
    found = [
        (subject, kept)
        for subject, kept in workspace.computed.items()
        if subject.kind == EDITED and subject.turn == turn and workspace.has_turn(kept)
    ]
    return {subject.details[0]: kept for subject, kept in reversed(found)}


def begin_edit(engine: Engine, workspace: Workspace, subject: Subject) -> None:
    """Let the correction be answered again with one thing changed."""
    change: Change = subject.details[0]
    place = edits_on(subject.turn)
    workspace.errors.pop(place, None)

    def start() -> Job | None:
        session = workspace.sessions.get(subject.turn.session)
        if session is None:
            return None
        if said := why_not(engine, workspace, session, change.said or ""):
            workspace.errors[place] = said
            return None

        def work(job: Job) -> Session:
            from llm_tracker.experiments.edited_answers import stream_edited

            model = engine.models.model(job.model_id, job.report)
            job.progress = None
            now = workspace.current(session, subject.turn.session)
            stream = stream_edited(model, now, subject.turn.turn, change.edit, change.said, job.stopping)
            return ended(stream, lambda event: job.has_written(event.text))

        def fail(job: Job) -> None:
            if job.status != "stopped":
                workspace.errors[place] = job.error

        job = Job(
            EDITED,
            session.model.id,
            subject=subject,
            meanwhile=Meanwhile(
                say("The correction is answered again, with one thing changed …"), is_drawn_by_view=True
            ),
            keep=lambda job: workspace.keep_branch(subject, job.result),
            fail=fail,
        )
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)
