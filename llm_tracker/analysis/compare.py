"""Before | after: the same words, at the first generated position of two turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray, WatchedLens
from llm_tracker.tracing.words import fold


@dataclass(frozen=True)
class WordChange:
    """A watch word's probability before and after, at the same place unless asked for others."""

    word: str
    token: str
    """What is compared: the word's first token (before), which is the word itself if it has only one."""
    before: float
    after: float


def watched(turn: Turn, word: str, step: int = 0) -> WatchedLens | None:
    """A watch word's lens at a step of a turn, if it was computed."""
    table = turn.trace.lens.get(step)
    return table.watched.get(word) if table else None


def word_changes(session: Session, before: int, after: int, steps: tuple[int, int] = (0, 0)) -> list[WordChange]:
    """The watch words' probabilities at a step of each of two turns, in the order in which they came to be watched."""
    changes = []
    for word in session.watch_words:
        first = watched(session.turns[before], word, steps[0])
        second = watched(session.turns[after], word, steps[1])
        if first is not None and second is not None:
            changes.append(WordChange(word, first.token, float(first.prob[-1]), float(second.prob[-1])))
    return changes


def same_answer(before: Turn, after: Turn) -> bool:
    """Whether two turns answer the same, but for case and outer marks."""
    return fold(before.answer.strip(" .!?")) == fold(after.answer.strip(" .!?"))


def lead(turn: Turn, word: str, over: str, step: int = 0) -> FloatArray | None:
    """By layer, the logit of one watch word's first token minus another's: (layer), in nats of odds.

    The contrastive lens: where a model's lens is blind to single words, their difference can still be read. None
    where a word is not watched, or where both begin with the same token.
    """
    first, second = watched(turn, word, step), watched(turn, over, step)
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


def watch_frame(turns: dict[str, Turn], words: list[str], step: int = 0) -> pd.DataFrame:
    """The watch words through the layers of several turns, tidy.

    Columns: turn (the mapping's key), word, token, layer (1..n_layers), logit, prob, rank.
    """
    frames = []
    for name, turn in turns.items():
        for word in words:
            lens = watched(turn, word, step)
            if lens is not None:
                frames.append(
                    pd.DataFrame(
                        {
                            "turn": name,
                            "word": word,
                            "token": lens.token,
                            "layer": np.arange(1, len(lens.prob) + 1),
                            "logit": lens.logit.astype(float),
                            "prob": lens.prob.astype(float),
                            "rank": lens.rank,
                        }
                    )
                )
    columns = ["turn", "word", "token", "layer", "logit", "prob", "rank"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
