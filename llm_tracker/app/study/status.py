"""How far a study has come, with a Stop and the time left; or where it stopped, with the button that goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import streamlit as st

from llm_tracker.app.frame.model_facts import stage_text
from llm_tracker.app.frame.model_picker import told_apart
from llm_tracker.app.parts.html import failure, paragraph, plain_label
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.study.times import about
from llm_tracker.app.views.on_demand import begin_or_say, waiting
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.studying.running import STUDY, begun_elsewhere, go_on, kept_study, shown_study, take_over
from llm_tracker.app.work.studying.so_far import StudySoFar
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.formats import listed

LOOK_SECONDS = 0.5
"""How often the page looks how far it has come: each look takes a moment from the model."""


def others_status(workspace: Workspace) -> None:
    """What else is under way for this visitor: the study waits for it, and begins once it has ended."""
    job = workspace.job
    if job is None or not job.active or job.meanwhile is None or workspace.is_at_work_on(STUDY):
        return
    follow_job(job, partial(paragraph, job.meanwhile.text, quiet=True))


def study_status(engine: Engine, workspace: Workspace, begin: Callable[[], None], is_all_there: bool) -> None:
    """The button that begins, which is Stop while a study is under way, and how far it has come below.

    It can be pressed unless all that it would ask `is_all_there`. A place of its own and of one height, so that what
    comes and goes in it moves nothing else.
    """
    with st.container(key="study_status"):
        job = workspace.job
        if job is not None and workspace.is_at_work_on(STUDY):
            with st.container(key="study_at_work"):
                follow_job(job, partial(_how_far, engine, workspace, job, drawn_study(workspace)), LOOK_SECONDS)
            return
        with st.container(horizontal=True, key="study_buttons"):
            _buttons(engine, workspace, begin, is_all_there)
        if error := workspace.errors.get(STUDY):
            failure(error)
        _stands(engine, workspace, kept_study(workspace))


def _buttons(engine: Engine, workspace: Workspace, begin: Callable[[], None], is_all_there: bool) -> None:
    kept, when, is_busy = kept_study(workspace), waiting(workspace), workspace.job is not None
    if kept is not None and not kept.is_whole:
        on = partial(begin_or_say, workspace, STUDY, partial(go_on, engine, workspace))
        st.button(f"{say('Go on')}{when}", key="go on with study", type="primary", on_click=on, disabled=is_busy)
        when = ""
    is_first = kept is None or kept.is_whole
    st.button(
        f"{say('Run the study')}{when}",
        key="run study",
        type="primary" if is_first else "secondary",
        on_click=begin,
        disabled=is_busy or is_all_there,
    )


def _how_far(engine: Engine, workspace: Workspace, job: Job, drawn: StudySoFar | None) -> None:
    """A bar over all questions of all models; the page is drawn anew when there is much more than it shows."""
    if is_much_more(job.found, drawn):
        st.rerun()
    found: StudySoFar | None = job.found
    stop = partial(workspace.stop_work_on, STUDY)
    st.button(say("Stop"), key="stop study", type="primary", on_click=stop, disabled=job.stopping())
    st.progress(job.share, text=plain_label(_said(engine, job, found)))


def is_much_more(now: StudySoFar | None, drawn: StudySoFar | None) -> bool:
    """Whether twice as much is there as is drawn, or the first of another model: to draw takes the model's time."""
    if now is None or not now.blocks:
        return False
    if drawn is None or not drawn.blocks:
        return True
    models, shown = ({task.model for task in each.blocks} for each in (now, drawn))
    return len(now.blocks) >= 2 * len(drawn.blocks) or len(models) > len(shown)


DRAWN = "study that is drawn"


def drawn_study(workspace: Workspace) -> StudySoFar | None:
    """What the page draws of a study: while more is coming, what it drew before, until that is much more."""
    now, before = shown_study(workspace), cast("StudySoFar | None", st.session_state.get(DRAWN))
    is_same = now is not None and before is not None and before.plan is now.plan
    if is_same and workspace.is_at_work_on(STUDY) and not is_much_more(now, before):
        return before
    st.session_state[DRAWN] = now
    return now


def _said(engine: Engine, job: Job, found: StudySoFar | None) -> str:
    name = _titles(engine, (job.model_id,) if found is None else found.plan.models)[job.model_id]
    if stage := stage_text(job):
        return f"{name}: {stage} …"
    if found is None:
        return say("{model}: the first question is being asked …", model=name)
    at = found.plan.models.index(job.model_id)
    asked = {
        "model": name,
        "n": number(found.n_questions(at), ","),
        "all": number(len(found.plan.questions), ","),
    }
    if found.seconds_left is None:
        return say("{model}: {n} of {all} questions …", **asked)
    return say("{model}: {n} of {all} questions, {time} left …", **asked, time=about(found.seconds_left))


def _titles(engine: Engine, models: Sequence[str]) -> dict[str, str]:
    """What each model is called beside the others, by its id."""
    titles = told_apart([engine.models.entry(name) for name in models])
    return {name: titles[engine.models.entry(name).id] for name in models}


def _elsewhere(engine: Engine, workspace: Workspace) -> None:
    """A study of the same person's that another tab began: it is not lost with that tab."""
    other = begun_elsewhere(engine, workspace)
    if other is None:
        return
    n = len(other.plan.questions)
    label = say_n(
        "Open the study of {n} question from another tab",
        "Open the study of {n} questions from another tab",
        n,
        n=number(n, ","),
    )
    st.button(label, key="open study of another tab", on_click=partial(take_over, workspace, other))


def _stands(engine: Engine, workspace: Workspace, kept: StudySoFar | None) -> None:
    """What is there of the study that is kept, or what to do where there is none."""
    if kept is None:
        paragraph(say(EMPTY), quiet=True)
        _elsewhere(engine, workspace)
        return
    titles = _titles(engine, kept.plan.models)
    models = [
        say(
            "{n} of {all} questions of {model}",
            n=number(kept.n_questions(at), ","),
            all=number(len(kept.plan.questions), ","),
            model=titles[name],
        )
        for at, name in enumerate(kept.plan.models)
    ]
    if kept.is_whole:
        paragraph(f"{say('All is there: {models}.', models=listed(models))} {say(IN_MEMORY)}", quiet=True)
    else:
        paragraph(
            say(
                "Stopped with {models}. Go on asks the others; Run the study asks what stands above instead.",
                models=listed(models),
            ),
            quiet=True,
        )


EMPTY = later(
    "Nothing has been run yet. Press Run the study, and a table of the answers before and after comes here, with what "
    "they have in common below it. The three questions that the page opens with are an example."
)
IN_MEMORY = later(
    "It is kept in memory while the app runs and has room for it, not in the History: take it along at the end of this "
    "page. Another study takes its place."
)
