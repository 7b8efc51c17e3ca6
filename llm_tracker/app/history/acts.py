"""What can be done with the conversations that are ticked: open, compare, describe, export, delete."""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_tracker.app.frame.found_pages import found_pages
from llm_tracker.app.history.links import sharing
from llm_tracker.app.history.opening import open_on
from llm_tracker.app.history.rows import CHOSEN, chosen, short
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.keeping.history import HISTORY, delete, turns_to_compare, turns_to_open, with_store
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import InputError, StoreError
from llm_tracker.export.stored import stored_zip
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.places import app_dir
from llm_tracker.storage.store.store import Store
from llm_tracker.storage.store.summaries import StoredSession
from llm_tracker.wording.formats import quoted

DELETED = "history deleted"

OTHER_PAGES = ("History", "Models", "Teach", "Guide")
"""Pages that show no answers."""


def act_panel(workspace: Workspace, store: Store) -> None:
    """A line for what is ticked, above the list, and the buttons for it."""
    with st.container(key="history_acts", border=False):
        undo(workspace)
        found = list(filter(None, (_summary(store, number) for number in chosen())))
        st.session_state[CHOSEN] = [each.id for each in found]
        if not found:
            paragraph(say("Tick conversations to compare, describe, export or delete them."), quiet=True)
            return
        titles = ", ".join(quoted(short(each.title)) for each in found[:3])
        ticked = say("{n} ticked: {titles}", n=len(found), titles=titles)
        paragraph(f"{ticked} …" if len(found) > 3 else ticked)
        _buttons(workspace, found)


def _summary(store: Store, session_id: int) -> StoredSession | None:
    try:
        return store.summary(session_id)
    except InputError:  # it was pruned meanwhile
        return None


def _buttons(workspace: Workspace, found: list[StoredSession]) -> None:
    ids = tuple(each.id for each in found)
    with st.container(horizontal=True, gap="small", key="history_buttons"):
        if len(found) == 1:
            with st.popover(say("Open on …"), key="open on"):
                _open_on_any(workspace, found[0])
        if len(found) == 2 and st.button(
            say("Compare"), key="compare chosen", help=say("Their last answers, side by side")
        ):
            open_on(workspace, "dashboard.py", turns_to_compare(found), found[0].said[0])
        if len(found) == 1:
            with st.popover(say("Share"), key=f"sharing {found[0].id}"):
                sharing(workspace, found[0])
            with st.popover(say("Name, tags, note"), key=f"description {found[0].id}"):
                _description(workspace, found[0])
        st.download_button(
            say("Export (zip)"),
            lambda: _zip(workspace, ids),
            file_name="conversations.zip",
            mime="application/zip",
            key="export chosen",
            on_click="ignore",
            help=say(
                "Each as a folder that Python and the command line open. Layers that nobody has looked at yet are left "
                "out."
            ),
        )
        st.button(say("Delete"), key="delete chosen", on_click=_delete, args=(workspace, ids))
        st.button(say("Untick all"), key="untick", on_click=_untick)


def _zip(workspace: Workspace, ids: tuple[int, ...]) -> bytes:
    """What Export gives. Raises StoreError where there is nothing to give: an empty file would look like an export."""
    content = with_store(workspace, lambda store: stored_zip(store, ids), None)
    if content is None:
        raise StoreError(workspace.errors.get(HISTORY, say("The store cannot be reached now.")))
    return content


def _open_on_any(workspace: Workspace, stored: StoredSession) -> None:
    for path, title in found_pages(app_dir()).items():
        if title not in OTHER_PAGES and st.button(say(title), key=f"open on {title}", width="stretch"):
            open_on(workspace, path, turns_to_open(stored), stored.said[0])


def _delete(workspace: Workspace, ids: tuple[int, ...]) -> None:
    if delete(workspace, ids):
        st.session_state[DELETED] = ids
        _untick()


def _untick() -> None:
    st.session_state[CHOSEN] = []


def undo(workspace: Workspace) -> None:
    """What was deleted last, and a button that brings it back."""
    ids: tuple[int, ...] = st.session_state.get(DELETED, ())
    if not ids:
        return

    def bring_back() -> None:
        if not with_store(workspace, lambda store: store.restore(*ids), 0):
            gone = say("Nothing could be brought back: it was removed for good meanwhile.")
            workspace.errors.setdefault(HISTORY, gone)
        st.session_state[DELETED] = ()

    with st.container(horizontal=True, vertical_alignment="center", key="history_undo"):
        n = len(ids)
        st.text(say_n("{n} conversation deleted.", "{n} conversations deleted.", n, n=number(n, ",")))
        st.button(say("Undo"), key="undo delete", on_click=bring_back)


def _describe(store: Store, session_id: int, said: dict[str, Any]) -> bool:
    store.describe(session_id, said["name"], said["tags"], said["note"])
    return True


def _description(workspace: Workspace, stored: StoredSession) -> None:
    """Name, tags and note of a conversation."""
    names = {name: f"{name} {stored.id}" for name in ("name", "tags", "note")}

    def keep() -> None:
        said = {name: st.session_state[key] for name, key in names.items()}
        described = with_store(workspace, lambda store: _describe(store, stored.id, said), False)
        if described:
            st.toast(say("Kept."))

    with st.form(f"describe {stored.id}", border=False):
        st.text_input(say("Name"), stored.name, key=names["name"], placeholder=short(stored.said[0]))
        st.multiselect(
            say("Tags"),
            stored.tags,
            stored.tags,
            key=names["tags"],
            accept_new_options=True,
            placeholder=say("Type any"),
        )
        st.text_area(say("Note"), stored.note, key=names["note"], height="content")
        st.form_submit_button(say("Keep"), on_click=keep)
