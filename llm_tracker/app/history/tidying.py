"""Conversations in from a zip file, and old ones out for good."""

from __future__ import annotations

from functools import partial
from typing import IO

import streamlit as st

from llm_tracker.app.history.acts import DELETED
from llm_tracker.app.history.rows import short
from llm_tracker.app.parts.html import failure, paragraph
from llm_tracker.app.work.admission import too_often
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.keeping.history import HISTORY, with_store
from llm_tracker.app.work.limits import MEGABYTE
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.storage.store.importing import Imported, import_zip
from llm_tracker.storage.store.pruning import Pruned
from llm_tracker.storage.store.store import Store
from llm_tracker.storage.unpacking import LIMITS
from llm_tracker.wording.formats import quoted
from llm_tracker.wording.history import size

IMPORTED = "history imported"

NAMED = 3
"""Conversations that are named before they are removed."""

LISTED = 8
"""Refused files that are named one by one."""

UNPACKED = 8
"""How many times larger than the upload an archive may be once it is unpacked."""


def import_panel(engine: Engine, workspace: Workspace) -> None:
    """A zip file that Export or Archive made, here or elsewhere; what is refused is named."""
    with st.expander(say("Import conversations"), key="history import"):
        paragraph(
            say(
                "A zip file that Export (here) or Archive (on the Ask page) made. Nothing in it is run, and what is no "
                "conversation is left out and named."
            ),
            quiet=True,
        )
        most_megabytes = engine.limits.upload_megabytes
        uploads = st.session_state.setdefault("history uploads", 0)
        key = f"history upload {uploads}"

        def keep() -> None:
            file = st.session_state[key]
            if file is None:
                return
            said = too_often(engine, workspace)
            imported = None if said else with_store(workspace, lambda store: _import(engine, store, file), None)
            st.session_state[IMPORTED] = imported or said or workspace.errors.pop(HISTORY, "")
            st.session_state["history uploads"] = uploads + 1  # an empty field for the next one

        st.file_uploader(say("A zip file"), "zip", key=key, on_change=keep, max_upload_size=most_megabytes)
        with st.container():
            _outcome(st.session_state.get(IMPORTED, ""))


def _what_goes(would: Pruned) -> str:
    """What is removed and what remains; the first ones are named."""
    kept = say_n(
        "{n} conversation ({size}) remains.",
        "{n} conversations ({size}) remain.",
        would.kept,
        n=number(would.kept, ","),
        size=size(would.kept_bytes),
    )
    n_gone = len(would.sessions)
    if not n_gone:
        return f"{say('There is nothing to remove.')} {kept}"
    named = ", ".join(quoted(short(each.title)) for each in would.sessions[:NAMED])
    if n_gone > NAMED:
        named = say("{named} and {n} more", named=named, n=number(n_gone - NAMED, ","))
    gone = say_n(
        "This removes {n} conversation ({size}) for good: {named}.",
        "This removes {n} conversations ({size}) for good: {named}.",
        n_gone,
        n=number(n_gone, ","),
        size=size(would.n_bytes),
        named=named,
    )
    return f"{gone} {kept}"


def _outcome(imported: Imported | str) -> None:
    """What came of the last upload, or why nothing did."""
    if isinstance(imported, str):
        if imported:
            failure(imported)
        return
    n = len(imported.ids)
    paragraph(say_n("{n} conversation imported.", "{n} conversations imported.", n, n=number(n, ",")))
    for name, why in imported.refused[:LISTED]:
        failure(say("Refused: “{name}”: {why}.", name=name, why=why))
    if len(imported.refused) > LISTED:
        paragraph(say("And {n} more were refused.", n=number(len(imported.refused) - LISTED, ",")))


def _import(engine: Engine, store: Store, file: IO[bytes]) -> Imported:
    """As much as the host takes; where that is bounded, what was deleted makes room for it."""
    most_bytes, most = engine.limits.upload_megabytes * MEGABYTE, engine.limits.most_kept
    limits = LIMITS.within(UNPACKED * most_bytes, most_bytes)
    if most is None:
        return import_zip(store, file, limits)
    imported = import_zip(store, file, limits, partial(most.no_room, store), with_stars=False)
    if most.is_passed_by(store):
        store.prune(to_count=most.sessions)
    return imported


def tidy_panel(workspace: Workspace, store: Store) -> None:
    """What the history takes, and what can be removed for good."""
    panel = st.expander(say("Tidy up"), key="history tidy", on_change="rerun")
    if not panel.open:  # what would be removed takes a look at every conversation
        return
    with panel:
        paragraph(say("Removes what was deleted, and what is beyond these bounds. It cannot be undone."), quiet=True)
        days, megabytes = st.columns(2)
        endless = say("no bound")
        older = days.number_input(say("Older than, in days"), 0, value=None, key="tidy days", placeholder=endless)
        most = megabytes.number_input(
            say("Keep at most, in MB"), 0, value=None, key="tidy megabytes", placeholder=endless
        )
        keep_starred = st.toggle(say("Keep those with a star"), True, key="tidy starred")
        to_bytes = None if most is None else int(most) * MEGABYTE
        would = store.prune(older, to_bytes, keep_starred, dry_run=True)
        paragraph(_what_goes(would))

        def prune() -> None:
            pruned = with_store(workspace, lambda store: store.prune(older, to_bytes, keep_starred), None)
            if pruned is not None:
                gone = {each.id for each in pruned.sessions}
                workspace.let_go(gone)
                may_come_back = st.session_state.get(DELETED, ())
                st.session_state[DELETED] = tuple(each for each in may_come_back if each not in gone)

        st.button(say("Remove for good"), key="tidy prune", on_click=prune, disabled=not would.sessions)
