"""The words that are followed through all views, said or not; and the background work that the views need."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import failure, paragraph
from llm_tracker.app.selection.comparison import Comparison, path
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.workspace import Place, Workspace
from llm_tracker.tracing.answers import word_named_in

N_SUGGESTED = 10
"""Candidates of each answer that are offered where they are words."""


def words_choice(workspace: Workspace, comparison: Comparison) -> list[str]:
    """Which words are followed: the first answer, the word that the correction named, and any that is typed here."""
    key = f"followed {workspace.results} {comparison.places}"
    known = comparison.watch_words
    elsewhere = _named_elsewhere(workspace, comparison)
    followed = [word for word in known if word not in elsewhere and not _is_refused(workspace, comparison, word)]
    typed = [word.strip() for word in st.session_state.get(key, followed)]
    kept = [word for word in dict.fromkeys(typed) if word and not _is_refused(workspace, comparison, word)]
    if key in st.session_state and kept != st.session_state[key]:
        st.session_state[key] = kept
    chosen: list[str] = st.multiselect(
        "Words to follow: pick some, or type any",
        list(dict.fromkeys([*known, *kept, *_suggested(comparison)])),
        default=followed,
        key=key,
        accept_new_options=True,
        placeholder="Type a word and press Enter",
        help="Each is followed through all three views, also when no answer says it. Of a word with several tokens the "
        "first one is followed.",
    )
    return chosen


def _is_refused(workspace: Workspace, comparison: Comparison, word: str) -> bool:
    """Whether a model whose answer is shown has no token for a word."""
    return any((session.model.id, word) in workspace.refused_words for session in comparison.sessions)


def _suggested(comparison: Comparison) -> list[str]:
    """Whole words among the best candidates of the answers that are shown."""
    best = [token.strip() for side in comparison.sides for token in side.turn.trace.top_tokens[side.step][:N_SUGGESTED]]
    return [word for word in best if len(word) > 2 and word.isalpha()]


def _named_elsewhere(workspace: Workspace, comparison: Comparison) -> set[str]:
    """The words that only corrections named which are not shown: they can be chosen, and are not followed unasked."""
    first = path(comparison.sessions[-1], 0)
    answers = {session.watch_words[0] for session in comparison.sessions if session.watch_words}
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for number, session in workspace.kept_sessions().items():
        for at, turn in enumerate(session.turns[1:], start=1) if path(session, 0) == first else ():
            word = word_named_in(session, turn.said)
            if word is not None:
                named[Place(number, at) in comparison.places].add(word)
    return named[False] - named[True] - answers


def start_missing(engine: Engine, workspace: Workspace, comparison: Comparison, words: list[str]) -> None:
    """Begin what the shown views still need: the control, a token's layers, or a word's."""
    if workspace.read_error or workspace.answering:
        return
    engine.run_control(workspace)
    for side, place in comparison.answers:
        engine.read_step(workspace, place, side.step)
    for place in comparison.places:
        for word in words:
            engine.follow(workspace, place.session, word)


def reading_status(workspace: Workspace) -> None:
    """What is being computed for the views, or why it could not be."""
    if workspace.read_error:
        failure(workspace.read_error)
        st.button("Try again", key="read again", on_click=workspace.forget_read_error)
    job = workspace.job
    if job is not None and job.active and job.kind in ("lens", "words", "control"):
        _watch(job)
    elif job is not None and job.active and job.kind == "positions":
        paragraph("Every token is being read, below; what else the views need is computed after that.", quiet=True)


@st.fragment(run_every=0.25)
def _watch(job: Job) -> None:
    """Wait for background work; then draw the page anew."""
    if not job.active:
        st.rerun()
    texts = {"lens": "Reading this token's layers …", "words": "Following the new word …", "control": "Asking again …"}
    text, button = st.columns([5, 1], vertical_alignment="center")
    with text:
        paragraph(texts[job.kind], quiet=True)
    if job.kind == "control":
        button.button("Skip", key="skip control", on_click=job.stop, help="Leave the control out", width="stretch")
