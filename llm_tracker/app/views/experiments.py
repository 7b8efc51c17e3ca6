"""The experiment on the correction that is looked at: what is kept of it, how far it has come, and what it lacks."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.parts.html import failure, paragraph, plain_label
from llm_tracker.app.parts.pictures import remembered
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work.causes.experiments import experiment_on
from llm_tracker.app.work.causes.fuller import shown_meanwhile
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.records import experiment_of
from llm_tracker.figures.correction.views import VIEWS, why_missing
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.session import Session

PART_SECONDS = 1.0
"""So seldom the page looks whether another part has come, once there is something to read."""

NOT_CORRECTED = later(
    "This answer has not been corrected yet. Correct it on the Ask page: then it is shown here what the correction did."
)
NOTHING_TO_DRAW = later("What was found has nothing in it for this view.")


def corrected_turn(comparison: Comparison) -> tuple[TurnRef, Session] | None:
    """The correction that is looked at: the later of the answers that follow on one."""
    both = list(zip(comparison.refs, comparison.sessions, strict=True))
    return next(((ref, session) for ref, session in reversed(both) if ref.turn > 0), None)


def case_of(session: Session, turn: int, right: str, other: str, more: str = "") -> Case:
    """The case of a correction, with its two words and the further wordings as they are typed.

    Other names of a word stand behind “|”, wordings one a line. Raises InputError for words that cannot be told apart.
    """
    answer, *answer_aliases = _words(right)
    foil, *foil_aliases = _words(other)
    before, own = session.turns[turn - 1], session.turns[turn]
    return Case(
        before.said,
        answer,
        foil,
        own.said.strip(),
        before.answer,
        tuple(answer_aliases),
        tuple(foil_aliases),
        tuple(line.strip() for line in more.splitlines() if line.strip()),
    )


def _words(text: str) -> list[str]:
    """A word and its aliases; one empty word of an empty text."""
    return [word for each in text.split("|") if (word := each.strip())] or [""]


def kept_experiment(session: Session, turn: TurnRef) -> Experiment | None:
    """The experiment that is kept of a correction; a record that cannot be read says why."""
    record = session.experiments.get(turn.turn)
    if record is None:
        return None
    try:
        return remembered("experiment", (record,), lambda: experiment_of(record))
    except InputError as error:
        failure(str(error))
        return None


def experiment_status(workspace: Workspace, turn: TurnRef, kept: Experiment | None) -> tuple[Experiment | None, bool]:
    """What there is to show, and whether more is coming; on the page how far it has come, or why it failed."""
    subject = experiment_on(turn)
    if error := workspace.errors.get(subject):
        failure(error)
    job = workspace.job
    with st.container(key="experiment status"):
        if job is None or not workspace.is_at_work_on(subject):
            return kept, False
        follow_job(job, partial(_how_far, job, job.n_found), PART_SECONDS if job.n_found else 0.0)
    return shown_meanwhile(job.found, kept), True


def _how_far(job: Job, n_drawn: int) -> None:
    """How far it has come, with a Stop; once more has come, the page is drawn anew."""
    if job.n_found != n_drawn:
        st.rerun()
    if job.status == "queued":
        paragraph(say("Waiting for the model …"), quiet=True)
    else:
        stage = job.progress.stage if job.progress is not None else say("Reading")
        st.progress(job.share, text=f"{plain_label(stage)} …")
    st.button(say("Stop"), key="stop experiment", on_click=job.stop, disabled=job.stopping())


def say_why_not(found: Experiment, view: str, is_running: bool) -> None:
    """Why a view of an experiment has no figure; `is_running`: more of it is coming."""
    part = getattr(found, VIEWS[view][0])
    if why := why_missing(found, view):
        paragraph(why)
    elif part is not None and part != ():
        paragraph(say(NOTHING_TO_DRAW))
    elif is_running:
        paragraph(say("Being computed …"), quiet=True)
    else:
        paragraph(say("This part was not run. Press the button above to find it out."), quiet=True)
