"""Experiments on a correction, as jobs: shown part by part, and kept with the conversation as far as they have come."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from llm_tracker.app.work.admission import not_at_hand, refusal, too_long
from llm_tracker.app.work.background import submit_background
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.progress import Progress
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from llm_tracker.tracing.session import Session

EXPERIMENT = "experiment"
"""Where the workspace says why an experiment failed."""

PART_STAGES = {
    "hand_over": "Where the named word travels",
    "conditions": "The lead under every condition",
    "knock_out": "Which words did it",
    "heads": "Which heads carried it",
    "lens": "The lead through the layers",
    "attribution": "What each layer adds",
    "frozen_route": "What each word carries",
    "verdict": "Where “right” and “wrong” travel",
    "paraphrases": "Every condition in other words",
    "grid": "Every position by itself",
}


def experiment_on(turn: TurnRef) -> Subject:
    """What the correction of a turn did."""
    return Subject("experiment", turn)


def begin_experiment(
    engine: Engine,
    workspace: Workspace,
    turn: TurnRef,
    case: Case,
    only: Collection[str],
    begun: Experiment | None = None,
    window: Span | None = None,
) -> None:
    """Begin the parts of an experiment; with one that was `begun` they are added to it.

    `window` are the layers in which words are hidden.
    """

    def start() -> Job | None:
        session = workspace.sessions.get(turn.session)
        if session is None:
            return None
        if said := why_not(engine, workspace, session):
            workspace.errors[EXPERIMENT] = said
            return None
        workspace.errors.pop(EXPERIMENT, None)

        def work(job: Job) -> Experiment:
            from llm_tracker.experiments.run import stream_experiment

            model = engine.models.model(job.model_id, job.report)
            now = workspace.current(session, turn.session)
            shown = None
            steps = stream_experiment(model, now, turn.turn, case, only, stop=job.stopping, begun=begun, window=window)
            while True:
                try:
                    step = next(steps)
                except StopIteration as ended:
                    found: Experiment = ended.value
                    return found
                job.progress = Progress(PART_STAGES[step.part])
                job.has_done(step.share)
                if step.begins and step.found is not shown:  # whole parts: half a curve would be drawn twice
                    shown = step.found
                    job.has_found(shown)

        def keep(job: Job) -> None:
            _keep(workspace, turn, job.result)

        def fail(job: Job) -> None:
            if job.found is not None:
                _keep(workspace, turn, job.found)
            if job.status != "stopped":
                workspace.errors[EXPERIMENT] = job.error

        job = Job(
            "experiment",
            session.model.id,
            subject=experiment_on(turn),
            meanwhile=Meanwhile("On the Correction page: what the correction did …", is_drawn_by_view=True),
            keep=keep,
            fail=fail,
        )
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)


def why_not(engine: Engine, workspace: Workspace, session: Session) -> str:
    """Why no experiment can be made here and now; empty where one can."""
    if said := not_at_hand(engine, session):
        return f"This cannot be computed here: {said}"
    return too_long(engine, session) or refusal(engine, workspace, session.model.id)


def _keep(workspace: Workspace, turn: TurnRef, found: Experiment) -> None:
    """Keep an experiment with its conversation, as it is now."""
    from llm_tracker.experiments.values.records import with_experiment

    session = workspace.sessions.get(turn.session)
    if session is not None:
        workspace.keep_fuller(turn.session, with_experiment(session, found))
