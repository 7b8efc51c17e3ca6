"""The list: what was asked, what came, who answered and when; with a box to choose by, a star, and Open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from llm_tracker.app.history.opening import open_on
from llm_tracker.app.parts.html import exact, plain_label
from llm_tracker.app.work.keeping.history import give_star, turns_to_open, with_store
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.store import Store
from llm_tracker.storage.store.summaries import StoredSession
from llm_tracker.wording.formats import quoted
from llm_tracker.wording.history import LONGEST_ANSWER, OUTCOMES, size, when

CHOSEN = "history chosen"

LONGEST_TITLE, LONGEST_SAID, LONGEST_PARENT = 110, 60, 40
"""Characters of a title, of what was said last, and of a title that is named in passing."""


def chosen() -> list[int]:
    """The conversations that are ticked, in the order in which they were."""
    ids: list[int] = st.session_state.setdefault(CHOSEN, [])
    return ids


def rows(workspace: Workspace, store: Store, found: Sequence[StoredSession], query: Query) -> None:
    """Conversations one below the other."""
    parents = store.titles({each.parent_id for each in found if each.parent_id is not None})
    zone = browser_zone()
    with st.container(key="history_rows"):
        for each in found:
            _row(workspace, each, parents.get(each.parent_id or 0, ""), zone, query.deleted)


def browser_zone() -> ZoneInfo | None:
    """The visitor's time zone; None where the browser names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _row(workspace: Workspace, stored: StoredSession, parent: str, zone: ZoneInfo | None, is_deleted: bool) -> None:
    text, press = st.columns([4, 1.25], vertical_alignment="center")
    with text, st.container(gap=None):
        key = f"choose {stored.id}"
        st.session_state[key] = stored.id in chosen()
        # What was deleted is brought back first: it can be opened, shared and exported then.
        title = f"**{plain_label(short(stored.title))}**"
        st.checkbox(title, key=key, on_change=_choose, args=(stored.id, key), disabled=is_deleted)
        st.html(f'<p class="lt-text lt-stored">{_answers(stored)}<br>{_facts(stored, parent, zone)}</p>')
    with press, st.container(horizontal=True, horizontal_alignment="right"):
        if is_deleted:
            st.button(say("Bring back"), key=f"restore {stored.id}", on_click=_restore, args=(workspace, stored.id))
            return
        st.button(
            "★" if stored.starred else "☆",
            key=f"star {stored.id}",
            type="tertiary",
            help=say("Take its star away") if stored.starred else say("Give it a star"),
            on_click=_star,
            args=(workspace, stored),
        )
        if st.button(say("Open"), key=f"open {stored.id}", help=say("Show it on the Ask page")):
            open_on(workspace, "dashboard.py", turns_to_open(stored), stored.said[0])


def short(title: str, length: int = LONGEST_TITLE) -> str:
    """A title in one line."""
    line = " ".join(title.split()) or say("(an empty question)")
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _answers(stored: StoredSession) -> str:
    """The first answer and the last in the colours that they have everywhere."""
    texts = [short(answer, LONGEST_ANSWER) if answer else say("(empty)") for answer in stored.answers]
    first, *between, last = texts if len(texts) > 1 else [*texts, ""]
    arrow = f" → {say('{n} more', n=len(between))} → " if between else " → "
    after = f'{arrow}<b class="lt-after">{exact(last)}</b>' if last else ""
    outcome = escape(say(OUTCOMES[stored.outcome]))
    return f'<b class="lt-before">{exact(first)}</b>{after} <span class="lt-quiet">{outcome}</span>'


def _facts(stored: StoredSession, parent: str, zone: ZoneInfo | None) -> str:
    asked = say("Asked: {question}", question=short(stored.said[0])) if stored.name else ""
    told_so = say("corrected with {text}", text=quoted(short(stored.said[-1], LONGEST_SAID))) if stored.said[1:] else ""
    branch = say("a branch of “{title}”", title=short(parent, LONGEST_PARENT)) if parent else ""
    tags = ", ".join(f"#{tag}" for tag in stored.tags)
    told = [
        asked,
        told_so,
        when(stored.created_at, time.time(), zone),
        stored.model_title,
        size(stored.n_bytes),
        branch,
        tags,
    ]
    note = f"<br>{sentence(stored.note)}" if stored.note else ""
    return f'<span class="lt-quiet">{" · ".join(sentence(each) for each in told if each)}{note}</span>'


def _choose(session_id: int, key: str) -> None:
    others = [each for each in chosen() if each != session_id]
    st.session_state[CHOSEN] = [*others, session_id] if st.session_state[key] else others


def _star(workspace: Workspace, stored: StoredSession) -> None:
    with_store(workspace, lambda store: give_star(workspace, store, stored.id, not stored.starred), None)


def _restore(workspace: Workspace, session_id: int) -> None:
    with_store(workspace, lambda store: store.restore(session_id), 0)
