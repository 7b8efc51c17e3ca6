"""What if it had said something else: the branches of an answer, each beside the original."""

from __future__ import annotations

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.html import exact, paragraph, plain_label
from llm_tracker.app.selection.comparison import Comparison, compare
from llm_tracker.app.views.on_demand import watch
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import ending_note, named_token
from llm_tracker.wording.formats import capitalised, quoted_token, shown


def branches_view(workspace: Workspace, comparison: Comparison) -> None:
    """The branch that is being written, and those that are there of the answers that are shown."""
    with st.container(key="branches"):
        job = workspace.job
        if job is not None and isinstance(job.subject, Subject) and job.subject.kind == "branch":
            paragraph(say("What if it had said {token}?", token=_said(workspace, job.subject)))
            watch(job, job.subject)
        for ref, side in {ref: side for side, ref in comparison.answers}.items():
            for subject, branch in branches(workspace, ref).items():
                _branch(workspace, comparison, side, ref, subject, branch)


def branches(workspace: Workspace, ref: TurnRef) -> dict[Subject, TurnRef]:
    """The branches of an answer that are kept, by what they are."""
    found = {subject: kept for subject, kept in workspace.computed.items() if subject.kind == "branch"}
    return {subject: kept for subject, kept in found.items() if subject.turn == ref and workspace.has_turn(kept)}


def _said(workspace: Workspace, subject: Subject) -> str:
    """The token that a branch says, in quotation marks."""
    step, token_id = subject.details
    session = workspace.sessions.get(subject.turn.session)
    if session is None:
        return say("another token")
    trace = session.turns[subject.turn.turn].trace
    texts = dict(zip(trace.top_token_ids[step].tolist(), trace.top_tokens[step], strict=True))
    return quoted_token(texts.get(token_id, say("another token")))


def _branch(
    workspace: Workspace, comparison: Comparison, side: Side, ref: TurnRef, subject: Subject, branch: TurnRef
) -> None:
    """One branch: where it left the answer, how it went on, and a button that compares the two everywhere."""
    turn = workspace.sessions[branch.session].turns[branch.turn]
    step, _ = subject.details
    is_shown = comparison.refs == (ref, branch)
    text, press = st.columns([3, 2], vertical_alignment="center")
    with text:
        st.html(
            f'<p class="lt-text lt-quiet">{sentence(_where(side, workspace, subject))}</p>'
            f'<div class="lt-written">{_marked(turn, step)}{sentence(ending_note(turn))}</div>'
        )
    press.button(
        say("Shown beside the original") if is_shown else say("Compare with the original"),
        key=f"compare {plain_label(str(subject))}",
        on_click=compare,
        args=(comparison, (ref, branch)),
        disabled=is_shown,
    )


def _where(side: Side, workspace: Workspace, subject: Subject) -> str:
    step, _ = subject.details
    told = say(
        "{place} says {said} in place of {token}:",
        place=named_token(side.turn, step),
        said=_said(workspace, subject),
        token=quoted_token(side.turn.trace.tokens[step]),
    )
    return capitalised(told)


def _marked(turn: Turn, step: int) -> str:
    """The branch's text, the token that was chosen in bold."""
    start, end = turn.spans[step]
    return f"{exact(turn.text[:start])}<b>{exact(shown(turn.text[start:end]))}</b>{exact(turn.text[end:])}"
