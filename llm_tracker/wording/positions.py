"""Sentences about the lens of every position."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.analysis.lens.position_maps import lead_pair, map_values
from llm_tracker.wording.formats import LEAST, DifferenceOf, difference, nats, percent, quoted
from llm_tracker.wording.layers import lead_clause

PLAIN_LABELS = {
    "next_prob": "probability of the token that does come next",
    "best_prob": "probability of the layer's likeliest token",
    "next_rank": "rank of the token that does come next (1 = best)",
    "entropy_nats": "entropy, in nats (how open the prediction is)",
    "kl_nats": "KL to the last layer, in nats (how little the lens says)",
}


def shows_label(shows: str, words: list[str]) -> str:
    """What the colours of the map mean, of all that `analysis.lens.position_maps.map_choices` offers."""
    pair = lead_pair(shows, words)
    if pair is not None:
        return f"lead of {quoted(pair[0])} over {quoted(pair[1])}, in nats"
    for name, said in (("prob", "probability"), ("rank", "rank"), ("logit", "logit")):
        word = shows.removeprefix(f"{name} of ")
        if word != shows and word in words:
            return f"{said} of {quoted(word)}"
    return PLAIN_LABELS[shows]


def map_sentence(lens: PositionLens, shows: str, first: int, last: int, position: int) -> str:
    """What one map says: of the whole text, of a stretch of it, or of one position, as what it shows asks for."""
    pair = lead_pair(shows, lens.watched)
    column = map_values(lens, shows)[:, position]
    behind = f"Behind {quoted(lens.tokens[position])}, token {position + 1:,},"
    if pair is not None:
        return f"{behind} {lead_clause(column, quoted(pair[0]), quoted(pair[1]))}."
    if shows == "entropy_nats":
        return f"{behind} the entropy is {nats(float(column[0]))} at layer 1 and {nats(float(column[-1]))} at the last."
    if shows == "kl_nats":
        if len(column) == 1:
            return f"{behind} there is one layer, whose read-out is the model's own prediction."
        middle = max(1, len(column) // 2)
        return (
            f"{behind} the read-out is {nats(float(column[middle - 1]))} from the last layer's at layer {middle}, and "
            f"{nats(float(column[-2]))} one layer before the end."
        )
    name, _, word = shows.partition(" of ")
    return word_sentence(lens, word, first, last, name) if word in lens.watched else positions_sentence(lens)


def positions_sentence(lens: PositionLens) -> str:
    """At how many positions the last layer and one half-way would write the token that does come next."""
    right = lens.n_right
    middle = max(1, len(right) // 2)
    return (
        f"At {right[-1]:,} of {len(lens.tokens):,} tokens the last layer's likeliest token is the one that does come "
        f"next; at layer {middle} it is so at {right[middle - 1]:,}."
    )


def word_sentence(lens: PositionLens, word: str, first: int, last: int, name: str = "prob") -> str:
    """Where, of the positions from `first` to before `last`, a watch word gets most, or ranks best.

    `name` is what is read of it: prob, rank or logit.
    """
    values = getattr(lens.watched[word], name)[:, first:last]
    best = values.argmin() if name == "rank" else values.argmax()
    layer, at = (int(place) for place in np.unravel_index(best, values.shape))
    value = values[layer, at]
    verb, amount = {
        "prob": ("gets most", percent(float(value))),
        "rank": ("ranks best", f"rank {int(value):,}"),
        "logit": ("has its largest logit", f"{float(value):.1f}"),
    }[name]
    return (
        f"Of what is drawn, {quoted(word)} {verb} behind {quoted(lens.tokens[first + at])} (token "
        f"{first + at + 1:,}), at layer {layer + 1}: {amount}."
    )


def map_difference_sentence(frame: pd.DataFrame, shows: str) -> str:
    """Where two maps differ most: `analysis.lens.position_maps.map_difference`."""
    both = frame[frame["value"].notna()]
    if both.empty:
        return "Of what is drawn, nothing stands in both texts."
    most = both.iloc[int(both["value"].abs().argmax())]
    kind = _kind_of(shows)
    amount = difference(float(most["value"]), kind)
    if not amount:
        return f"Of what is drawn, nothing differs by {LEAST[kind][1]} between before and after."
    where = f"behind {quoted(str(most['token']))}, at layer {most['layer']}"
    return f"Of what is drawn, the largest difference is {where}: {amount}."


def _kind_of(shows: str) -> DifferenceOf:
    """What kind of number a map shows."""
    if shows in ("next_prob", "best_prob", "next_rank"):
        return "rank" if shows == "next_rank" else "prob"
    kinds: tuple[DifferenceOf, ...] = ("prob", "rank", "logit")
    return next((kind for kind in kinds if shows.startswith(f"{kind} of ")), "nats")
