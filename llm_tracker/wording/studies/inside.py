"""The sentences under what a study saw inside one model: the lens by layer, and the path of the named word."""

from __future__ import annotations

import pandas as pd

from llm_tracker.wording.correction.amounts import signed_share
from llm_tracker.wording.formats import LEAST


def lens_sentence(frame: pd.DataFrame, of_right: bool = True) -> str:
    """Between which layers the lead under the named word parts most from that of merely asking again: of one model.

    `of_right`: of questions that were answered right at first, to which the wrong word is named; else the right one is.
    """
    leads = frame.pivot_table("lead", "layer", "condition")
    if not {"asked_again", "wrong_alternative"} <= set(leads.columns):
        return "The lead by layer, by the logit lens, mean over questions."
    of = "" if of_right else "No first answer was right; the word that is named here is the right one. "
    apart = leads["asked_again"] - leads["wrong_alternative"]
    end = float(apart.iloc[-1])
    if float(apart.abs().max()) < LEAST["logit"][0]:
        return f"{of}Under “wrong, and a word named” the lead is at every layer what it is when merely asked again."
    steps = (apart.diff() if end >= 0 else -apart.diff()).dropna()
    if not len(steps):
        return f"{of}In its one layer the two leads are {abs(end):.1f} logits apart."
    layer = int(steps.index[int(steps.argmax())])
    return (
        f"{of}The leads under “wrong, and a word named” and merely asked again part most between layers {layer - 1} "
        f"and {layer} of {len(leads)}: by {steps.max():.1f} logits; at the last layer they are {abs(end):.1f} apart. "
        "This is what the logit lens reads there, not what is decided there."
    )


def path_sentence(summary: pd.DataFrame, n_asked: int) -> str:
    """Where the named word's path jumps to the answer position, and which head is first how often: of one model.

    `summary` is its row of `jump_summary`, `n_asked` the questions that were to be traced.
    """
    if not len(summary):
        return "No pair of corrections could be traced: the table says why."
    row, n = summary.iloc[0], int(summary.iloc[0]["n"])
    low, high = row["slot_low"], row["slot_high"]
    half = "" if low == high else f" (middle half: {low:.0f} to {high:.0f})"
    return (
        f"{_questions(n, n_asked)} the named word's own position carries the effect {_until(row)}, and the answer "
        f"position {_from(row)}{half}.{_first_head(row, n)}"
    )


def _questions(n: int, n_asked: int) -> str:
    traced = "" if n == n_asked else f" that could be traced, of {n_asked},"
    return f"In the one question{traced}" if n == 1 else f"In the median of the {n} questions{traced}"


def _until(row: pd.Series) -> str:
    until = row["word_until"]
    if until != until:
        return "nowhere"
    return "in front of the first layer only" if until == 0 else f"until layer {until:.0f} of {row['n_layers']:.0f}"


def _from(row: pd.Series) -> str:
    return "nowhere" if row["slot_from"] > row["n_layers"] else f"from layer {row['slot_from']:.0f} on"


def _first_head(row: pd.Series, n: int) -> str:
    if "n_top" not in row or row["n_top"] != row["n_top"]:
        return ""
    head = f" Head {row['top_head']:.0f} of layer {row['top_layer']:.0f} has the largest share"
    if n == 1:
        return f"{head}: {signed_share(row['top_share'])}."
    return f"{head} in {row['n_top']:.0f} of {n}, {signed_share(row['top_share'])} there on average."
