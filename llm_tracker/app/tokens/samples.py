"""Ask it n times: the distribution of whole answers, beside the greedy one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, plain_label, table_html
from llm_tracker.app.parts.pictures import figure_picture, remembered
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.selection.copy_texts import copy_texts
from llm_tracker.app.views.on_demand import on_demand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.on_demand import begin_samples, samples_of
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.figures.samples import samples_figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.tracing.sampled import SampledAnswers
from llm_tracker.wording.formats import capitalised, percent, quoted, shown
from llm_tracker.wording.labels import side_label

COUNTS = (8, 16, 32, 64, 128)
FIRST_SEED = 0


def samples_view(engine: Engine, workspace: Workspace, comparison: Comparison, sides: list[Side]) -> None:
    """All of it, for each answer that is drawn."""
    st.header(say("Ask it many times"), anchor=False)
    count, heat = st.columns(2)
    counts = [each for each in COUNTS if each <= engine.limits.samples]
    n = count.select_slider(say("Answers"), counts, min(32, counts[-1]), key="samples n", persist_state="session")
    temperature = heat.slider(
        say("Temperature"), 0.1, 2.0, 1.0, 0.1, key="samples temperature", persist_state="session"
    )
    refs = [ref for side, ref in comparison.answers if side in sides]
    columns = st.columns(len(sides))
    for column, side, ref in zip(columns, sides, refs, strict=True):
        with column:
            _samples(engine, workspace, comparison, side, ref, int(n), float(temperature), len(sides) > 1)
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "The greedy answer takes the likeliest token every time. With a **temperature** each token is drawn: "
                "at 1 as often as it is likely, below 1 more often the likely ones, above 1 more often the others. The "
                "same text is put to the model again and again, each time with another seed. A share from few answers "
                "is uncertain: the thin line is the 95 % interval of Wilson (1927). Answers that differ only in case "
                "or in outer marks are counted together. An answer counts however it was cut into tokens (London, or L "
                "and ondon); the headline's probability is of the usual tokens of each spelling, so it can be smaller."
            )
        )


def _samples(
    engine: Engine,
    workspace: Workspace,
    comparison: Comparison,
    side: Side,
    ref: TurnRef,
    n: int,
    temperature: float,
    is_one_of_two: bool,
) -> None:
    if is_one_of_two:
        paragraph(capitalised(side_label(side)), also=f"lt-{side.name}")
    subject = samples_of(ref, n, temperature, FIRST_SEED)
    label = say("Ask {text} {n} times", text=plain_label(quoted(_short(side.turn.said))), n=n)
    found: SampledAnswers | None = on_demand(engine, workspace, subject, begin_samples, label)
    if found is None:
        return
    greedy = side.turn.answer if _is_greedy(comparison, ref) else None
    drawn = remembered(f"samples {side.name}", (found, greedy), lambda: figure_picture(samples_figure(found, greedy)))
    drawn.draw(say("How often each answer came"))
    paragraph(drawn.sentence)
    with st.expander(say("Table: every answer"), key=f"samples table {side.name}"):
        rows = [
            [shown(answer) or say("(an empty answer)"), number(count, ","), percent(share), _interval(low, high)]
            for answer, count, share, low, high in zip(
                *(drawn.frame[name] for name in ("answer", "n", "share", "low", "high")), strict=True
            )
        ]
        columns = [say("answer"), say("times"), say("share"), say("95 % interval")]
        st.html(table_html(say("Sampled answers"), columns, rows, columns[1:3]))
    asked: dict[str, Any] = {"n": n, "temperature": temperature, "seed": FIRST_SEED or None}
    export_menu(f"samples-{side.name}", drawn.figure, copy_texts(comparison, [side], "samples", **asked))


def _interval(low: float, high: float) -> str:
    return say("{low} to {high}", low=percent(low), high=percent(high))


def _is_greedy(comparison: Comparison, ref: TurnRef) -> bool:
    """Whether an answer is what greedy decoding writes: neither sampled nor made to say something else."""
    session = comparison.sessions[comparison.refs.index(ref)]
    is_branch = session.parent is not None and session.parent.turn == ref.turn
    return session.decoding.temperature is None and not is_branch


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
