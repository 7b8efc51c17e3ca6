"""Sentences about the lens of every position."""

from __future__ import annotations

import numpy as np

from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.wording.formats import percent, quoted


def positions_sentence(lens: PositionLens) -> str:
    """At how many positions the last layer and one half-way would write the token that does come next."""
    right = lens.n_right
    middle = max(1, len(right) // 2)
    return (
        f"At {right[-1]:,} of {len(lens.tokens):,} tokens the last layer's likeliest token is the one that does come "
        f"next; at layer {middle} it is so at {right[middle - 1]:,}."
    )


def word_sentence(lens: PositionLens, word: str, first: int, last: int) -> str:
    """Where, of the positions from `first` to before `last`, a watch word gets most."""
    prob = lens.watched[word].prob[:, first:last]
    layer, at = (int(place) for place in np.unravel_index(prob.argmax(), prob.shape))
    return (
        f"Of what is drawn, {quoted(word)} gets most behind {quoted(lens.tokens[first + at])} (token "
        f"{first + at + 1:,}), at layer {layer + 1}: {percent(float(prob[layer, at]))}."
    )
