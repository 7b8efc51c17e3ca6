"""Take the whole conversation along: an archive of it, a report, and the code that makes it again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.views.on_demand import on_demand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.on_demand import complete, whole_of
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.archive import session_zip
from llm_tracker.export.copy_as import session_command, session_python
from llm_tracker.export.report import session_report
from llm_tracker.figures.overview import overview
from llm_tracker.languages.spoken import in_this_language
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session


def take_along(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """A folded panel for the conversation that the answer on the right is of."""
    with st.expander(say("Take this conversation along"), key="take along"):
        session, ref = comparison.sessions[-1], comparison.refs[-1]
        if not is_complete(session):
            on_demand(
                engine,
                workspace,
                whole_of(ref),
                complete,
                say("Read all that is missing"),
                say(
                    "A saved conversation has the layers of every token. Some are still to be read; it takes a moment."
                ),
            )
            return
        with st.container(horizontal=True):
            _button(say("Archive (zip)"), "session.zip", "application/zip", lambda: session_zip(session))
            _button(
                say("Report (HTML)"), "report.html", "text/html", lambda: session_report(session, overview(session))
            )
        paragraph(
            say(
                "The archive opens in Python (lt.load_session) and on the command line. The report is one page that "
                "needs no network. Neither names a path of this machine."
            ),
            quiet=True,
        )
        paragraph(say("Copy as Python"), quiet=True)
        st.code(session_python(session), language="python", wrap_lines=True)
        paragraph(say("Copy as command"), quiet=True)
        st.code(session_command(session), language="bash", wrap_lines=True)


def is_complete(session: Session) -> bool:
    """Whether every step of every answer has its layers."""
    return all(len(turn.trace.lens) == turn.trace.n_steps for turn in session.all_turns)


def _button(label: str, name: str, mime: str, make: Callable[[], str | bytes]) -> None:
    st.download_button(label, in_this_language(make), file_name=name, mime=mime, key=f"take {name}", on_click="ignore")
