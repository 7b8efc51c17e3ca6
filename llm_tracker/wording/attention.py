"""The sentence below the attention: how much is parked, and which of the conversation's own words got most.

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.attention import PARKED, attention_by_word, attention_groups, in_conversation
from llm_tracker.analysis.compare import Side
from llm_tracker.prompts.words import is_mark
from llm_tracker.wording.formats import again_clause, capitalised, listed, percent, quoted
from llm_tracker.wording.labels import side_clause


def attention_sentence(sides: Sequence[Side], layer: int | None = None, head: int | None = None) -> str:
    """How much is parked on each side, and which of the conversation's own words was looked at most."""
    told: list[str] = []
    for side in sides:
        clause = attention_clause(side, layer, head, first=not told)
        told.append(f"{side_clause(side)}, {clause}" if len(sides) > 1 else clause)
    return f"{capitalised('; '.join(told))}."


def attention_clause(side: Side, layer: int | None, head: int | None, first: bool) -> str:
    """How much is parked on one side, and what was looked at most; in more words the `first` time."""
    shares = attention_by_word(side.turn, side.step, layer, head)
    parked = percent(float(attention_groups(shares).get(PARKED, 0.0)))
    names, most = most_looked_at(shares)
    if not names:
        return f"{parked} is parked and no word of the conversation was looked at"
    best = f"{names} ({percent(most)}{' each' if ' and ' in names or names.endswith('words') else ''})"
    return (
        f"{parked} is parked and, of the conversation's own words, {best} got most" if first else f"{parked} and {best}"
    )


def most_looked_at(shares: pd.DataFrame) -> tuple[str, float]:
    """The conversation's own words with the largest share, several where they are exactly equal; "" for none."""
    own = shares[in_conversation(shares)]
    own = own[[not is_mark(word) for word in own["word"]]] if len(own) else own
    most = float(own["share"].max()) if len(own) else 0.0
    if most == 0:
        return "", 0.0
    best = [quoted(str(word)) for word in own["word"][own["share"] == most]]
    return (" and ".join(best) if len(best) <= 2 else f"{len(best)} words"), most


def attention_differences_sentence(frame: pd.DataFrame) -> str:
    """Which of the conversation's words gained most and which lost most: `analysis.attention.attention_differences`."""
    own = frame[frame["role"] != ""]
    told = []
    for at, moved in ((int(own["share"].argmax()), "gained"), (int(own["share"].argmin()), "lost")) if len(own) else ():
        points = 100 * float(own["share"].iloc[at])
        if (points > 0) == (moved == "gained") and abs(points) >= 0.05:
            again = again_clause(float(own["again"].iloc[at]), 1)
            told.append(f"{quoted(str(own['word'].iloc[at]))} {moved} {abs(points):.1f} points{again}")
    rows = frame[frame["group"] == PARKED]
    parked = 100 * float(rows["share"].sum())
    if abs(parked) >= 0.05:
        unit = "" if told else " points"
        again = again_clause(float(rows["again"].sum(min_count=1)), 1)
        told.append(f"what is parked {'gained' if parked > 0 else 'lost'} {abs(parked):.1f}{unit}{again}")
    if not told:
        return "Neither a word of the conversation nor what is parked gained or lost 0.1 points."
    return f"{capitalised(listed(told))}."
