"""The answers before and after: as they come, and finished with their token strips; and what changed, in one line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from llm_tracker.analysis.compare import Side, model_names, word_changes
from llm_tracker.app.ask.thoughts import finished_thought, watch_skip, watch_thought
from llm_tracker.app.parts.cards import answer_card, empty_card, pace_note, running_card
from llm_tracker.app.parts.html import fade_views, paragraph
from llm_tracker.app.parts.polling import follow_job
from llm_tracker.app.parts.token_strip import token_strip
from llm_tracker.app.selection.comparison import Comparison, pick_step
from llm_tracker.app.work.background import control_of
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.finding_thoughts import reasoning_of
from llm_tracker.wording.answers import named_token, no_answer
from llm_tracker.wording.formats import listed
from llm_tracker.wording.headline import change_parts, place_of, shift_split, two_questions, verdict
from llm_tracker.wording.two_models import models_verdict, shares_of

RECIPES = {"one-word": later("one-word answers"), "chat": later("plain chat"), "raw": later("raw text")}
"""The recipes where a sentence names them."""


def answer_cards(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """Before | after; the side that a job is working on shows its tokens as they come."""
    job, coming = workspace.job, workspace.coming
    left, right = st.columns(2)
    with left:
        if job is not None and coming is not None and coming.side == "before":
            _coming(engine, job, coming)
        else:
            _left_answer(workspace, comparison, coming)
    with right:
        if job is not None and coming is not None and coming.side == "after":
            _coming(engine, job, coming)
        elif comparison.after is not None and coming is None:
            _finished(workspace, comparison, 1, comparison.after)
        else:
            empty_card("after", say("Correct the answer, and the next one will stand here."))
            _strip_room("after")


def _left_answer(workspace: Workspace, comparison: Comparison, coming: ComingAnswer | None) -> None:
    """What stands on the left: the answer before, or the one that a coming answer of another model will join."""
    joined = None if coming is None else coming.joins
    found, sessions = workspace.turns_or_newest(() if joined is None else (joined,))
    if joined is None or joined == comparison.refs[0] or found != (joined,):
        _finished(workspace, comparison, 0, comparison.before)
        return
    turn = sessions[0].turns[joined.turn]
    _card_and_strip(workspace, Side("before", turn, turn.answer_step), joined, lambda _step: None)


def _finished(workspace: Workspace, comparison: Comparison, at: int, side: Side) -> None:
    """The answer on the left (0) or on the right (1), with its tokens to choose from."""
    _card_and_strip(workspace, side, comparison.refs[at], lambda step: pick_step(comparison, at, step))


def _card_and_strip(workspace: Workspace, side: Side, ref: TurnRef, pick: Callable[[int], None]) -> None:
    # Another key with every answer that arrives: a click on an older strip chooses nothing.
    key = f"strip {side.name} {workspace.results} {ref.session} {ref.turn}"
    answer_card(side)
    if side.turn.has_answer:
        _strip_room(side.name, lambda: token_strip(side, key, pick, side.turn.answer_steps))
    else:
        _strip_room(side.name, lambda: paragraph(no_answer(side.turn), quiet=True))
    finished_thought(side, key, pick)


def _strip_room(name: str, fill: Callable[[], object] | None = None) -> None:
    """The room of the token strip, also while there is none yet, so that nothing moves when it comes."""
    with st.container(key=f"strip_{name}"):
        fill() if fill is not None else st.html("<div></div>")


def _coming(engine: Engine, job: Job, coming: ComingAnswer) -> None:
    """An answer that is being written: its card, and of a model that reasons first a way to skip the rest of that."""
    follow_job(job, partial(_watch_answer, engine, job, coming))
    model = engine.models.loaded(job.model_id)
    thinks = model is not None and reasoning_of(model.tokenizer) is not None
    _strip_room(coming.side, (lambda: watch_skip(job, coming)) if thinks else None)
    if thinks:
        watch_thought(job, coming)


def _watch_answer(engine: Engine, job: Job, coming: ComingAnswer) -> None:
    """Show an answer as it comes."""
    model = "" if coming.joins is None else engine.models.entry(job.model_id).title
    running_card(coming, f"{_stage(engine, job, coming)} …", model)


def _stage(engine: Engine, job: Job, coming: ComingAnswer) -> str:
    """What an answer is waiting for, or that it is being written, and how fast where that is slow."""
    if job.stopping():
        return say("Stopping")
    load = engine.models.load_job(job.model_id)
    if job.status == "queued" and load is not None and load.active:
        return load.progress.stage if load.progress else say("Waiting for the model")
    if job.status == "queued":
        return _queue_note(engine, job)
    if job.progress:
        return job.progress.stage
    if coming.is_thinking and coming.n_thought > coming.max_thought_tokens:
        return say("Closing the thought")
    if coming.is_thinking:
        n, most = number(coming.n_thought, ","), number(coming.max_thought_tokens, ",")
        return say("Thinking, {n} of at most {most} tokens", n=n, most=most)
    return f"{say('Writing')}{pace_note(coming)}" if coming.n_tokens else say("Reading the text")


def _queue_note(engine: Engine, job: Job) -> str:
    """How many come first, and about how long they take, as far as that is known."""
    worker = engine.models.worker(job.model_id)
    n, seconds = worker.ahead_of(job), worker.seconds_until(job)
    if seconds is None:
        return say("Waiting, {n} ahead of you", n=n)
    return say("Waiting, {n} ahead of you, about {seconds} s", n=n, seconds=max(1, round(seconds)))


def headline_panel(workspace: Workspace, comparison: Comparison, words: list[str]) -> None:
    """What changed against before and against merely asking again, at the tokens that the views describe."""
    for notice in dict.fromkeys(notice for side in comparison.sides for notice in side.turn.prompt.notices):
        paragraph(notice)
    if comparison.after is None:
        said = sentence(say("Correct the answer, and what changed will stand here."))
        st.html(f'<p class="lt-headline lt-quiet">{said}</p>')
        paragraph("", also="lt-note")
        return
    sides = comparison.headline_sides
    st.html(f'<p class="lt-headline headline">{_headline_html(comparison, words)}</p>')
    split = "" if comparison.of_two_models else shift_split(sides, words)
    note = _control_note(workspace, comparison)
    paragraph(" ".join(filter(None, [split, _place(comparison), note])), quiet=True, also="lt-note")


def _headline_html(comparison: Comparison, words: list[str]) -> str:
    """What became of each word and of the answer; of two models, what each says and how likely it makes each word."""
    sides = comparison.headline_sides
    changes = word_changes(sides, words)
    if comparison.of_two_models:
        told = [f"<b>{sentence(name)}</b>: {sentence(shares)}." for name, shares in map(shares_of, changes)]
        return " ".join([sentence(models_verdict(sides)), *told])
    told = []
    for name, shift, again in map(change_parts, changes):
        aside = f' <span class="again">({sentence(again)})</span>' if again else ""
        told.append(f"<b>{sentence(name)}</b> {sentence(shift)}{aside}.")
    questions = [session.turns[0].said for session in comparison.sessions]
    apart = len(set(questions)) > 1
    return " ".join([*told, sentence(two_questions(questions, sides) if apart else verdict(sides))])


def _place(comparison: Comparison) -> str:
    """Of what the headline's probabilities are, and where the views look if that is elsewhere."""
    scored = [score for side in comparison.headline_sides for score in side.turn.scores.get(side.step, {}).values()]
    if not all(side.turn.has_answer for side in comparison.headline_sides):
        return say("Words are scored as answers: where none came behind the thought, there is no score.")
    if any(side.turn.edit for side in comparison.headline_sides):
        return say("Whole words are not scored where the model was changed: compare the candidates below.")
    behind_thoughts = any(side.turn.thought for side in comparison.headline_sides)
    told = place_of(scored[0].end, behind_thoughts) if scored else say("How likely each word is, is being read.")
    looked_at = [side.step for side, _ in comparison.answers]
    if looked_at == [side.step for side in comparison.headline_sides if side.name != "again"]:
        return told
    before, after = (named_token(side.turn, side.step) for side, _ in comparison.answers)
    looked = say("The views below look at {before} before and {after} after.", before=before, after=after)
    return f"{told} {looked}"


def _control_note(workspace: Workspace, comparison: Comparison) -> str:
    """What is to be said about the control of the correction that is shown."""
    if workspace.is_at_work_on(control_of(comparison.refs[-1])):
        return say("The control is being run: the same conversation, merely asked again …")
    if any(side.name == "again" for side in comparison.headline_sides):
        return say(
            "“Asked again” is the control: the same conversation with “Answer the question again.” for the correction."
        )
    session, ref = comparison.sessions[-1], comparison.refs[-1]
    if workspace.control and workspace.job is not None and workspace.job.active and session.lacks_control(ref.turn):
        return say("The control comes next: the same conversation, merely asked again …")
    if len(set(comparison.refs)) < len(comparison.refs):
        return say("This is one answer, compared with itself.")
    if comparison.of_two_models:
        return _models_note(comparison)
    if comparison.of_a_branch:
        return say("One of these answers was made to say another token (What if): nothing was corrected between them.")
    if all(each.turn == 0 for each in comparison.refs):
        return say("These are two first answers: there is no correction between them.")
    if not comparison.of_one_answer:
        return say("Neither answer corrects the other: a control stands beside the answer that was corrected.")
    if session.is_control(ref.turn):
        return say("This turn is the control itself: merely asked again.")
    return say("Without a control: part of any change comes from being asked again at all.")


def _models_note(comparison: Comparison) -> str:
    """What is alike between two models' answers, and what is not."""
    if comparison.told_alike and all(ref.turn == 0 for ref in comparison.refs):
        return say("Both models read the same words, each in its own template and cut into its own tokens.")
    if comparison.told_alike:
        return say("Both models were told the same, each after its own earlier answers.")
    return say("These models did not read the same words: not only the model differs between these answers.")


def answered_by(workspace: Workspace, comparison: Comparison) -> None:
    """Which model and recipe made what is shown, and when the sidebar's choices apply."""
    if workspace.answering:
        fade_views()
    paragraph(_answered_by(workspace, comparison), quiet=True, also="lt-answered")


def _answered_by(workspace: Workspace, comparison: Comparison) -> str:
    if workspace.answering:
        return say("The next answer is on its way; what is pale below still belongs to the one before.")
    session = comparison.sessions[-1]
    if comparison.refs[-1].session == EXAMPLE:
        return say("A finished example, made with {model}. Ask your own question above.", model=session.model.title)
    if not workspace.sessions.is_own(comparison.refs[-1].session):
        return say(
            "Shared with you, to read; answered by {model}. A correction goes on in a conversation of your own.",
            model=session.model.title,
        )
    names = list(filter(None, model_names(comparison.sessions)))
    recipes = dict.fromkeys(say(RECIPES.get(each.recipe, each.recipe.lower())) for each in comparison.sessions)
    told = say(
        "Answered by {models}, {recipes}.", models=listed(names or [session.model.title]), recipes=listed([*recipes])
    )
    if names or (session.model.id, session.recipe) == (workspace.wanted_id, workspace.recipe):
        return told
    return f"{told} {say('A correction goes to the same; what the sidebar says now is for the next question.')}"
