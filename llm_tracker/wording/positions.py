"""Sentences about the lens of every position."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.analysis.lens.position_maps import lead_pair, map_values
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import LEAST, DifferenceOf, difference, nats, percent, quoted
from llm_tracker.wording.layers import lead_clause

PLAIN_LABELS = {
    "next_prob": later("probability of the token that does come next"),
    "best_prob": later("probability of the layer's likeliest token"),
    "next_rank": later("rank of the token that does come next (1 = best)"),
    "entropy_nats": later("entropy, in nats (how open the prediction is)"),
    "kl_nats": later("KL to the last layer, in nats (how little the lens says)"),
}

WORD_LABELS = {
    "prob": later("probability of {word}"),
    "rank": later("rank of {word}"),
    "logit": later("logit of {word}"),
}


def shows_label(shows: str, words: list[str]) -> str:
    """What the colours of the map mean, of all that `analysis.lens.position_maps.map_choices` offers."""
    pair = lead_pair(shows, words)
    if pair is not None:
        return say("lead of {one} over {other}, in nats", one=quoted(pair[0]), other=quoted(pair[1]))
    for name, label in WORD_LABELS.items():
        word = shows.removeprefix(f"{name} of ")
        if word != shows and word in words:
            return say(label, word=quoted(word))
    return say(PLAIN_LABELS[shows])


def map_sentence(lens: PositionLens, shows: str, first: int, last: int, position: int) -> str:
    """What one map says: of the whole text, of a stretch of it, or of one position, as what it shows asks for."""
    pair = lead_pair(shows, lens.watched)
    column = map_values(lens, shows)[:, position]
    named = {"token": quoted(lens.tokens[position]), "n": number(position + 1, ",")}
    if pair is not None:
        told = lead_clause(column, quoted(pair[0]), quoted(pair[1]))
        return say("Behind {token}, token {n}, {told}.", told=told, **named)
    if shows == "entropy_nats":
        return say(
            "Behind {token}, token {n}, the entropy is {first} at layer 1 and {last} at the last.",
            first=nats(float(column[0])),
            last=nats(float(column[-1])),
            **named,
        )
    if shows == "kl_nats":
        if len(column) == 1:
            return say(
                "Behind {token}, token {n}, there is one layer, whose read-out is the model's own prediction.", **named
            )
        middle = max(1, len(column) // 2)
        return say(
            "Behind {token}, token {n}, the read-out is {nats} from the last layer's at layer {layer}, and {late} one "
            "layer before the end.",
            nats=nats(float(column[middle - 1])),
            layer=number(middle),
            late=nats(float(column[-2])),
            **named,
        )
    name, _, word = shows.partition(" of ")
    return word_sentence(lens, word, first, last, name) if word in lens.watched else positions_sentence(lens)


def positions_sentence(lens: PositionLens) -> str:
    """At how many positions the last layer and one half-way would write the token that does come next."""
    right = lens.n_right
    middle = max(1, len(right) // 2)
    return say(
        "At {n} of {all} tokens the last layer's likeliest token is the one that does come next; at layer {layer} it "
        "is so at {half_way}.",
        n=number(right[-1], ","),
        all=number(len(lens.tokens), ","),
        layer=number(middle),
        half_way=number(right[middle - 1], ","),
    )


def word_sentence(lens: PositionLens, word: str, first: int, last: int, name: str = "prob") -> str:
    """Where, of the positions from `first` to before `last`, a watch word gets most, or ranks best.

    `name` is what is read of it: prob, rank or logit.
    """
    values = getattr(lens.watched[word], name)[:, first:last]
    best = values.argmin() if name == "rank" else values.argmax()
    layer, at = (int(place) for place in np.unravel_index(best, values.shape))
    value = float(values[layer, at])
    place = {"token": quoted(lens.tokens[first + at]), "n": number(first + at + 1, ","), "layer": number(layer + 1)}
    amount = {"prob": percent(value), "rank": number(int(value), ","), "logit": number(value, ".1f")}[name]
    return say(MOST[name], word=quoted(word), amount=amount, **place)


MOST = {
    "prob": later("Of what is drawn, {word} gets most behind {token} (token {n}), at layer {layer}: {amount}."),
    "rank": later("Of what is drawn, {word} ranks best behind {token} (token {n}), at layer {layer}: rank {amount}."),
    "logit": later(
        "Of what is drawn, {word} has its largest logit behind {token} (token {n}), at layer {layer}: {amount}."
    ),
}
"""Where a watch word gets most, by what is read of it."""


def map_difference_sentence(frame: pd.DataFrame, shows: str) -> str:
    """Where two maps differ most: `analysis.lens.position_maps.map_difference`."""
    both = frame[frame["value"].notna()]
    if both.empty:
        return say("Of what is drawn, nothing stands in both texts.")
    most = both.iloc[int(both["value"].abs().argmax())]
    kind = _kind_of(shows)
    amount = difference(float(most["value"]), kind)
    if not amount:
        least = say(LEAST[kind][1])
        return say("Of what is drawn, nothing differs by {least} between before and after.", least=least)
    return say(
        "Of what is drawn, the largest difference is behind {token}, at layer {layer}: {amount}.",
        token=quoted(str(most["token"])),
        layer=number(most["layer"]),
        amount=amount,
    )


def _kind_of(shows: str) -> DifferenceOf:
    """What kind of number a map shows."""
    if shows in ("next_prob", "best_prob", "next_rank"):
        return "rank" if shows == "next_rank" else "prob"
    kinds: tuple[DifferenceOf, ...] = ("prob", "rank", "logit")
    return next((kind for kind in kinds if shows.startswith(f"{kind} of ")), "nats")
