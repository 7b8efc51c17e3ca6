"""Whose sessions a visitor sees: their own, whoever else uses the app."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.app.work.workspaces import own_machine
from llm_tracker.languages.texts import say
from llm_tracker.settings import Settings
from llm_tracker.storage.store.visits import digest

LINK = "link "
"""What the owners begin with that are known by a link."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def owner_of(settings: Settings) -> Callable[[str], str]:
    """Tells the owner of a workspace by its key.

    Who is signed in owns what they asked, on every machine. Else it is the user of this machine, where the app is used
    on the machine that it runs on; and where others can reach it, whoever has the private link.
    """
    if (user := signed_in()) is not None:
        return lambda _key: f"user {user}"
    if not settings.public and is_on_this_machine():
        return own_machine
    return lambda key: f"{LINK}{digest(key)}"


def is_known_by_link(workspace: Workspace) -> bool:
    """Whether a visitor finds their sessions again by the address alone."""
    return workspace.owner.startswith(LINK)


def register(workspace: Workspace) -> None:
    """Note which tab looks at a workspace, and from where."""
    context = get_script_run_ctx()
    if context is not None:
        workspace.tabs.add(context.session_id)
    workspace.address = st.context.ip_address or workspace.key


def signed_in() -> str | None:
    """A digest of who is signed in with `st.login`; None where nobody is."""
    user = st.user.to_dict()
    if not user.get("is_logged_in"):
        return None
    return digest(f"{user.get('iss', '')} {user.get('sub') or user.get('email') or ''}")


def sign_in_choice() -> None:
    """Sign in and out, where whoever runs the app has set up `st.login` (the section `auth` of its secrets)."""
    user = st.user.to_dict()
    if "is_logged_in" not in user:
        return
    if not user["is_logged_in"]:
        st.button(say("Sign in"), key="sign in", on_click=st.login, width="stretch")
        st.caption(say("Signed in, you find your conversations again from any browser."))
        return
    name = user.get("name") or user.get("email") or say("somebody without a name")
    paragraph(say("Signed in as {name}.", name=name), quiet=True)
    st.button(say("Sign out"), key="sign out", on_click=st.logout, width="stretch")


def is_on_this_machine() -> bool:
    """Whether the browser runs on the machine that the app runs on, and knows it by that.

    The address of the connection tells whether it comes from here; behind a proxy of this machine all do, but they ask
    for another host.
    """
    asked_for = urlsplit(f"//{st.context.headers.get('Host', LOOPBACK[0])}").hostname
    return st.context.ip_address is None and asked_for in LOOPBACK
