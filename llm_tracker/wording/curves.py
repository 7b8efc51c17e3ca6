"""The sentences below the curves of the Layers page."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure, commit_layer, n_leading, quality
from llm_tracker.wording.formats import LEAST, capitalised, difference, nats, quoted, quoted_token

ECHO = (
    "Before the first layer a model with tied embeddings would simply write its input again: in the first layers the "
    "token that was just read shines through."
)
"""The echo of the input at depth 0 (the embeddings)."""


def curves_sentence(side: Side) -> str:
    """From which layer on the likeliest token stays, and how much the lens is worth half-way."""
    table = side.turn.trace.lens.get(side.step)
    if table is None:
        return "This token's layers have not been read."
    n_layers, commit = side.turn.trace.n_layers, commit_layer(side)
    best = quoted_token(table.top_tokens[-1][0])
    if commit == 1:
        told = f"At every layer the likeliest token is {best}"
    elif commit == n_layers:
        is_back = bool((table.top_token_ids[:-1, 0] == table.top_token_ids[-1, 0]).any())
        told = f"{'The' if is_back else 'Only the'} last layer's likeliest token is {best}"
    else:
        told = f"From layer {commit} of {n_layers} on the likeliest token is {best}"
    several = n_leading(side)
    ranked = f"; {several} tokens rank first at some layer" if several > 1 else ""
    return f"{told}{ranked}.{_worth(side)}"


def _worth(side: Side) -> str:
    """How far the read-out is from the model's own prediction half-way."""
    frame = quality(side)
    if len(frame) < 3:
        return ""
    middle = len(frame) // 2
    half = float(frame["kl_nats"].iloc[middle - 1])
    return f" At layer {middle} the read-out is {nats(half)} from the model's own prediction (KL)."


def curve_differences_sentence(frame: pd.DataFrame, measure: CurveMeasure, lead_of: str = "") -> str:
    """Which word differs most, and at which layer: `analysis.curves.curve_differences`.

    Or where a lead does: `lead_of` names both words.
    """
    after = frame[frame["turn"] != "again"]
    if after.empty:
        return "No word was read on both sides."
    most = after.iloc[int(after[measure].abs().argmax())]
    amount = difference(float(most[measure]), measure)
    if not amount:
        return f"At no layer does {lead_of or 'a word'} differ by {LEAST[measure][1]}."
    name = capitalised(lead_of) if lead_of else quoted(str(most["line"]))
    there = frame[(frame["turn"] == "again") & (frame["line"] == most["line"]) & (frame["layer"] == most["layer"])]
    again = "".join(f"; merely asked again, {_again(float(value), measure)}" for value in there[measure])
    return f"{name} differs most at layer {most['layer']}: {amount}{again}."


def _again(value: float, measure: CurveMeasure) -> str:
    return difference(value, measure) or f"by less than {LEAST[measure][1]}"
