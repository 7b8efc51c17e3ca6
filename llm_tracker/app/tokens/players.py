"""The answers token by token: players, and the bars of all their tokens."""

from __future__ import annotations

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.tokens import TokenMeasure, answers_frame
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import exact, paragraph, table_html
from llm_tracker.app.parts.pictures import figure_picture, remembered
from llm_tracker.app.parts.token_player import token_player
from llm_tracker.app.selection.comparison import Comparison, pick_step
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.app.selection.segments import segments
from llm_tracker.app.selection.selection import Arrangement
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.on_demand import begin_branch, branch_of
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.html_text import sentence
from llm_tracker.figures.tokens import tokens_figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.answers import ending_note
from llm_tracker.wording.formats import capitalised, in_quotes, percent, shown
from llm_tracker.wording.labels import TURN_LABELS, side_label

MEASURES: dict[TokenMeasure, str] = {"prob": later("probability"), "entropy_nats": later("entropy")}


def players(engine: Engine, workspace: Workspace, comparison: Comparison, sides: list[Side]) -> None:
    """The answers that are drawn, each with its tokens to walk through."""
    for column, side in zip(st.columns(len(sides)), sides, strict=True):
        with column:
            _player(engine, workspace, comparison, side)
    paragraph(
        say(
            "Arrow keys walk, Home and End jump, the space bar plays. “What if” lets the model go on from another "
            "candidate."
        ),
        quiet=True,
    )


def _player(engine: Engine, workspace: Workspace, comparison: Comparison, side: Side) -> None:
    at = next(at for at, (each, _) in enumerate(comparison.answers) if each.name == side.name)
    ref = comparison.refs[at]
    st.html(
        f'<p class="lt-text"><b class="lt-{side.name}">{sentence(capitalised(side_label(side)))}</b> '
        f'<span class="lt-quiet">· {in_quotes(exact(side.turn.said))}{sentence(ending_note(side.turn))}</span></p>'
    )

    def what_if(step: int, token_id: int) -> None:
        begin_branch(engine, workspace, branch_of(ref, step, token_id))

    token_player(
        side,
        f"player {side.name} {comparison.results} {ref}",
        lambda step: pick_step(comparison, at, step),
        what_if,
        workspace.job is None,
    )


@st.fragment
def bars_view(comparison: Comparison, sides: list[Side], shown_as: Arrangement) -> None:
    """The bars of all tokens, and the table."""
    st.header(say("All tokens"), anchor=False)
    measure = segments("bars", say("What the bars show"), {name: say(label) for name, label in MEASURES.items()})
    is_difference = shown_as == "difference"
    key = (tuple((side.name, side.turn.trace) for side in sides), measure, is_difference)
    drawn = remembered("tokens", key, lambda: figure_picture(tokens_figure(sides, measure, is_difference)))
    drawn.draw(say("All tokens"))
    paragraph(drawn.sentence)
    export_menu("tokens", drawn.figure, copy_texts(comparison, sides, "tokens", is_difference, measure=measure))
    with st.expander(say("Table: every token")):
        st.html(remembered("token table", tuple((side.name, side.turn.trace) for side in sides), lambda: _table(sides)))
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "Each bar is one token of the answer, in the order in which they were written. Its **probability** is "
                "what the model gave this token before it wrote it. The **entropy** says how open the choice was, in "
                "nats: 0 is no choice at all, and two candidates as likely as each other have 0.69 (the natural "
                "logarithm of 2). Both are of the model's own prediction, before any temperature. Likely is not right."
            )
        )


def _table(sides: list[Side]) -> str:
    frame = answers_frame(sides)
    rows = [
        [
            say(TURN_LABELS[row["turn"]]),
            str(row["number"]),
            shown(row["token"]),
            percent(row["prob"]),
            number(row["rank"], ","),
            number(row["logit"], ".1f"),
            "" if row["entropy_nats"] != row["entropy_nats"] else number(row["entropy_nats"], ".2f"),
            shown(row["rival"]),
            percent(row["rival_prob"]),
        ]
        for row in frame.to_dict("records")
    ]
    token, numbers = say("token"), [say("probability"), say("rank"), say("logit")]
    columns = [say("answer"), token, say("text"), *numbers, say("entropy, nats"), say("next best"), say("with")]
    return table_html(say("Every token of the answers"), columns, rows, (token, *numbers))
