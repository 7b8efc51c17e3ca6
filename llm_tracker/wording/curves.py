"""The sentences below the curves of the Layers page."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure, commit_layer, n_leading, quality
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import LEAST, capitalised, difference, nats, quoted, quoted_token

ECHO = later(
    "Before the first layer a model with tied embeddings would simply write its input again: in the first layers the "
    "token that was just read shines through."
)
"""The echo of the input at depth 0 (the embeddings)."""


def curves_sentence(side: Side) -> str:
    """From which layer on the likeliest token stays, and how much the lens is worth half-way."""
    table, commit = side.turn.trace.lens.get(side.step), commit_layer(side)
    if table is None or commit is None:
        return say("This token's layers have not been read.")
    n_layers = side.turn.trace.n_layers
    best = quoted_token(table.top_tokens[-1][0])
    if commit == 1:
        told = say("At every layer the likeliest token is {token}", token=best)
    elif commit == n_layers:
        is_back = bool((table.top_token_ids[:-1, 0] == table.top_token_ids[-1, 0]).any())
        if is_back:
            told = say("The last layer's likeliest token is {token}", token=best)
        else:
            told = say("Only the last layer's likeliest token is {token}", token=best)
    else:
        layers = {"layer": number(commit), "all": number(n_layers)}
        told = say("From layer {layer} of {all} on the likeliest token is {token}", token=best, **layers)
    several = n_leading(side)
    ranked = f"; {say('{n} tokens rank first at some layer', n=number(several))}" if several > 1 else ""
    return f"{told}{ranked}.{_worth(side)}"


def _worth(side: Side) -> str:
    """How far the read-out is from the model's own prediction half-way."""
    frame = quality(side)
    if len(frame) < 3:
        return ""
    middle = len(frame) // 2
    half = float(frame["kl_nats"].iloc[middle - 1])
    told = say(
        "At layer {layer} the read-out is {nats} from the model's own prediction (KL).",
        layer=number(middle),
        nats=nats(half),
    )
    return f" {told}"


def curve_differences_sentence(frame: pd.DataFrame, measure: CurveMeasure, lead_of: str = "") -> str:
    """Which word differs most, and at which layer: `analysis.curves.curve_differences`.

    Or where a lead does: `lead_of` names both words.
    """
    after = frame[frame["turn"] != "again"]
    if after.empty:
        return say("No word was read on both sides.")
    most = after.iloc[int(after[measure].abs().argmax())]
    amount = difference(float(most[measure]), measure)
    if not amount:
        least = say(LEAST[measure][1])
        if lead_of:
            return say("At no layer does {lead} differ by {least}.", lead=lead_of, least=least)
        return say("At no layer does a word differ by {least}.", least=least)
    name = lead_of or quoted(str(most["line"]))
    there = frame[(frame["turn"] == "again") & (frame["line"] == most["line"]) & (frame["layer"] == most["layer"])]
    told = say("{name} differs most at layer {layer}: {amount}", name=name, layer=number(most["layer"]), amount=amount)
    return f"{capitalised(told)}{''.join(_again(float(value), measure) for value in there[measure])}."


def _again(value: float, measure: CurveMeasure) -> str:
    amount = difference(value, measure) or say("by less than {least}", least=say(LEAST[measure][1]))
    return f"; {say('merely asked again, {amount}', amount=amount)}"
