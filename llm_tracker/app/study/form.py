"""The form of the Study page: questions, what is said about the answers, who is asked, and the button that begins."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from llm_tracker.app.frame.model_picker import known_models, told_apart
from llm_tracker.app.parts.html import failure, paragraph
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.study.questions import chosen_questions, chosen_source, questions_choice
from llm_tracker.app.study.said import chosen_said, conditions_choice, correction_field, more_choice
from llm_tracker.app.study.status import study_status
from llm_tracker.app.study.times import about
from llm_tracker.app.views.on_demand import begin_or_say
from llm_tracker.app.work.admission import is_at_hand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.studying.running import (
    STUDY,
    begin_study,
    is_all_there,
    kept_study,
    shown_study,
    why_not,
)
from llm_tracker.app.work.studying.wish import NO_FILE, Wish, plan_of
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.load_options import LoadOptions
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question
from llm_tracker.wording.formats import listed

SECOND = "study second model"
NOBODY = "no second model"

SECOND_HELP = later(
    "It is asked the same after the first one: then a table says which right answers both lose and which only one. "
    "Those that are on this machine can be picked."
)


def study_form(engine: Engine, workspace: Workspace) -> None:
    """All of the form. What cannot be asked is said above the button, and nothing that was filled in is lost."""
    kept = kept_study(workspace)
    wish = Wish() if kept is None else kept.wish
    questions_choice(engine, wish)
    conditions_choice(engine, wish, _first(wish))
    left, right = st.columns(2)
    with left:
        correction_field(engine, wish)
    with right:
        _second_choice(engine, workspace, wish)
    more_choice(engine, wish)
    with st.container():
        planned = _planned(engine, workspace, wish)
        if isinstance(planned, Plan):
            paragraph(_cost(engine, workspace, planned), quiet=True)
        elif planned == say(NO_FILE):
            paragraph(planned, quiet=True)  # nobody has done anything wrong yet
        else:
            failure(planned)
    there = isinstance(planned, Plan) and is_all_there(workspace, planned)
    study_status(engine, workspace, partial(_begin, engine, workspace, wish), there)


def _filled(engine: Engine, wish: Wish) -> Wish:
    """All fields as they are now; those that are not on the page as they were."""
    fields: dict[str, Any] = {**chosen_source(wish), **chosen_said(engine, wish)}
    second = str(st.session_state.get(labelled_key(SECOND), wish.second) or "")
    return replace(wish, **fields, second="" if second == NOBODY else second)


def _first(wish: Wish) -> Question | None:
    try:
        return chosen_questions(replace(wish, **chosen_source(wish))).questions[0]  # type: ignore[arg-type]
    except InputError:
        return None


def _planned(engine: Engine, workspace: Workspace, wish: Wish) -> Plan | str:
    """The plan of what is filled in now, or why it cannot be run."""
    now = _filled(engine, wish)
    model_id = engine.answering_id(workspace)
    models = (model_id, now.second) if now.second and now.second != model_id else (model_id,)
    options = engine.settings.options
    try:
        questions = chosen_questions(now)
        plan = plan_of(now, questions, models, workspace.recipe, LoadOptions(options.device, options.dtype))
    except InputError as error:
        return str(error)
    return why_not(engine, plan) or plan


def _second_choice(engine: Engine, workspace: Workspace, wish: Wish) -> None:
    """A second model, of those that are here."""
    own = engine.answering_id(workspace)
    here = [entry for entry in known_models(engine, workspace) if entry.id != own and is_at_hand(engine, entry.id)]
    titles = told_apart(here)
    options, alone = [NOBODY, *titles], say("No second model") if titles else say("No other model is on this machine")
    st.selectbox(
        say("Also ask a second model"),
        options,
        options.index(wish.second) if wish.second in titles else 0,
        format_func=lambda model_id: titles.get(model_id, alone),
        key=labelled_key(SECOND),
        help=say(SECOND_HELP),
        persist_state="session",
    )


def _begin(engine: Engine, workspace: Workspace, wish: Wish) -> None:
    """Begin with what is filled in now: that may have come with this very click, before the page was drawn with it."""
    planned = _planned(engine, workspace, wish)
    if planned == say(NO_FILE):
        st.toast(say(NO_FILE))
    if isinstance(planned, Plan):
        begin_or_say(workspace, STUDY, partial(begin_study, engine, workspace, _filled(engine, wish), planned))


def _cost(engine: Engine, workspace: Workspace, plan: Plan) -> str:
    """How much is asked of whom; and that it is there, or about how long it takes once a question has been timed."""
    n, shown = len(plan.questions), shown_study(workspace)
    titles = listed(list(told_apart([engine.models.entry(model_id) for model_id in plan.models]).values()))
    asked = say_n("{n} question", "{n} questions", n, n=number(n, ","))
    parts = [asked, say("{n} answers each by {models}", n=plan.n_rows, models=titles)]
    parts += [say("five turns of pressure")] if plan.chain else []
    parts += [say("a look inside")] if plan.inside else []
    asked = ", ".join(parts)
    if is_all_there(workspace, plan):
        return say("{asked}: all of it is there, below. Change something above to ask more.", asked=asked)
    seconds = None if shown is None else shown.seconds_of(plan)
    if seconds is None:
        return say("{asked}: how long it takes is said once the first is there.", asked=asked)
    return f"{asked}: {about(seconds)}."
