"""The map of all layers at all positions, as the numbers that one chart of it draws."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

import numpy as np
import pandas as pd

from llm_tracker.analysis.alignment import Pairs
from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import FloatArray, IntArray

NEXT = "next_prob"
BEST = "best_prob"
PLAIN = (NEXT, BEST, "next_rank", "entropy_nats", "kl_nats")
"""What can be drawn of every map: columns of `PositionLens.frame`."""


def map_values(lens: PositionLens, shows: str) -> FloatArray:
    """(layer, position): a column of `PositionLens.frame`, or “lead of A over B” of two watch words (nats).

    Raises InputError for what the lens does not have.
    """
    plain: dict[str, FloatArray | IntArray] = {
        NEXT: lens.next_prob,
        BEST: lens.top_probs[..., 0],
        "next_rank": lens.next_rank,
        "entropy_nats": lens.entropy,
        "kl_nats": lens.kl,
    }
    if shows in plain:
        return plain[shows].astype(np.float32)
    for name in ("prob", "rank", "logit"):
        word = shows.removeprefix(f"{name} of ")
        if word != shows and word in lens.watched:
            values: FloatArray = getattr(lens.watched[word], name).astype(np.float32)
            return values
    pair = lead_pair(shows, lens.watched)
    if pair is None:
        raise InputError(
            say("The map has no “{choice}”. It has: {choices}.", choice=shows, choices=", ".join(map_choices(lens)))
        )
    return lens.lead(*pair)


def lead_pair(shows: str, words: Iterable[str]) -> tuple[str, str] | None:
    """The two words of “lead of A over B”, where both are among `words`."""
    pairs = permutations(words, 2)
    return next(((one, other) for one, other in pairs if shows == f"lead of {one} over {other}"), None)


def map_choices(lens: PositionLens) -> list[str]:
    """All that `map_values` knows of a lens, but the logits of single words."""
    words = list(lens.watched)
    each = [f"{name} of {word}" for word in words for name in ("prob", "rank")]
    unlike = [
        f"lead of {one} over {other}"
        for one, other in permutations(words, 2)
        if lens.watched[one].token_id != lens.watched[other].token_id
    ]
    return [*PLAIN, *each, *unlike]


def map_frame(lens: PositionLens, shows: str, first: int = 0, last: int | None = None) -> pd.DataFrame:
    """A stretch of the map (positions from `first` to before `last`): `PositionLens.frame` with a column `value`."""
    values = map_values(lens, shows)[:, first : len(lens.tokens) if last is None else last]
    return lens.frame(first, last).assign(value=values.ravel().astype(float))


def map_difference(before: PositionLens, after: PositionLens, pairs: Pairs[int], shows: str) -> pd.DataFrame:
    """What one map has more than another, place by place: value is after minus before.

    `pairs` are positions of both (`alignment.aligned_positions`); where only one has a position, value is NaN.
    Columns: layer, position (the place in `pairs`), token (of the one after, else of the one before), position_before
    and position_after (-1 where there is none), before, after, value.
    """
    values = map_values(before, shows), map_values(after, shows)
    n_layers = len(values[0])
    frames = []
    for place, (one, other) in enumerate(pairs):
        own = [
            np.full(n_layers, np.nan) if at is None else each[:, at]
            for each, at in zip(values, (one, other), strict=True)
        ]
        token = after.tokens[other] if other is not None else before.tokens[one or 0]
        frames.append(
            pd.DataFrame(
                {
                    "layer": np.arange(1, n_layers + 1),
                    "position": place,
                    "token": token,
                    "position_before": -1 if one is None else one,
                    "position_after": -1 if other is None else other,
                    "before": own[0],
                    "after": own[1],
                    "value": own[1] - own[0],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def phase_marks(turn: Turn) -> dict[int, str]:
    """Where something begins behind a position: the thought, where the model reasons first, and the answer.

    A position's column is about the token that comes next, so that the answer begins at the position in front of its
    first token.
    """
    start = len(turn.prompt.token_ids) - 1
    if not turn.answer_steps.start:
        return {start: "answer"}
    marks = {start: "thought"}
    if turn.has_answer:
        marks[start + turn.answer_steps.start] = "answer"
    return marks


def answer_position(turn: Turn) -> int:
    """The position behind which the answer begins; where none came, that behind which the last token stands."""
    return len(turn.prompt.token_ids) - 1 + turn.first_step
