"""The Correction page: what the correction did, against its controls, and where in the model."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.correction.case_form import case_form
from llm_tracker.app.correction.causes import words_view
from llm_tracker.app.correction.heads import heads_view, layers_view
from llm_tracker.app.correction.margins import margins_view
from llm_tracker.app.correction.paths import lens_view, paths_view
from llm_tracker.app.correction.shown import Shown
from llm_tracker.app.correction.try_it import try_it_view
from llm_tracker.app.parts.html import failure, paragraph, plain_label
from llm_tracker.app.parts.pictures import remembered
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.views.explored import explored
from llm_tracker.app.views.missing_work import background_status
from llm_tracker.app.work.causes.experiments import experiment_on
from llm_tracker.app.work.causes.fuller import shown_meanwhile
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.records import experiment_of
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.session import Session
from llm_tracker.wording.formats import quoted

LEAD = later(
    "The lead, on all of this page, is how far {answer} is ahead of {foil}: the logarithm of how many times as likely "
    "it is, in nats. 0: as likely; +1: 2.7 times as likely; below 0: {foil} is ahead. It is no probability."
)

PART_SECONDS = 1.0
"""So seldom the page looks whether another part has come, once there is something to read."""


def correction_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page."""
    explored(
        workspace,
        say("Correction"),
        say("What did the correction do, compared with merely asking again, and where in the model?"),
        partial(_page, engine, workspace),
    )


def _page(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    corrected = _corrected(comparison)
    with st.container():
        background_status(engine, workspace, comparison, None if corrected is None else experiment_on(corrected[0]))
    if corrected is None:
        paragraph(
            say(
                "This answer has not been corrected yet. Correct it on the Ask page: then this page shows what the "
                "correction did."
            )
        )
        return
    turn, session = corrected
    kept = _kept(session, turn)
    paragraph(say("The correction: {said}", said=quoted(session.turns[turn.turn].said)))
    with st.container(key="correction form"):
        case_form(engine, workspace, turn, session, kept)
    found, is_running = _status(workspace, turn, kept)
    if found is not None:
        paragraph(say(LEAD, answer=quoted(found.case.answer), foil=quoted(found.case.foil)), quiet=True)
        shown = Shown(engine, workspace, comparison, turn, session, found, is_running)
        for view in (paths_view, margins_view, lens_view, words_view, heads_view, layers_view):
            with st.container():  # a place of its own: what comes later moves no chart, which would be made anew
                view(shown)
    try_it_view(engine, workspace, comparison, turn, session)


def _corrected(comparison: Comparison) -> tuple[TurnRef, Session] | None:
    """The correction that is looked at: the later of the answers that follow on one."""
    both = list(zip(comparison.refs, comparison.sessions, strict=True))
    return next(((ref, session) for ref, session in reversed(both) if ref.turn > 0), None)


def _kept(session: Session, turn: TurnRef) -> Experiment | None:
    """The experiment that is kept of a correction; a record that cannot be read says why."""
    record = session.experiments.get(turn.turn)
    if record is None:
        return None
    try:
        return remembered("experiment", (record,), lambda: experiment_of(record))
    except InputError as error:
        failure(str(error))
        return None


def _status(workspace: Workspace, turn: TurnRef, kept: Experiment | None) -> tuple[Experiment | None, bool]:
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
