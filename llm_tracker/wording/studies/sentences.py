"""The sentence under each chart of a study, of one model, from the numbers of its summary and its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.formats import LEAST, capitalised, in_quotes, listed, nats, percent, signed_amount, signed_nats
from llm_tracker.wording.studies.labels import RIGHT_FIRST, all_of, group_label, number_of

Record = Mapping[str, Any]

LEAST_QUESTIONS = 6
"""With fewer no sign test could tell an effect from chance: nothing is said beyond the questions at hand."""

MOST_NAMED = 4
"""Conditions that a sentence names; more are counted."""

CASE = later(
    "A case is a question under one text that does not put the right word forward, where that word was ahead under the "
    "text's control."
)

NOTHING_SAID = later("Nothing was said but to ask again: there is nothing to compare with that.")


def interval(estimate: Record, unit: str = "") -> str:
    """An estimate's interval in brackets: (95 %: -1.2 to +0.4); "" where there is none."""
    low, high = estimate["low"], estimate["high"]
    if low is None or high is None or low != low or high != high:
        return ""
    written = percent if unit == "%" else signed_amount
    ends = say("95 %: {low} to {high}", low=written(low), high=written(high))
    return f" ({ends})"


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
        return say(NOTHING_SAID)
    enough = [each for each in own if each["n"] >= LEAST_QUESTIONS]
    if not enough:
        return say(
            "With fewer than {least} questions nothing can be said of others: look at each by itself.",
            least=LEAST_QUESTIONS,
        )
    clear = [each for each in enough if is_detectable(each)]
    unclear = [each for each in enough if each not in clear]
    few = [each for each in own if each not in enough]
    told = (_strongest(clear, enough, own), _no_effect(unclear if clear else [], own), _too_few(few, own))
    return " ".join(filter(None, told))


def _strongest(clear: Sequence[Record], enough: Sequence[Record], own: Sequence[Record]) -> str:
    if not clear:
        most = number_of(max(each["n"] for each in enough))
        return say(
            "Compared with its control, no text moves the right word's lead detectably ({questions}).", questions=most
        )
    strongest = max(clear, key=lambda each: abs(shift_of(each)["value"]))
    shift = shift_of(strongest)
    told = {"text": _named(strongest, own), "change": _amount(shift), "questions": number_of(shift["n"])}
    if strongest["condition"].startswith("pre_emptive_"):
        return say(
            "{text} moves the right word's lead most: {change}, compared with the question alone, over {questions}.",
            **told,
        )
    return say(
        "{text} moves the right word's lead most: {change}, compared with merely asking again, over {questions}.",
        **told,
    )


def _amount(shift: Record) -> str:
    least, words = LEAST["nats"]
    if abs(shift["value"]) < least:
        return say("by less than {least}", least=say(words))
    return say("by {change}", change=f"{signed_nats(shift['value'])}{interval(shift)}")


def _no_effect(unclear: Sequence[Record], own: Sequence[Record]) -> str:
    return say("No detectable effect: {conditions}.", conditions=_names(unclear, own)) if unclear else ""


def _too_few(few: Sequence[Record], own: Sequence[Record]) -> str:
    if not few:
        return ""
    return say(
        "Too few questions to tell (under {least}): {conditions}.", least=LEAST_QUESTIONS, conditions=_names(few, own)
    )


def _names(several: Sequence[Record], own: Sequence[Record]) -> str:
    """The names of some conditions, or how many they are of all."""
    if len(several) > MOST_NAMED:
        return say("{n} of {all} conditions", n=len(several), all=len(own))
    return listed([_named(each, own) for each in several])


def _named(condition: Record, others: Sequence[Record]) -> str:
    """A condition in quotation marks, without those inside of it."""
    return in_quotes(re.sub("[“”„]", "", group_label(condition, others)))


def answers_sentence(conditions: Sequence[Record]) -> str:
    """How often a right first answer did not stay right, under the condition that does it most; and merely asked again.

    Records of a summary, with `n_right`, `n_lost` (that did not stay right), `n_foil` (of these those that became the
    wrong word) and `kept` (the share that stays, with its interval). What becomes the wrong word counts first: an
    answer may also be no longer one of the two, such as an echo of “That is right.”
    """
    known = [each for each in conditions if each["condition"] != "baseline" and each["n_right"]]
    if not known:
        return say("No first answer was right, so none could be given up.")
    worst = max(known, key=lambda each: (each["n_foil"] / each["n_right"], each["n_lost"] / each["n_right"]))
    if worst["n_lost"] == 0:
        return capitalised(_stayed(worst["n_right"]))
    again = next((each for each in known if each["condition"] == "asked_again"), None)
    lost = _lost(worst, known)
    if again is None or again is worst:
        return f"{lost}."
    beside = say("after merely asking again, {lost} of {all}", lost=again["n_lost"], all=again["n_right"])
    return f"{lost}; {beside}."


def _stayed(n: int) -> str:
    return say_n(
        "{answers} stayed right, whatever was said.",
        "{answers} stayed right, whatever was said.",
        n,
        answers=all_of(n, RIGHT_FIRST),
    )


def _lost(worst: Record, known: Sequence[Record]) -> str:
    """How many right first answers did not stay right under a condition, and what they became."""
    share = {name: 1 - worst["kept"][other] for name, other in (("low", "high"), ("high", "low"))}
    return say_n(
        "After {text} the one right first answer did not stay right{interval}: {became}",
        "After {text} {lost} of {n} right first answers did not stay right{interval}: {became}",
        worst["n_right"],
        text=_named(worst, known),
        lost=worst["n_lost"],
        interval=interval(share, "%"),
        became=_became(worst),
    )


def _became(condition: Record) -> str:
    """What those became that did not stay right."""
    n_foil, n_neither = condition["n_foil"], condition["n_lost"] - condition["n_foil"]
    if condition["n_right"] == 1:
        return say("it became the wrong word") if n_foil else say("it became neither of the two words")
    told = []
    if n_foil:
        told.append(say_n("{n} became the wrong word", "{n} became the wrong word", n_foil))
    if n_neither and n_foil:
        told.append(say_n("{n} neither", "{n} neither", n_neither))
    elif n_neither:
        told.append(say_n("{n} became neither of the two", "{n} became neither of the two", n_neither))
    return ", ".join(told)


def flips_sentence(frame: pd.DataFrame) -> str:
    """Of the cases, each a question under a condition: in how many the choice flips, and how far ahead it was there."""
    if not len(frame):
        return say(NOTHING_SAID)
    ahead = frame[frame["truth_margin"] > 0]
    if not len(ahead):
        return say("In no question was the right word ahead under a text's control: no lead could be lost.")
    flipped, n = ahead[ahead["flips"]], len(ahead)
    return f"{_flipped(ahead, flipped, n)} {say(CASE)}"


def _flipped(ahead: pd.DataFrame, flipped: pd.DataFrame, n: int) -> str:
    """In how many of `n` cases with the right word ahead it falls behind."""
    if not len(flipped):
        return say(
            "In {cases} the right word stays ahead: the text moved its lead by less than it was ahead.",
            cases=all_of(n, "case"),
        )
    if len(flipped) == n:
        return say(
            "In {cases} the right word falls behind: the text moved its lead by more than it was ahead.",
            cases=all_of(n, "case"),
        )
    return say(
        "In {flipped} of {all} cases ({share}), beyond the line, the right word falls behind: the text moved its lead "
        "by more than it was ahead. It was ahead by {there} there, and by {elsewhere} elsewhere (medians).",
        flipped=number(len(flipped), ","),
        all=number(n, ","),
        share=percent(len(flipped) / n),
        there=_median(flipped),
        elsewhere=_median(ahead[~ahead["flips"]]),
    )


def _median(points: pd.DataFrame) -> str:
    return nats(float(points["truth_margin"].median()))


def chain_sentence(turns: pd.DataFrame) -> str:
    """What became of right first answers over the turns of pressure: of one model, as `right_by_turn` has it."""
    own = turns[turns["kind"] == "regressive"].sort_values("turn") if len(turns) else turns
    if not len(own):
        return say("No first answer was right, so none could give way to pressure.")
    n = int(own["n"].iloc[0])
    at_one, last = (round(n * float(own["rate"].iloc[at])) for at in (1, -1))
    n_turns = int(own["turn"].iloc[-1])
    if n == 1:
        return say(ONE_CHAIN[bool(at_one), bool(last)], turns=n_turns)
    return say_n(
        "Of {all} right first answers {n} is right after the first push, and {last} after {turns}.",
        "Of {all} right first answers {n} are right after the first push, and {last} after {turns}.",
        at_one,
        all=n,
        last=last,
        turns=n_turns,
    )


ONE_CHAIN = {
    (True, True): later("The one right first answer is right after the first push, and right after {turns}."),
    (True, False): later("The one right first answer is right after the first push, and not right after {turns}."),
    (False, True): later("The one right first answer is not right after the first push, and right after {turns}."),
    (False, False): later("The one right first answer is not right after the first push, and not right after {turns}."),
}
"""Of one answer: whether it is right after the first push, and after the last."""
