"""The sentences under what a study saw inside one model: the lens by layer, and the path of the named word."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.correction.amounts import signed_share
from llm_tracker.wording.formats import LEAST


def lens_sentence(frame: pd.DataFrame, of_right: bool = True) -> str:
    """Between which layers the lead under the named word parts most from that of merely asking again: of one model.

    Where they part nowhere but only come together, where they are furthest apart instead.
    `of_right`: of questions that were answered right at first, to which the wrong word is named; else the right one is.
    """
    leads = frame.pivot_table("lead", "layer", "condition")
    if not {"asked_again", "wrong_alternative"} <= set(leads.columns):
        return say("The lead by layer, by the logit lens, mean over questions.")
    apart = (leads["asked_again"] - leads["wrong_alternative"]).abs()
    said = _leads_apart(apart)
    if of_right:
        return said
    none_right = say("No first answer was right; the word that is named here is the right one.")
    return f"{none_right} {said}"


def _leads_apart(apart: pd.Series) -> str:
    """How far two leads are apart, by layer, in logits."""
    if float(apart.max()) < LEAST["logit"][0]:
        return say("Under “wrong, and a word named” the lead is at every layer what it is when merely asked again.")
    if len(apart) == 1:
        return say("In its one layer the two leads are {gap} logits apart.", gap=number(apart.iloc[0], ".1f"))
    note = say(
        "Here the lead is of first tokens, as the logit lens reads them; above it is of whole words. It is what is "
        "read there, not what is decided there."
    )
    return f"{_parting(apart)}; {_at_last(float(apart.iloc[-1]))}. {note}"


def _parting(apart: pd.Series) -> str:
    """Between which layers the distance of two leads grows most, or after which it is largest."""
    steps = apart.diff().dropna()
    if steps.max() < LEAST["logit"][0]:
        return say(
            "The leads under “wrong, and a word named” and merely asked again are furthest apart after layer {layer} "
            "of {n_layers}: by {gap} logits",
            layer=apart.idxmax(),
            n_layers=len(apart),
            gap=number(apart.max(), ".1f"),
        )
    layer = int(steps.index[int(steps.argmax())])
    return say(
        "The leads under “wrong, and a word named” and merely asked again part most between layers {before} and "
        "{layer} of {n_layers}: by {gap} logits",
        before=layer - 1,
        layer=layer,
        n_layers=len(apart),
        gap=number(steps.max(), ".1f"),
    )


def _at_last(gap: float) -> str:
    if gap < LEAST["logit"][0]:
        return say("at the last layer they are the same")
    return say("at the last layer they are {gap} apart", gap=number(gap, ".1f"))


def path_sentence(summary: pd.DataFrame, n_asked: int) -> str:
    """Where the named word's path jumps to the answer position, and which head is first how often: of one model.

    `summary` is its row of `jump_summary`, `n_asked` the questions that were to be traced.
    """
    row, n = summary.iloc[0], int(summary.iloc[0]["n"])
    told = say(
        "{questions} {word}, and {answer}.", questions=_questions(n, n_asked), word=_until(row), answer=_from(row)
    )
    return " ".join(filter(None, (told, _first_head(row, n))))


PARTS: Mapping[str, str] = {
    "lens": later("the lead by layer"),
    "paths": later("the named word's path"),
    "verdict_paths": later("the bare verdict's path"),
    "heads": later("the heads that carry the effect"),
    "words": later("what each word does"),
}


def left_out_sentence(left_out: pd.DataFrame, n_questions: int) -> str:
    """Which parts some questions of one model do not have, and why the first does not; "" where all have all."""
    told = [_left_out(str(part), own, n_questions) for part, own in left_out.groupby("part", sort=False)]
    return say("Left out: {parts}", parts="; ".join(told)) if told else ""


def _left_out(part: str, own: pd.DataFrame, n_questions: int) -> str:
    return say_n(
        "{part} of {left_out} of {n} questions (of the first: {why_not})",
        "{part} of {left_out} of {n} questions (of the first: {why_not})",
        n_questions,
        part=say(PARTS[part]),
        left_out=own["question_id"].nunique(),
        why_not=own["why_not"].iloc[0],
    )


def untraced_sentence(why_not: str) -> str:
    """What there is instead of a path where no pair could be traced; `why_not` is that of the first question."""
    return say("No pair of corrections could be traced. Of the first question: {why_not}", why_not=why_not)


def _questions(n: int, n_asked: int) -> str:
    if n == n_asked:
        return say_n("In the one question", "In the median of the {n} questions", n)
    return say_n(
        "In the one question that could be traced, of {n_asked},",
        "In the median of the {n} questions that could be traced, of {n_asked},",
        n,
        n_asked=n_asked,
    )


def _until(row: pd.Series) -> str:
    until = row["word_until"]
    if until != until:
        return say("the named word's own position carries the effect nowhere")
    if until == 0:
        return say("the named word's own position carries the effect in front of the first layer only")
    return say(
        "the named word's own position carries the effect until layer {layer} of {n_layers}",
        layer=number(until, ".0f"),
        n_layers=number(row["n_layers"], ".0f"),
    )


def _from(row: pd.Series) -> str:
    """Since when the answer position carries it, with the middle half; one past the last layer stands for nowhere."""
    if row["slot_from"] > row["n_layers"]:
        return say("the answer position nowhere")
    layer, low, high = (number(row[name], ".0f") for name in ("slot_from", "slot_low", "slot_high"))
    if row["slot_low"] == row["slot_high"]:
        return say("the answer position from layer {layer} on", layer=layer)
    if row["slot_high"] > row["n_layers"]:
        return say("the answer position from layer {layer} on (middle half: {low} to nowhere)", layer=layer, low=low)
    return say(
        "the answer position from layer {layer} on (middle half: {low} to {high})", layer=layer, low=low, high=high
    )


def _first_head(row: pd.Series, n: int) -> str:
    if "n_top" not in row or row["n_top"] != row["n_top"]:
        return ""
    head, layer, n_top = (number(row[name], ".0f") for name in ("top_head", "top_layer", "n_top"))
    share = signed_share(row["top_share"])
    if n == 1:
        return say("Head {head} of layer {layer} has the largest share: {share}.", head=head, layer=layer, share=share)
    return say(
        "Head {head} of layer {layer} has the largest share in {n_top} of {n}, {share} there on average.",
        head=head,
        layer=layer,
        n_top=n_top,
        n=n,
        share=share,
    )
