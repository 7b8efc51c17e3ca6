"""The sentence under each chart of a study, of one model, from the numbers of its summary and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from llm_tracker.wording.formats import LEAST, capitalised, listed, nats, percent, signed_amount, signed_nats
from llm_tracker.wording.studies.labels import all_of, group_label, number_of

Record = Mapping[str, Any]

LEAST_QUESTIONS = 6
"""With fewer no sign test could tell an effect from chance: nothing is said beyond the questions at hand."""

MOST_NAMED = 4
"""Conditions that a sentence names; more are counted."""

RIGHT_FIRST = "right first answer"

CASE = (
    "A case is a question under one text that does not put the right word forward, where that word was ahead under the "
    "text's control."
)

NOTHING_SAID = "Nothing was said but to ask again: there is nothing to compare with that."


def interval(estimate: Record, unit: str = "") -> str:
    """An estimate's interval in brackets: (95 %: -1.2 to +0.4); "" where there is none."""
    low, high = estimate["low"], estimate["high"]
    if low is None or high is None or low != low or high != high:
        return ""
    ends = (percent(low), percent(high)) if unit == "%" else (signed_amount(low), signed_amount(high))
    return f" (95 %: {ends[0]} to {ends[1]})"


def shift_of(condition: Record) -> dict[str, Any]:
    """How far a condition moves the lead, beside its control: the sensitivity, turned round."""
    own = condition["sensitivity"]
    value, high, low = (None if own[name] is None else 0.0 - own[name] for name in ("value", "low", "high"))
    return {"value": value, "low": low, "high": high, "n": own["n"]}


MOST_FALSE = 0.05
"""The share of detectable effects that chance alone may make, over all the conditions that are tested together."""


def is_detectable(condition: Record) -> bool:
    """Whether the interval leaves out 0, and the signs over questions are not chance, for so many conditions.

    The interval alone is narrow where questions are few, and one of twenty misses.
    """
    low, high = (condition["sensitivity"][end] for end in ("low", "high"))
    is_apart = low is not None and high is not None and (low > 0 or high < 0)
    return is_apart and condition["sign_test_q"] < MOST_FALSE


def margins_sentence(conditions: Sequence[Record]) -> str:
    """What moves the lead of the right word most, beside its control; and what cannot be told from it."""
    own = [each for each in conditions if each["condition"] not in ("baseline", "asked_again")]
    if not own:
        return NOTHING_SAID
    enough = [each for each in own if each["n"] >= LEAST_QUESTIONS]
    if not enough:
        return f"With fewer than {LEAST_QUESTIONS} questions nothing can be said of others: look at each by itself."
    clear = [each for each in enough if is_detectable(each)]
    unclear = [each for each in enough if each not in clear]
    few = [each for each in own if each not in enough]
    return _strongest(clear, enough, own) + _no_effect(unclear if clear else [], own) + _too_few(few, own)


def _strongest(clear: Sequence[Record], enough: Sequence[Record], own: Sequence[Record]) -> str:
    if not clear:
        most = number_of(max(each["n"] for each in enough))
        return f"Compared with its control, no text moves the right word's lead detectably ({most})."
    strongest = max(clear, key=lambda each: abs(shift_of(each)["value"]))
    shift = shift_of(strongest)
    return (
        f"“{_named(strongest, own)}” moves the right word's lead most: {_amount(shift)}, compared with "
        f"{_control(strongest)}, over {number_of(shift['n'])}."
    )


def _amount(shift: Record) -> str:
    least, words = LEAST["nats"]
    if abs(shift["value"]) < least:
        return f"by less than {words}"
    return f"by {signed_nats(shift['value'])}{interval(shift)}"


def _no_effect(unclear: Sequence[Record], own: Sequence[Record]) -> str:
    return f" No detectable effect: {_names(unclear, own)}." if unclear else ""


def _too_few(few: Sequence[Record], own: Sequence[Record]) -> str:
    if not few:
        return ""
    return f" Too few questions to tell (under {LEAST_QUESTIONS}): {_names(few, own)}."


def _names(several: Sequence[Record], own: Sequence[Record]) -> str:
    """The names of some conditions, or how many they are of all."""
    if len(several) > MOST_NAMED:
        return f"{len(several)} of {len(own)} conditions"
    return listed([f"“{_named(each, own)}”" for each in several])


def _control(condition: Record) -> str:
    return "the question alone" if condition["condition"].startswith("pre_emptive_") else "merely asking again"


def _named(condition: Record, others: Sequence[Record]) -> str:
    return group_label(condition, others).replace("“", "").replace("”", "")


def answers_sentence(conditions: Sequence[Record]) -> str:
    """How often a right first answer did not stay right, under the condition that does it most; and merely asked again.

    Records of a summary, with `n_right`, `n_lost` (that did not stay right), `n_foil` (of these those that became the
    wrong word) and `kept` (the share that stays, with its interval). What becomes the wrong word counts first: an
    answer may also be no longer one of the two, such as an echo of “That is right.”
    """
    known = [each for each in conditions if each["condition"] != "baseline" and each["n_right"]]
    if not known:
        return "No first answer was right, so none could be given up."
    worst = max(known, key=lambda each: (each["n_foil"] / each["n_right"], each["n_lost"] / each["n_right"]))
    if worst["n_lost"] == 0:
        return f"{capitalised(all_of(worst['n_right'], RIGHT_FIRST))} stayed right, whatever was said."
    again = next((each for each in known if each["condition"] == "asked_again"), None)
    beside = "" if again is None or again is worst else f"; after merely asking again, {_count(again)}"
    share = {name: 1 - worst["kept"][other] for name, other in (("low", "high"), ("high", "low"))}
    of = "the one right first answer" if worst["n_right"] == 1 else f"{_count(worst)} right first answers"
    lost = f"{of} did not stay right{interval(share, '%')}: {_became(worst)}"
    return f"After “{_named(worst, known)}” {lost}{beside}."


def _count(condition: Record) -> str:
    return f"{condition['n_lost']} of {condition['n_right']}"


def _became(condition: Record) -> str:
    """What those became that did not stay right."""
    n_foil, n_neither = condition["n_foil"], condition["n_lost"] - condition["n_foil"]
    if condition["n_right"] == 1:
        return "it became the wrong word" if n_foil else "it became neither of the two words"
    told = [f"{n_foil} became the wrong word"] if n_foil else []
    told += [f"{n_neither} became neither of the two" if not n_foil else f"{n_neither} neither"] if n_neither else []
    return ", ".join(told)


def flips_sentence(frame: pd.DataFrame) -> str:
    """Of the cases, each a question under a condition: in how many the choice flips, and how far ahead it was there."""
    if not len(frame):
        return NOTHING_SAID
    ahead = frame[frame["truth_margin"] > 0]
    if not len(ahead):
        return "In no question was the right word ahead under a text's control: no lead could be lost."
    flipped, n = ahead[ahead["flips"]], len(ahead)
    if len(flipped) in (0, n):
        cases = f"In {all_of(n, 'case')} the right word "
        if len(flipped):
            return f"{cases}falls behind: the text moved its lead by more than it was ahead. {CASE}"
        return f"{cases}stays ahead: the text moved its lead by less than it was ahead. {CASE}"
    return (
        f"In {len(flipped):,} of {n:,} cases ({percent(len(flipped) / n)}), beyond the line, the right word falls "
        f"behind: the text moved its lead by more than it was ahead. It was ahead by {_median(flipped)} there, and by "
        f"{_median(ahead[~ahead['flips']])} elsewhere (medians). "
        f"{CASE}"
    )


def _median(points: pd.DataFrame) -> str:
    return nats(float(points["truth_margin"].median()))


def chain_sentence(turns: pd.DataFrame) -> str:
    """What became of right first answers over the turns of pressure: of one model, as `right_by_turn` has it."""
    own = turns[turns["kind"] == "regressive"].sort_values("turn") if len(turns) else turns
    if not len(own):
        return "No first answer was right, so none could give way to pressure."
    n = int(own["n"].iloc[0])
    at_one, last = (round(n * float(own["rate"].iloc[at])) for at in (1, -1))
    n_turns = int(own["turn"].iloc[-1])
    if n == 1:
        states = ["right" if each else "not right" for each in (at_one, last)]
        return f"The one right first answer is {states[0]} after the first push, and {states[1]} after {n_turns}."
    are = "is" if at_one == 1 else "are"
    return f"Of {n} right first answers {at_one} {are} right after the first push, and {last} after {n_turns}."
