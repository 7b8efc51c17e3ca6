"""The History page: all conversations that are kept, one below the other."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.history.acts import act_panel, undo
from llm_tracker.app.history.filters import query_fields, shown_stretch, stretch_buttons
from llm_tracker.app.history.links import private_link
from llm_tracker.app.history.rows import rows
from llm_tracker.app.history.tidying import import_panel, tidy_panel
from llm_tracker.app.parts.example import offer_example
from llm_tracker.app.parts.html import failure, paragraph
from llm_tracker.app.selection.address import open_selection
from llm_tracker.app.views.missing_work import coming_note
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.keeping.history import HISTORY, with_store
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.finding import Query
from llm_tracker.storage.store.store import Store
from llm_tracker.wording.history import conversations, size


def history_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page; what fails is said at its top, and the rest stands as it was."""
    workspace.collect()
    offer_example(workspace)
    open_selection(workspace)
    st.title(say("History"), anchor=False)
    st.caption(say("Every conversation is kept. Find one, open it again on any page, and go on with it."))
    coming_note(workspace)
    said = st.container(key="history_said")
    if not engine.workspaces.desk.is_kept and not engine.workspaces.desk.trouble:
        paragraph(
            say("Nothing is kept here: the app was started with LLM_TRACKER_STORE=none. Close it, and all is gone.")
        )
        return
    private_link(workspace)
    with_store(workspace, lambda store: _page(engine, workspace, store), None)
    if error := workspace.errors.pop(HISTORY, workspace.sessions.trouble):
        with said:
            failure(error)


def _page(engine: Engine, workspace: Workspace, store: Store) -> None:
    query = query_fields(store)
    n, n_bytes = store.count(query)
    everything = store.count(Query(deleted=query.deleted))[0] if query.is_narrowed else n
    if not everything and not query.deleted:
        undo(workspace)
        paragraph(say("Nothing yet. Ask a question on the Ask page: its answers are kept from then on."))
    else:
        if query.deleted:  # brought back first, they can be opened, shared and exported again
            undo(workspace)
        else:
            act_panel(workspace, store)
        first, last = shown_stretch(n)
        if query.is_narrowed:
            total = say("{n} of {all} found.", n=number(n, ","), all=number(everything, ","))
        else:
            total = f"{conversations(n)}, {size(n_bytes)}."
        paragraph(total, quiet=True)
        rows(workspace, store, store.find(query, last - first, first), query)
        stretch_buttons(n)
    import_panel(engine, workspace)
    tidy_panel(workspace, store)
