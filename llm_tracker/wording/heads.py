"""The sentences of the Attention page: which heads look where, and what that does not say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from llm_tracker.analysis.heads import HeadMeasure, heads_frame, ranked_heads
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import LEAST, DifferenceOf, difference, listed, nats, percent, quoted, quoted_token

NOT_A_CAUSE = later(
    "Attention is where a head looked, not why the model answered: a word that no head looks at can still decide the "
    "answer, and one that many look at may change nothing when it is hidden."
)
"""What attention is not (Jain and Wallace, 2019)."""

SINK_TOO = later("What a head leaves to a sink that stands for no word counts as parked too.")

MEASURE_LABELS: dict[HeadMeasure, str] = {
    "words": later("share on the chosen words"),
    "parked": later("share that is parked"),
    "entropy": later("entropy (how spread out)"),
    "max": later("largest share of one token"),
}


def measured(measure: HeadMeasure, value: float) -> str:
    """A cell's value as people read it."""
    return nats(value) if measure == "entropy" else percent(value)


def heads_sentence(grid: FloatArray, measure: HeadMeasure, words: Sequence[str]) -> str:
    """Which head is ahead, and how all heads are on average."""
    best = ranked_heads(grid, 1)
    if best.empty:
        return say("This model has no attention heads.")
    layer, head, value = (best.iloc[0][name] for name in ("layer", "head", "value"))
    place, mean = _place(layer, head), percent(float(np.nanmean(grid)))
    if measure == "words":
        if not words:
            return say("None of the chosen words stands in this text.")
        named = listed([quoted(word) for word in words])
        told = {"words": named, "place": place, "share": percent(value), "mean": mean}
        return say("Most on {words}: {place} with {share}; over all heads the mean is {mean}.", **told)
    if measure == "parked":
        n_mostly = int((grid > 0.5).sum())
        return say_n(
            "{n} of {all} heads park more than half; the mean is {mean}, most is {place}.",
            "{n} of {all} heads park more than half; the mean is {mean}, most is {place}.",
            n_mostly,
            n=number(n_mostly),
            all=number(len(heads_frame(grid))),
            mean=mean,
            place=place,
        )
    if measure == "entropy":
        low = heads_frame(grid).sort_values("value", kind="stable").iloc[0]
        return say(
            "The most spread out is {most} with {most_nats}; the most pointed is {least} with {least_nats}.",
            most=place,
            most_nats=nats(value),
            least=_place(low["layer"], low["head"]),
            least_nats=nats(float(low["value"])),
        )
    return say(
        "The largest share of one token that is not parked: {share}, in {place}.", share=percent(value), place=place
    )


def _place(layer: float, head: float) -> str:
    return say("layer {layer}, head {head}", layer=number(layer, ".0f"), head=number(head, ".0f"))


def differences_sentence(grid: FloatArray, measure: HeadMeasure) -> str:
    """Which head changed most; the grid is after minus before."""
    frame = heads_frame(grid)
    if frame.empty or frame["value"].abs().max() == 0:
        return say("No head differs between the two.")
    most = frame.iloc[int(frame["value"].abs().argmax())]
    value = float(most["value"])
    kind: DifferenceOf = "nats" if measure == "entropy" else "prob"
    amount = difference(value, kind)
    if not amount:
        return say("No head differs by {least} between the two.", least=say(LEAST[kind][1]))
    place = _place(most["layer"], most["head"])
    return say("The head that changed most is {place}: {amount}.", place=place, amount=amount)


def heads_not_kept(n_steps: int) -> str:
    """Why there is no grid for a late token of a long answer."""
    return say(
        "Of this long answer the heads were kept up to token {n}; of later tokens only the mean over heads is there. "
        "Choose an earlier token on the Tokens page.",
        n=number(n_steps, ","),
    )


def parked_count(n_parked: int, n_positions: int, has_sinks: bool = False) -> str:
    """How many positions count as parked, and that a learned sink does too."""
    told = say(
        "Parked are {n} of {all} positions: the very first token and the template's marks, which carry little and are "
        "looked at much.",
        n=number(n_parked, ","),
        all=number(n_positions, ","),
    )
    return f"{told} {say(SINK_TOO)}" if has_sinks else told


NOTHING_KEPT = later("Of this stretch nothing was kept: of a very long text only the last positions' patterns are.")


def pattern_sentence(frame: pd.DataFrame, chosen: int | None = None) -> str:
    """Of one head's pattern, which place looked most at another that is not parked, and how much is parked.

    Where a place is `chosen`, what that one looked at most. Columns: query, key, value, their texts, and parked.
    """
    own = frame[(frame["query"] == chosen) & frame["value"].notna()]
    if len(own):
        return _row_sentence(own)
    known = frame[frame["value"].notna()]
    if known.empty:
        return say(NOTHING_KEPT)
    others = known[(known["key"] != known["query"]) & ~known["parked"]]
    n_parked = frame["key"][frame["parked"]].nunique()
    share = known["value"].where(known["parked"], 0.0).groupby(known["query"]).sum().mean()
    aside = f" {_parked_aside(n_parked, percent(float(share)))}" if n_parked else ""
    if others.empty:
        return f"{say('There is no other place to look at that is not parked.')}{aside}"
    best = others.iloc[int(others["value"].argmax())]
    told = say(
        "Of what is drawn, {one} looked most at {other}: {share}.",
        one=quoted(str(best["query_text"])),
        other=quoted(str(best["key_text"])),
        share=percent(float(best["value"])),
    )
    return f"{told}{aside}"


def _parked_aside(n_parked: int, share: str) -> str:
    return say_n(
        "Grey: {n} parked place, with {share} of the attention on average.",
        "Grey: {n} parked places, with {share} of the attention on average.",
        n_parked,
        n=number(n_parked, ","),
        share=share,
    )


def _row_sentence(own: pd.DataFrame) -> str:
    """What one place looked at most, of what is drawn, and how much of its attention is parked there."""
    name = quoted_token(str(own["query_text"].iloc[0]))
    parked = percent(float(own["value"][own["parked"]].sum()))
    others = own[~own["parked"].astype(bool)]
    if others.empty:
        return say(
            "The outlined {token} looked at nothing else that is drawn; {parked} is parked here.",
            token=name,
            parked=parked,
        )
    best = others.iloc[int(others["value"].argmax())]
    return say(
        "The outlined {token} looked most at {other}: {share}; grey, {parked} is parked here.",
        token=name,
        other=quoted(str(best["key_text"])),
        share=percent(float(best["value"])),
        parked=parked,
    )


def pattern_differences_sentence(frame: pd.DataFrame) -> str:
    """Where one head's pattern changed most, what is parked aside: `analysis.patterns.pattern_differences`."""
    known = frame[frame["value"].notna()]
    if known.empty:
        return say("No place of this stretch stands in both texts, or nothing of it was kept.")
    own = known[~known["parked"].astype(bool)] if not known["parked"].all() else known
    most = own.iloc[int(own["value"].abs().argmax())]
    amount = difference(float(most["value"]), "prob")
    if not amount:
        least = say(LEAST["prob"][1])
        return say("Nowhere in this stretch, what is parked aside, does the pattern differ by {least}.", least=least)
    one, other = quoted(str(most["query_text"])), quoted(str(most["key_text"]))
    return say("The largest difference: what {one} gave to {other}, {amount}.", one=one, other=other, amount=amount)
