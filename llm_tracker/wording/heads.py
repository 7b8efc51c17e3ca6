"""The sentences of the Attention page: which heads look where, and what that does not say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from llm_tracker.analysis.heads import HeadMeasure, heads_frame, ranked_heads
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import LEAST, DifferenceOf, difference, listed, nats, percent, quoted, quoted_token

NOT_A_CAUSE = (
    "Attention is where a head looked, not why the model answered: a word that no head looks at can still decide the "
    "answer, and one that many look at may change nothing when it is hidden."
)
"""What attention is not (Jain and Wallace, 2019)."""

SINK_TOO = " What a head leaves to a sink that stands for no word counts as parked too."

MEASURE_LABELS: dict[HeadMeasure, str] = {
    "words": "share on the chosen words",
    "parked": "share that is parked",
    "entropy": "entropy (how spread out)",
    "max": "largest share of one token",
}


def measured(measure: HeadMeasure, value: float) -> str:
    """A cell's value as people read it."""
    return nats(value) if measure == "entropy" else percent(value)


def heads_sentence(grid: FloatArray, measure: HeadMeasure, words: Sequence[str]) -> str:
    """Which head is ahead, and how all heads are on average."""
    best = ranked_heads(grid, 1)
    if best.empty:
        return "This model has no attention heads."
    layer, head, value = (best.iloc[0][name] for name in ("layer", "head", "value"))
    mean = float(np.nanmean(grid))
    place = f"layer {layer:.0f}, head {head:.0f}"
    if measure == "words":
        if not words:
            return "None of the chosen words stands in this text."
        named = listed([quoted(word) for word in words])
        return f"Most on {named}: {place} with {percent(value)}; over all heads the mean is {percent(mean)}."
    if measure == "parked":
        n_mostly = int((grid > 0.5).sum())
        n_heads = len(heads_frame(grid))
        return f"{n_mostly} of {n_heads} heads park more than half; the mean is {percent(mean)}, most is {place}."
    if measure == "entropy":
        low = heads_frame(grid).sort_values("value", kind="stable").iloc[0]
        return (
            f"The most spread out is {place} with {nats(value)}; the most pointed is layer {low['layer']:.0f}, head "
            f"{low['head']:.0f} with {nats(float(low['value']))}."
        )
    return f"The largest share of one token that is not parked: {percent(value)}, in {place}."


def differences_sentence(grid: FloatArray, measure: HeadMeasure) -> str:
    """Which head changed most; the grid is after minus before."""
    frame = heads_frame(grid)
    if frame.empty or frame["value"].abs().max() == 0:
        return "No head differs between the two."
    most = frame.iloc[int(frame["value"].abs().argmax())]
    value = float(most["value"])
    kind: DifferenceOf = "nats" if measure == "entropy" else "prob"
    amount = difference(value, kind)
    if not amount:
        return f"No head differs by {LEAST[kind][1]} between the two."
    return f"The head that changed most is layer {most['layer']:.0f}, head {most['head']:.0f}: {amount}."


def heads_not_kept(n_steps: int) -> str:
    """Why there is no grid for a late token of a long answer."""
    return (
        f"Of this long answer the heads were kept up to token {n_steps:,}; of later tokens only the mean over heads is "
        "there. Choose an earlier token on the Tokens page."
    )


def parked_count(n_parked: int, n_positions: int, has_sinks: bool = False) -> str:
    """How many positions count as parked, and that a learned sink does too."""
    return (
        f"Parked are {n_parked:,} of {n_positions:,} positions: the very first token and the template's marks, which "
        f"carry little and are looked at much.{SINK_TOO if has_sinks else ''}"
    )


NOTHING_KEPT = "Of this stretch nothing was kept: of a very long text only the last positions' patterns are."


def pattern_sentence(frame: pd.DataFrame, chosen: int | None = None) -> str:
    """Of one head's pattern, which place looked most at another that is not parked, and how much is parked.

    Where a place is `chosen`, what that one looked at most. Columns: query, key, value, their texts, and parked.
    """
    own = frame[(frame["query"] == chosen) & frame["value"].notna()]
    if len(own):
        return _row_sentence(own)
    known = frame[frame["value"].notna()]
    if known.empty:
        return NOTHING_KEPT
    others = known[(known["key"] != known["query"]) & ~known["parked"]]
    n_parked = frame["key"][frame["parked"]].nunique()
    share = known["value"].where(known["parked"], 0.0).groupby(known["query"]).sum().mean()
    places = "1 parked place" if n_parked == 1 else f"{n_parked:,} parked places"
    aside = f" Grey: {places}, with {percent(float(share))} of the attention on average." if n_parked else ""
    if others.empty:
        return f"There is no other place to look at that is not parked.{aside}"
    best = others.iloc[int(others["value"].argmax())]
    one, other = quoted(str(best["query_text"])), quoted(str(best["key_text"]))
    return f"Of what is drawn, {one} looked most at {other}: {percent(float(best['value']))}.{aside}"


def _row_sentence(own: pd.DataFrame) -> str:
    """What one place looked at most, of what is drawn, and how much of its attention is parked there."""
    name = quoted_token(str(own["query_text"].iloc[0]))
    parked = percent(float(own["value"][own["parked"]].sum()))
    others = own[~own["parked"].astype(bool)]
    if others.empty:
        return f"The outlined {name} looked at nothing else that is drawn; {parked} is parked here."
    best = others.iloc[int(others["value"].argmax())]
    most = f"{quoted(str(best['key_text']))}: {percent(float(best['value']))}"
    return f"The outlined {name} looked most at {most}; grey, {parked} is parked here."


def pattern_differences_sentence(frame: pd.DataFrame) -> str:
    """Where one head's pattern changed most, what is parked aside: `analysis.patterns.pattern_differences`."""
    known = frame[frame["value"].notna()]
    if known.empty:
        return "No place of this stretch stands in both texts, or nothing of it was kept."
    own = known[~known["parked"].astype(bool)] if not known["parked"].all() else known
    most = own.iloc[int(own["value"].abs().argmax())]
    amount = difference(float(most["value"]), "prob")
    if not amount:
        return f"Nowhere in this stretch, what is parked aside, does the pattern differ by {LEAST['prob'][1]}."
    one, other = quoted(str(most["query_text"])), quoted(str(most["key_text"]))
    return f"The largest difference: what {one} gave to {other}, {amount}."
