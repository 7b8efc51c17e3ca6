"""Behind the second view: what every layer would write after every token of a text. Computed when asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.app.parts.downloads import csv_button
from llm_tracker.app.parts.html import paragraph, plain_label
from llm_tracker.app.parts.pictures import Picture, picture, remembered
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison, select_of, shown_comparison
from llm_tracker.app.selection.selection import chosen, unless_default
from llm_tracker.app.work.background import positions_of, read_positions
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.charts.positions import positions_chart
from llm_tracker.wording.formats import quoted
from llm_tracker.wording.labels import side_label
from llm_tracker.wording.positions import positions_sentence, word_sentence

WINDOW = 30
"""Tokens that are drawn at once."""

NEXT = "next_prob"
BEST = "best_prob"
NAMES = {NEXT: "the token that does come next", BEST: "the layer's likeliest token"}


def positions_view(engine: Engine, workspace: Workspace, comparison: Comparison) -> None:
    """All of it, in a panel that is closed until it is wanted."""
    with st.expander("All layers at all tokens of the text"):
        side, ref = _choose(comparison)
        job = workspace.job
        lens = workspace.position_lenses.get(ref)
        if job is not None and workspace.is_at_work_on(positions_of(ref)):
            _watch(job)
            if lens is not None:
                _map(side, lens, comparison)
        elif lens is None:
            _offer(engine, workspace, side)
        else:
            _map(side, lens, comparison)
            session = comparison.sessions[comparison.refs.index(ref)]
            new = [word for word in session.watch_words if word not in lens.watched]
            if new:
                _button(engine, workspace, f"Read again, for {' and '.join(map(quoted, new))} too")


def _choose(comparison: Comparison) -> tuple[Side, TurnRef]:
    """The answer whose text is read."""
    side, ref = _chosen(comparison)
    if len(comparison.answers) > 1:
        labels = {side.name: plain_label(side_label(side)) for side, _ in comparison.answers}
        names = list(labels)
        key = "positions of"
        choose = show_choice(
            key, side.name, lambda picked: select(map=unless_default(picked, names[-1]), map_from=None)
        )
        st.segmented_control(
            "Of the text",
            names,
            default=side.name,
            format_func=labels.__getitem__,
            key=key,
            on_change=choose,
            required=True,
        )
    return side, ref


def _chosen(comparison: Comparison) -> tuple[Side, TurnRef]:
    """Which one it is, before it is drawn too."""
    wanted = selected().map
    return next((answer for answer in comparison.answers if answer[0].name == wanted), comparison.answers[-1])


def _offer(engine: Engine, workspace: Workspace, side: Side) -> None:
    trace = side.turn.trace
    count = trace.prompt_length + trace.n_steps - 1
    paragraph(
        f"The logit lens of every layer at all {count:,} tokens of this text, template marks and all that stands in "
        "front of the question included. It is computed when you ask for it, since it takes a while: a few seconds "
        "for every hundred tokens on a laptop.",
        quiet=True,
    )
    _button(engine, workspace, "Read every token")


def _button(engine: Engine, workspace: Workspace, label: str) -> None:
    """Begins the reading; it waits where something else is being computed."""
    is_busy = workspace.job is not None
    waiting = " (once what is being computed is there)" if is_busy else ""
    st.button(
        f"{label}{waiting}",
        key="read positions",
        on_click=_read,  # before the page is drawn, or what its views need would come first
        args=(engine, workspace),
        disabled=is_busy,
    )


def _read(engine: Engine, workspace: Workspace) -> None:
    """Read the text that is shown by now: while a new answer is being drawn, the button of the old one still stands."""
    _, ref = _chosen(shown_comparison(workspace))
    read_positions(engine, workspace, ref)
    if workspace.job is not None and workspace.job.subject != positions_of(ref):
        st.toast("Not begun: something else is being computed. Press again once it is there.")


@st.fragment(run_every=0.3)
def _watch(job: Job) -> None:
    """How far it is, with a button that stops it; then draw the page anew."""
    if not job.active:
        st.rerun()
    stage = job.progress.stage if job.progress is not None else "Reading every layer of every token"
    st.progress(job.share, text=f"{stage}: {job.share:.0%}")
    st.button("Stop", key="stop positions", on_click=job.stop, disabled=job.stopping())


@st.fragment
def _map(side: Side, lens: PositionLens, comparison: Comparison) -> None:
    """The map of a stretch of the text, its sentence, and the whole as CSV."""
    named = {**NAMES, **{f"prob of {word}": quoted(word) for word in lens.watched}}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        value = _value(named)
    first, last = 0, len(lens.tokens)
    if last > WINDOW:
        with right:
            first = _first_token(last, comparison) - 1
        last = first + WINDOW
    drawn = remembered("positions", (side.turn.trace, value, first), lambda: _draw(lens, value, named, first, last))
    drawn.draw("What every layer would write")
    paragraph(drawn.sentence)
    paragraph(
        "A column is named for the token that was just read; its colours are about what comes after that. A read-out, "
        "not a decision, as above. In the first layers of many models the token that was just read shines "
        "through. Of a followed word its first token is meant, written as at the beginning of the answer.",
        quiet=True,
    )
    csv_button("positions", lambda: {side.name: lens.frame()})


def _value(named: Mapping[str, str]) -> str:
    """Whose probability is the colour."""
    key = "positions value"
    value = chosen(selected().map_shows, list(named), NEXT)
    choose = show_choice(key, value, lambda picked: select(map_shows=unless_default(picked, NEXT)))
    st.selectbox(
        "The colour is the probability of",
        list(named),
        list(named).index(value),
        format_func=named.__getitem__,
        key=key,
        on_change=choose,
    )
    return value


def _first_token(count: int, comparison: Comparison) -> int:
    """Where the stretch begins, from 1: at its latest, so that it shows the answer."""
    key, latest = f"positions from {count}", count - WINDOW + 1
    first = chosen(selected().map_from, range(1, latest + 1), latest)
    choose = show_choice(key, first, lambda picked: select_of(comparison, map_from=unless_default(picked, latest)))
    st.slider(
        f"From token (of {count:,}; {WINDOW} are drawn)",
        1,
        latest,
        first,
        key=key,
        on_change=choose,
    )
    return first


def _draw(lens: PositionLens, value: str, named: Mapping[str, str], first: int, last: int) -> Picture:
    frame: pd.DataFrame = lens.frame()
    stretch = frame[frame["position"].between(first, last - 1)]
    word = next((word for word in lens.watched if value == f"prob of {word}"), None)
    said = positions_sentence(lens) if word is None else word_sentence(lens, word, first, last)
    return picture(positions_chart(stretch, value, named[value]), said)
