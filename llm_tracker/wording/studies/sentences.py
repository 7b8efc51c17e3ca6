"""The sentence under each chart of a study, from the numbers of its summary and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from llm_tracker.wording.formats import nats, percent, signed_nats
from llm_tracker.wording.studies.labels import condition_label

Record = Mapping[str, Any]

LEAST_QUESTIONS = 6
"""With fewer no sign test could tell an effect from chance: nothing is said beyond the questions at hand."""


def interval(estimate: Record, unit: str = "") -> str:
    """An estimate's interval in brackets: (95 %: -1.2 to +0.4); "" where there is none."""
    low, high = estimate["low"], estimate["high"]
    if low is None or high is None or low != low or high != high:
        return ""
    if unit == "%":
        return f" (95 %: {percent(low)} to {percent(high)})"
    return f" (95 %: {low:+.1f} to {high:+.1f})"


def shift_of(condition: Record) -> dict[str, Any]:
    """How far a condition moves the lead, beside its control: the sensitivity, turned round."""
    own = condition["sensitivity"]
    low, high = (None if each is None else 0.0 - each for each in (own["high"], own["low"]))
    return {"value": 0.0 - own["value"], "low": low, "high": high, "n": own["n"]}


def is_detectable(estimate: Record) -> bool:
    """Whether an interval leaves out 0."""
    low, high = estimate["low"], estimate["high"]
    return low is not None and high is not None and (low > 0 or high < 0)


def margins_sentence(conditions: Sequence[Record]) -> str:
    """What moves the lead of the right word most, beside its control; and what cannot be told from it."""
    own = [each for each in conditions if each["condition"] not in ("baseline", "asked_again")]
    if not own:
        return "Nothing was said but to ask again: there is nothing to compare with that."
    if max(each["n"] for each in own) < LEAST_QUESTIONS:
        return f"{LEAST_QUESTIONS} questions are the fewest that can say something about others: look at the rows."
    strongest = max(own, key=lambda each: abs(each["sensitivity"]["value"]))
    shift = shift_of(strongest)
    name = _named(strongest, own)
    first = (
        f"Of all conditions “{name}” moves the lead of the right word most: by {signed_nats(shift['value'])} "
        f"beside {_control(strongest)}{interval(shift)}, over {_questions(shift['n'])}."
        if is_detectable(shift)
        else f"No condition moves the right word's lead detectably beside its control, over {_questions(shift['n'])}."
    )
    unclear = [_named(each, own) for each in own if not is_detectable(shift_of(each))]
    if unclear and is_detectable(shift):
        first += f" No detectable effect: {_listed(unclear)}."
    return first


def _control(condition: Record) -> str:
    return "the question alone" if condition["condition"].startswith("pre_emptive_") else "merely asking again"


def _named(condition: Record, others: Sequence[Record]) -> str:
    both = sum(each["condition"] == condition["condition"] for each in others) > 1
    return condition_label(condition["condition"], condition["pushes"], both).replace("“", "").replace("”", "")


def _questions(n: int) -> str:
    return "one question" if n == 1 else f"{n} questions"


def _listed(names: Sequence[str]) -> str:
    quotes = [f"“{name}”" for name in names]
    return quotes[0] if len(quotes) == 1 else f"{', '.join(quotes[:-1])} and {quotes[-1]}"


def answers_sentence(conditions: Sequence[Record]) -> str:
    """How often a right first answer was given up, under the condition that does it most; and merely asked again."""
    rates = [(each, *_given_up(each)) for each in conditions if each["condition"] != "baseline"]
    known = [each for each in rates if each[2]]
    if not known:
        return "No first answer was right, so that none could be given up."
    worst, given_up, n = max(known, key=lambda each: (each[1] / each[2], each[2]))
    again = next((each for each in known if each[0]["condition"] == "asked_again"), None)
    beside = "" if again is None or worst is again[0] else f" Merely asked again, {again[1]} of {again[2]} were."
    name = _named(worst, [each[0] for each in known])
    if given_up == 0:
        return f"No right first answer was given up, under no condition ({n} questions)."
    return f"Under “{name}” {given_up} of {n} right first answers were given up.{beside}"


def _given_up(condition: Record) -> tuple[int, int]:
    """How many right first answers did not stay, of how many that could be told: of written answers."""
    return condition["given_up"], condition["n_right"]


def flips_sentence(frame: pd.DataFrame) -> str:
    """Of the points of truth margin against sensitivity: how many questions flip, and where they lie."""
    ahead = frame[frame["truth_margin"] > 0]
    if not len(ahead):
        return "In no question was the right word ahead when merely asked again: none could flip."
    flipped = ahead[ahead["flips"]]
    if not len(flipped):
        return f"No question flips: in all {len(ahead)} points the truth margin is larger than the sensitivity."
    share = percent(len(flipped) / len(ahead))
    return (
        f"{len(flipped)} of {len(ahead)} points ({share}) lie beyond the line: there the text moved the lead by more "
        f"than the right word was ahead. There it was ahead by {_median(flipped)} (median), elsewhere by "
        f"{_median(ahead[~ahead['flips']])}."
        if len(flipped) < len(ahead)
        else f"All {len(ahead)} points lie beyond the line: the lead moved by more than the right word was ahead."
    )


def _median(points: pd.DataFrame) -> str:
    return nats(float(points["truth_margin"].median()))


def chain_sentence(turns: pd.DataFrame) -> str:
    """What became of right first answers over the turns of pressure."""
    own = turns[turns["kind"] == "regressive"] if len(turns) else turns
    if not len(own):
        return "No first answer was right, so that pressure could not make one give way."
    first = own[own["model"] == own["model"].iloc[0]].sort_values("turn")
    at_one, last = first[first["turn"] == 1].iloc[0], first.iloc[-1]
    return (
        f"Of {int(last['n'])} right first answers {percent(at_one['rate'])} are still right after the first push, and "
        f"{percent(last['rate'])} after {int(last['turn'])}."
    )


def lens_sentence(frame: pd.DataFrame) -> str:
    """From which layer on the lead under the named word differs from that of merely asking again."""
    own = frame[frame["model"] == frame["model"].iloc[0]]
    leads = own.pivot_table("lead", "layer", "condition")
    if not {"asked_again", "wrong_alternative"} <= set(leads.columns):
        return "The lead by layer, by the logit lens, mean over questions."
    difference = (leads["asked_again"] - leads["wrong_alternative"]).abs()
    jump = difference.diff().abs()
    layer, n_layers = int(jump.to_numpy()[1:].argmax()) + 2, len(leads)
    return (
        f"The leads under “wrong, and a word named” and merely asked again part most from layer {layer - 1} to {layer} "
        f"of {n_layers}: by {jump.loc[layer]:.1f} logits, of {difference.iloc[-1]:.1f} at the last layer. This is what "
        "the logit lens reads there, not what is decided there."
    )


def path_sentence(summary: pd.DataFrame) -> str:
    """Where the named word's path jumps to the answer slot, and which head is first how often."""
    if not len(summary):
        return "No pair of corrections could be traced: see why in the table."
    row = summary.iloc[0]
    text = (
        f"In the median question the named word's own position carries the effect until layer {row['word_until']:.0f} "
        f"of {row['n_layers']:.0f}, and the answer position from layer {row['slot_from']:.0f} on "
        f"(middle half: {row['slot_low']:.0f} to {row['slot_high']:.0f}; {_questions(int(row['n']))})."
    )
    if "n_top" in row and row["n_top"] == row["n_top"]:
        text += (
            f" Head {row['top_head']:.0f} of layer {row['top_layer']:.0f} has the largest share in "
            f"{row['n_top']:.0f} of them, {percent(row['top_share'])} on average there."
        )
    return text
