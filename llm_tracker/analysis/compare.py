"""Before | after | merely asked again: the same words, at one place of each answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from llm_tracker.prompts.words import fold
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray, WatchedLens

SideName = Literal["before", "after", "again"]

WHEN: dict[SideName, str] = {"before": "before", "after": "after", "again": "merely asked again"}
"""How a sentence names each side."""


@dataclass(frozen=True)
class Side:
    """One answer of a comparison, and the step of it that is looked at. Turns are told apart by identity."""

    name: SideName
    """`before` and `after` the correction, or one model and another; `again`: the neutral control."""
    turn: Turn
    step: int = 0
    model: str = ""
    """The name of the model that answered, where two models are compared; else empty."""

    @property
    def token(self) -> str:
        """The token that was written at this step."""
        return self.turn.trace.tokens[self.step]

    @property
    def when(self) -> str:
        """How a sentence begins to speak of it: by its turn, or by its model where two are compared."""
        return f"in {self.model}" if self.model else WHEN[self.name]

    def watched(self, word: str) -> WatchedLens | None:
        """A watch word's lens at this step, if it was computed."""
        table = self.turn.trace.lens.get(self.step)
        return table.watched.get(word) if table else None

    def piece(self, word: str) -> str:
        """What is read of a watch word here: its first token, without the space in front."""
        lens = self.watched(word)
        return word if lens is None else lens.token.strip() or lens.token


@dataclass(frozen=True)
class WordChange:
    """A watch word's probability on each side, at the same place unless asked for others."""

    word: str
    tokens: tuple[str, ...]
    """What is compared: the word's first token on each side, which is the word itself if it has only one."""
    before: float
    after: float
    again: float | None
    """Of the neutral control, where there is one."""
    ranks: tuple[int, int]
    """Before and after; 1 = best."""


def sides_of(session: Session, before: int = -2, after: int = -1) -> list[Side]:
    """Two turns at their first token, and the control of the later one where it was run."""
    places = [range(len(session.turns))[at] for at in (before, after)]
    control = session.controls.get(places[1])
    sides = [Side("before", session.turns[places[0]]), Side("after", session.turns[places[1]])]
    return [*sides, Side("again", control)] if control is not None else sides


def word_changes(sides: Sequence[Side], words: Sequence[str]) -> list[WordChange]:
    """What became of each of `words` that is watched on both sides, in their order."""
    changes = []
    for word in words:
        read = {side.name: lens for side in sides if (lens := side.watched(word)) is not None}
        if "before" in read and "after" in read:
            probs = {name: float(lens.prob[-1]) for name, lens in read.items()}
            tokens = tuple(lens.token for lens in read.values())
            ranks = int(read["before"].rank[-1]), int(read["after"].rank[-1])
            changes.append(WordChange(word, tokens, probs["before"], probs["after"], probs.get("again"), ranks))
    return changes


def same_answer(one: Turn, other: Turn) -> bool | None:
    """Whether two turns answer the same, but for case and outer marks; None where one was cut before that shows."""
    answers = [fold(turn.answer.strip(" .!?")) for turn in (one, other)]
    if answers[0] == answers[1]:
        return True
    cut = [(own, rest) for turn, own, rest in zip((one, other), answers, answers[::-1], strict=True) if turn.is_cut]
    return None if any(rest.startswith(own) for own, rest in cut) else False


def follows(before: Turn, after: Turn) -> bool:
    """Whether one turn corrects the other's answer, with nothing said between."""
    earlier = before.prompt.messages
    return len(after.prompt.messages) == len(earlier) + 2 and after.prompt.messages[: len(earlier)] == earlier


def lead(side: Side, word: str, over: str) -> FloatArray | None:
    """By layer, the logit of one watch word's first token minus another's: (layer), in nats of odds.

    The contrastive lens: where a model's lens is blind to single words, their difference can still be read. None
    where a word is not watched, or where both begin with the same token.
    """
    first, second = side.watched(word), side.watched(over)
    if first is None or second is None or first.token_id == second.token_id:
        return None
    difference: FloatArray = first.logit - second.logit
    return difference


def settled_layer(prefers: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    """The first layer (1-based) from which on a statement holds to the last one; None where it fails there."""
    if not prefers[-1]:
        return None
    misses = np.flatnonzero(~prefers)
    return int(misses[-1]) + 2 if len(misses) else 1


LayerMeasure = Literal["lead", "prob", "rank"]


def layer_frame(
    sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None = None
) -> pd.DataFrame:
    """A word through the layers of all sides, tidy: the lead over another word, its probability or its rank.

    Without a word it is the token that each side wrote itself. Columns: turn (the side's name), layer (1..n_layers),
    value. A side where it can't be read has no rows.
    """
    frames = []
    for side in sides:
        values = by_layer(side, measure, word, over)
        if values is not None:
            layers = np.arange(1, len(values) + 1)
            frames.append(pd.DataFrame({"turn": side.name, "layer": layers, "value": values.astype(float)}))
    columns = ["turn", "layer", "value"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def by_layer(side: Side, measure: LayerMeasure, word: str | None, over: str | None = None) -> np.ndarray | None:
    """One side's values of a measure: (layer); None where they can't be read."""
    if measure == "lead":
        return lead(side, word, over) if word is not None and over is not None else None
    if word is None:
        table = side.turn.trace.lens.get(side.step)
        return None if table is None else table.token_prob if measure == "prob" else table.token_rank
    lens = side.watched(word)
    return None if lens is None else getattr(lens, measure)
