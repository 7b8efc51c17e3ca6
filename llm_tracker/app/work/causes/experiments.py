"""Experiments on a correction, as jobs: shown part by part, and kept with the conversation as far as they have come."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from llm_tracker.app.work.admission import not_at_hand, refusal, too_long
from llm_tracker.app.work.background import submit_background
from llm_tracker.app.work.causes.fuller import fuller, n_parts
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.progress import Progress
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from llm_tracker.tracing.session import Session

MOST_ALIASES = 10
"""Other names of a word that are scored: each is scored under every condition."""

MOST_WORDINGS = 20
"""Further wordings of a correction that are tried at once."""

PART_STAGES = {
    "hand_over": later("Where the named word travels"),
    "conditions": later("The lead under every condition"),
    "knock_out": later("Which words did it"),
    "heads": later("Which heads carried it"),
    "lens": later("The lead through the layers"),
    "attribution": later("What each layer adds"),
    "frozen_route": later("What each word carries"),
    "verdict": later("Where “right” and “wrong” travel"),
    "paraphrases": later("Every condition in other words"),
    "grid": later("Every position by itself"),
}


def experiment_on(turn: TurnRef) -> Subject:
    """What the correction of a turn did; under this the workspace says why it could not be found out."""
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
    subject = experiment_on(turn)
    workspace.errors.pop(subject, None)

    def start() -> Job | None:
        session = workspace.sessions.get(turn.session)
        if session is None:
            return None
        if said := too_many(case) or why_not(engine, workspace, session, _typed(case)):
            workspace.errors[subject] = said
            return None

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
                job.progress = Progress(say(PART_STAGES[step.part]))
                job.has_done(step.share)
                if step.begins and step.found is not shown:  # whole parts: half a curve would be drawn twice
                    shown = step.found
                    job.has_found(shown)

        def fail(job: Job) -> None:
            _keep_unfinished(workspace, turn, job.found)
            if job.status != "stopped":
                workspace.errors[subject] = job.error

        job = Job(
            "experiment",
            session.model.id,
            subject=subject,
            meanwhile=Meanwhile(say("What the correction did is being found out …"), is_drawn_by_view=True),
            keep=lambda job: _keep(workspace, turn, job.result),
            fail=fail,
        )
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)


def why_not(engine: Engine, workspace: Workspace, session: Session, typed: str = "") -> str:
    """Why no experiment can be made here and now of what was `typed`; empty where one can."""
    if said := not_at_hand(engine, session):
        return say("This cannot be computed here: {why}", why=said)
    return too_long(engine, session) or refusal(engine, workspace, session.model.id, typed)


def too_many(case: Case) -> str:
    """Why a case has more words or wordings than are tried at once; empty where it has not."""
    for several, said, most in (
        (case.answer_aliases, TOO_MANY_NAMES, MOST_ALIASES),
        (case.foil_aliases, TOO_MANY_NAMES_OF_THE_OTHER, MOST_ALIASES),
        (case.more, TOO_MANY_WORDINGS, MOST_WORDINGS),
    ):
        if len(several) > most:
            return say(said, n=number(len(several), ","), most=most)
    return ""


TOO_MANY_NAMES = later("There are {n} other names of the right word; at most {most} are taken. Leave some out.")
TOO_MANY_NAMES_OF_THE_OTHER = later(
    "There are {n} other names of the other word; at most {most} are taken. Leave some out."
)
TOO_MANY_WORDINGS = later("There are {n} further wordings; at most {most} are taken. Leave some out.")


def _typed(case: Case) -> str:
    """All that somebody typed of a case."""
    return "\n".join((*case.answers, *case.foils, *case.more))


def _keep(workspace: Workspace, turn: TurnRef, found: Experiment) -> None:
    """Keep an experiment with its conversation, as it is now."""
    from llm_tracker.experiments.values.records import with_experiment

    session = workspace.sessions.get(turn.session)
    if session is not None:
        workspace.keep_fuller(turn.session, with_experiment(session, found))


def _keep_unfinished(workspace: Workspace, turn: TurnRef, found: Experiment | None) -> None:
    """Keep what was found until it stopped, if any part is whole, and no fuller experiment is kept already."""
    from llm_tracker.experiments.values.records import experiment_of

    session = workspace.sessions.get(turn.session)
    if found is None or session is None or not n_parts(found):
        return
    record = session.experiments.get(turn.turn)
    try:
        kept = None if record is None else experiment_of(record)
    except InputError:  # of a later version: nobody can say that this one has more in it
        return
    if fuller(found, kept) is found:
        _keep(workspace, turn, found)
