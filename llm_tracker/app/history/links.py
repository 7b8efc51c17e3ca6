"""Links: the private one to a visitor's own conversations, and one that lets others read a single conversation."""

from __future__ import annotations

from functools import partial

import streamlit as st

from llm_tracker.app.frame.owner import is_known_by_link
from llm_tracker.app.frame.shared_link import PARAMETER
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.keeping.history import with_store
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.storage.store.sharing import revoke, share, token_of
from llm_tracker.storage.store.store import OWN_MACHINE
from llm_tracker.storage.store.summaries import StoredSession


def private_link(workspace: Workspace) -> None:
    """Where a visitor is known by the link alone: that it is to be kept, and kept to oneself."""
    if is_known_by_link(workspace):
        paragraph(
            say(
                "You are known here by the address of this page alone. Keep it, to find your conversations again; "
                "whoever has it sees them all."
            ),
            quiet=True,
        )
        st.code(f"{_app_address()}/?s={workspace.key}", language=None, wrap_lines=True)


def sharing(workspace: Workspace, stored: StoredSession) -> None:
    """The link that lets others read a conversation, and the button that revokes it."""
    token = with_store(workspace, lambda store: token_of(store, stored.id), None)
    if token is None:
        paragraph(
            say("With a link, others who can open this app can read this conversation, and change nothing of it.")
        )
        st.button(say("Make a link"), key=f"share {stored.id}", on_click=partial(_share, workspace, stored.id))
        return
    st.code(f"{_app_address()}/?{PARAMETER}={token}", language=None, wrap_lines=True)
    paragraph(say("Whoever has this link and can open this app can read this conversation, until you revoke it."))
    if workspace.owner == OWN_MACHINE:
        paragraph(
            say(
                "It opens on this machine only, where everybody sees all that is kept. For others, who see this "
                "conversation alone, start the app with --address 0.0.0.0, and put the machine's name for 127.0.0.1."
            ),
            quiet=True,
        )
    st.button(say("Revoke it"), key=f"revoke {stored.id}", on_click=partial(_revoke, workspace, stored.id))


def _share(workspace: Workspace, session_id: int) -> None:
    with_store(workspace, lambda store: share(store, session_id), "")


def _revoke(workspace: Workspace, session_id: int) -> None:
    with_store(workspace, lambda store: revoke(store, session_id), None)


def _app_address() -> str:
    """The address of the app itself, as the browser knows it."""
    return (st.context.url or "").partition("?")[0].rstrip("/").removesuffix("/History")
