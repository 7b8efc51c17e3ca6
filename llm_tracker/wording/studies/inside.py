"""The sentences under what a study saw inside one model: the lens by layer, and the path of the named word."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from llm_tracker.wording.correction.amounts import signed_share
from llm_tracker.wording.formats import LEAST


def lens_sentence(frame: pd.DataFrame, of_right: bool = True) -> str:
    """Between which layers the lead under the named word parts most from that of merely asking again: of one model.

    Where they part nowhere but only come together, where they are furthest apart instead.
    `of_right`: of questions that were answered right at first, to which the wrong word is named; else the right one is.
    """
    leads = frame.pivot_table("lead", "layer", "condition")
    if not {"asked_again", "wrong_alternative"} <= set(leads.columns):
        return "The lead by layer, by the logit lens, mean over questions."
    of = "" if of_right else "No first answer was right; the word that is named here is the right one. "
    apart = (leads["asked_again"] - leads["wrong_alternative"]).abs()
    if float(apart.max()) < LEAST["logit"][0]:
        return f"{of}Under “wrong, and a word named” the lead is at every layer what it is when merely asked again."
    if len(apart) == 1:
        return f"{of}In its one layer the two leads are {apart.iloc[0]:.1f} logits apart."
    return (
        f"{of}The leads under “wrong, and a word named” and merely asked again {_parting(apart)}; at the last layer "
        f"they are {_apart(float(apart.iloc[-1]))}. Here the lead is of first tokens, as the logit lens reads them; "
        "above it is of whole words. It is what is read there, not what is decided there."
    )


def _parting(apart: pd.Series) -> str:
    """Between which layers the distance of two leads (by layer, in logits) grows most, or after which it is largest."""
    steps = apart.diff().dropna()
    if steps.max() < LEAST["logit"][0]:
        return f"are furthest apart after layer {apart.idxmax()} of {len(apart)}: by {apart.max():.1f} logits"
    layer = int(steps.index[int(steps.argmax())])
    return f"part most between layers {layer - 1} and {layer} of {len(apart)}: by {steps.max():.1f} logits"


def _apart(logits: float) -> str:
    return "the same" if logits < LEAST["logit"][0] else f"{logits:.1f} apart"


def path_sentence(summary: pd.DataFrame, n_asked: int) -> str:
    """Where the named word's path jumps to the answer position, and which head is first how often: of one model.

    `summary` is its row of `jump_summary`, `n_asked` the questions that were to be traced.
    """
    row, n = summary.iloc[0], int(summary.iloc[0]["n"])
    return (
        f"{_questions(n, n_asked)} the named word's own position carries the effect {_until(row)}, and the answer "
        f"position {_from(row)}.{_first_head(row, n)}"
    )


PARTS: Mapping[str, str] = {
    "lens": "the lead by layer",
    "paths": "the named word's path",
    "verdict_paths": "the bare verdict's path",
    "heads": "the heads that carry the effect",
    "words": "what each word does",
}


def left_out_sentence(left_out: pd.DataFrame, n_questions: int) -> str:
    """Which parts some questions of one model do not have, and why the first does not; "" where all have all."""
    told = [
        f"{PARTS[str(part)]} of {own['question_id'].nunique()} of {n_questions} questions "
        f"(of the first: {own['why_not'].iloc[0]})"
        for part, own in left_out.groupby("part", sort=False)
    ]
    return f"Left out: {'; '.join(told)}" if told else ""


def untraced_sentence(why_not: str) -> str:
    """What there is instead of a path where no pair could be traced; `why_not` is that of the first question."""
    return f"No pair of corrections could be traced. Of the first question: {why_not}"


def _questions(n: int, n_asked: int) -> str:
    traced = "" if n == n_asked else f" that could be traced, of {n_asked},"
    return f"In the one question{traced}" if n == 1 else f"In the median of the {n} questions{traced}"


def _until(row: pd.Series) -> str:
    until = row["word_until"]
    if until != until:
        return "nowhere"
    return "in front of the first layer only" if until == 0 else f"until layer {until:.0f} of {row['n_layers']:.0f}"


def _from(row: pd.Series) -> str:
    """Since when the answer position carries it, with the middle half; one past the last layer stands for nowhere."""
    if row["slot_from"] > row["n_layers"]:
        return "nowhere"
    low, high = row["slot_low"], row["slot_high"]
    to = "nowhere" if high > row["n_layers"] else f"{high:.0f}"
    return f"from layer {row['slot_from']:.0f} on{'' if low == high else f' (middle half: {low:.0f} to {to})'}"


def _first_head(row: pd.Series, n: int) -> str:
    if "n_top" not in row or row["n_top"] != row["n_top"]:
        return ""
    head = f" Head {row['top_head']:.0f} of layer {row['top_layer']:.0f} has the largest share"
    if n == 1:
        return f"{head}: {signed_share(row['top_share'])}."
    return f"{head} in {row['n_top']:.0f} of {n}, {signed_share(row['top_share'])} there on average."
