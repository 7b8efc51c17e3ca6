"""The words that are followed through all views, whether an answer says them or not."""

from __future__ import annotations

import streamlit as st

from llm_tracker.analysis.paths import path
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison, select_of
from llm_tracker.app.selection.selection import unless_default
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.tracing.answers import word_named_in

N_SUGGESTED = 10
"""Candidates of each answer that are offered where they are words."""


def words_choice(workspace: Workspace, comparison: Comparison) -> list[str]:
    """Which words are followed: the first answer, the word that the correction named, and any that is typed here."""
    key = f"followed {workspace.results} {comparison.refs}"
    known = comparison.watch_words
    elsewhere = _named_elsewhere(workspace, comparison)
    unasked = tuple(word for word in known if word not in elsewhere and not _is_refused(workspace, comparison, word))
    wanted = selected().words
    words = [word for word in (unasked if wanted is None else wanted) if not _is_refused(workspace, comparison, word)]
    if wanted is not None and len(words) < len(wanted):
        # Or the address would go on asking for what no model can read.
        select(words=unless_default(tuple(words), unasked))

    def take(picked: list[str]) -> None:
        typed = dict.fromkeys(filter(None, (word.strip() for word in picked)))
        select_of(comparison, words=unless_default(tuple(typed), unasked))

    choose = show_choice(key, words, take)
    st.multiselect(
        say("Words to follow: pick some, or type any"),
        list(dict.fromkeys([*known, *words, *_suggested(comparison)])),
        default=words,
        key=key,
        on_change=choose,
        accept_new_options=True,
        placeholder=say("Type a word and press Enter"),
        help=say(
            "Each is followed through all three views, also when no answer says it. Of a word with several tokens "
            "the headline means the whole, the views its first token."
        ),
    )
    return words


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
                named[TurnRef(number, at) in comparison.refs].add(word)
    return named[False] - named[True] - answers
