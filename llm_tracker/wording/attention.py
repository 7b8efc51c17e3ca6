"""The sentence below the attention: how much is parked, and which of the conversation's own words got most.

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.attention import PARKED, attention_by_word, attention_groups, in_conversation
from llm_tracker.analysis.compare import Side
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.prompts.words import is_mark
from llm_tracker.wording.formats import again_clause, capitalised, listed, percent, quoted
from llm_tracker.wording.labels import told_of


def attention_sentence(sides: Sequence[Side], layer: int | None = None, head: int | None = None) -> str:
    """How much is parked on each side, and which of the conversation's own words was looked at most."""
    told: list[str] = []
    for side in sides:
        clause = attention_clause(side, layer, head, first=not told)
        told.append(told_of(side, clause) if len(sides) > 1 else clause)
    return f"{capitalised('; '.join(told))}."


def attention_clause(side: Side, layer: int | None, head: int | None, first: bool) -> str:
    """How much is parked on one side, and what was looked at most; in more words the `first` time."""
    shares = attention_by_word(side.turn, side.step, layer, head)
    parked = percent(float(attention_groups(shares).get(PARKED, 0.0)))
    words, most = _leading_words(shares)
    if not words:
        return say("{parked} is parked and no word of the conversation was looked at", parked=parked)
    named = {"words": _together(words), "share": percent(most), "parked": parked}
    if not first:
        return say_n("{parked} and {words} ({share})", "{parked} and {words} ({share} each)", len(words), **named)
    return say_n(
        "{parked} is parked and, of the conversation's own words, {words} ({share}) got most",
        "{parked} is parked and, of the conversation's own words, {words} ({share} each) got most",
        len(words),
        **named,
    )


def most_looked_at(shares: pd.DataFrame) -> tuple[str, float]:
    """The conversation's own words with the largest share, several where they are exactly equal; "" for none."""
    words, most = _leading_words(shares)
    return _together(words) if words else "", most


def _leading_words(shares: pd.DataFrame) -> tuple[list[str], float]:
    own = shares[in_conversation(shares)]
    own = own[[not is_mark(word) for word in own["word"]]] if len(own) else own
    most = float(own["share"].max()) if len(own) else 0.0
    if most == 0:
        return [], 0.0
    return [str(word) for word in own["word"][own["share"] == most]], most


def _together(words: Sequence[str]) -> str:
    """Words that are level: by name, or how many they are."""
    return listed([quoted(word) for word in words]) if len(words) <= 2 else say("{n} words", n=number(len(words)))


def attention_differences_sentence(frame: pd.DataFrame) -> str:
    """Which of the conversation's words gained most and which lost most: `analysis.attention.attention_differences`."""
    own = frame[frame["role"] != ""]
    told = []
    for at, moved in ((int(own["share"].argmax()), "gained"), (int(own["share"].argmin()), "lost")) if len(own) else ():
        points = 100 * float(own["share"].iloc[at])
        if (points > 0) == (moved == "gained") and abs(points) >= 0.05:
            again = again_clause(float(own["again"].iloc[at]), 1)
            named = {"word": quoted(str(own["word"].iloc[at])), "n": number(abs(points), ".1f")}
            change = say("{word} gained {n} points", **named) if points > 0 else say("{word} lost {n} points", **named)
            told.append(f"{change}{again}")
    rows = frame[frame["group"] == PARKED]
    parked = 100 * float(rows["share"].sum())
    if abs(parked) >= 0.05:
        again = again_clause(float(rows["again"].sum(min_count=1)), 1)
        told.append(f"{_parked_change(parked, is_first=not told)}{again}")
    if not told:
        return say("Neither a word of the conversation nor what is parked gained or lost 0.1 points.")
    return f"{capitalised(listed(told))}."


def _parked_change(points: float, is_first: bool) -> str:
    """How much the parked share changed; behind another change the unit is known."""
    n = number(abs(points), ".1f")
    if points > 0:
        return say("what is parked gained {n} points", n=n) if is_first else say("what is parked gained {n}", n=n)
    return say("what is parked lost {n} points", n=n) if is_first else say("what is parked lost {n}", n=n)
