"""Every head of every layer at one step, in one number each: where it looked. Needs no model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import pandas as pd

from llm_tracker.analysis.attention import PARKED, attention_by_word, last_attending
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import Span, Word, fold, is_mark
from llm_tracker.tracing.answers import word_named_in
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.steps import require_step_of
from llm_tracker.tracing.trace import FloatArray

Head = tuple[int, int | None]
"""Layer and head (both from 1); None for the mean over the layer's heads."""

HeadMeasure = Literal["words", "parked", "entropy", "max"]
"""`words`: the share on chosen words; `parked`: the share on the first token, the template and a learned sink;
`entropy`: how spread out the head's attention is, in nats; `max`: the largest share of one token that is not parked."""

ASIDE = ("template", "recipe", "sink")
"""Roles of words that are not of the conversation itself."""


def head_grid(turn: Turn, step: int, measure: HeadMeasure, spans: Iterable[Span] = ()) -> FloatArray:
    """A number for each head at one step: (layer, head); NaN where a layer has no such head.

    `measure` is the share of attention on the chosen "words", the share "parked" on the first token and the template,
    the "entropy" of the attention in nats, or the largest share on one token that is not parked ("max"). `spans` are
    the tokens (first, one past last) of the chosen words. Raises InputError for another measure, for a step that is not
    there or whose heads were not kept, or where no layer has attention.
    """
    return grid_of(kept_rows(turn, step), turn, step, measure, spans)


def kept_rows(turn: Turn, step: int) -> FloatArray:
    """What every head gave to each position in front of a step's token: (layer, head, key). Raises InputError."""
    trace = turn.trace
    require_step_of(trace, step)
    last_attending(trace)
    if step >= len(trace.attention):
        raise InputError(
            say(
                "Of this long answer the heads were kept up to token {n}; later tokens have the mean "
                "over heads alone. Choose an earlier token.",
                n=len(trace.attention),
            )
        )
    rows: FloatArray = trace.attention[step, ..., : trace.prompt_length + step]
    return rows


def grid_of(rows: FloatArray, turn: Turn, step: int, measure: HeadMeasure, spans: Iterable[Span] = ()) -> FloatArray:
    """The same for any rows (layer, head, key) of a step, such as value-weighted shares."""
    if measure not in get_args(HeadMeasure):
        known = ", ".join(get_args(HeadMeasure))
        raise InputError(say("There is no measure “{measure}”. Choose one of: {known}.", measure=measure, known=known))
    parked = parked_positions(turn, step)
    left = np.clip(1 - rows.sum(-1), 0, 1) if turn.trace.has_sinks else np.zeros(rows.shape[:2], np.float32)
    if measure == "words":
        chosen = np.zeros(rows.shape[-1], bool)
        for start, end in spans:
            chosen[start:end] = True
        values = rows[..., chosen].sum(-1)
    elif measure == "parked":
        values = rows[..., parked].sum(-1) + left
    elif measure == "max":
        values = rows[..., ~parked].max(-1, initial=0)
    else:
        values = _entropy(rows) + _entropy(left[..., None])
    there = np.arange(rows.shape[1]) < np.array(turn.trace.heads)[:, None]
    grid: FloatArray = np.where(there, values, np.nan).astype(np.float32)
    return grid


def _entropy(rows: FloatArray) -> FloatArray:
    logs = np.log(rows, out=np.zeros_like(rows), where=rows > 0)
    entropy: FloatArray = -(rows * logs).sum(-1)
    return entropy


def parked_positions(turn: Turn, step: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which positions in front of a step's token are parked on: the first token, and the template's: (key)."""
    parked = np.zeros(turn.trace.prompt_length + step, bool)
    parked[0] = True
    for word in turn.words_before(step):
        if word.role == "template":
            parked[slice(*word.tokens)] = True
    return parked


def heads_frame(grid: FloatArray) -> pd.DataFrame:
    """A grid as rows: layer and head (both from 1), value; those that are there."""
    layers, heads = np.indices(grid.shape) + 1
    frame = pd.DataFrame({"layer": layers.ravel(), "head": heads.ravel(), "value": grid.ravel().astype(float)})
    return frame[frame["value"].notna()].reset_index(drop=True)


def ranked_heads(grid: FloatArray, count: int = 10) -> pd.DataFrame:
    """The heads with the largest values, best first: layer, head, value."""
    return heads_frame(grid).sort_values("value", ascending=False, kind="stable").head(count).reset_index(drop=True)


def places_of(turn: Turn, step: int, word: str) -> list[Span]:
    """Where a word or name stands in the conversation in front of a step's token: its tokens, in reading order.

    Case aside. What the template and the recipe's worked examples say is left out.
    """
    wanted = [part for part in fold(word).split() if part]
    words = [each for each in turn.words_before(step) if each.role not in ASIDE]
    found = []
    for at in range(len(words) - len(wanted) + 1):
        own = words[at : at + len(wanted)]
        if wanted and [fold(each.text.strip()) for each in own] == wanted:
            found.append((own[0].tokens[0], own[-1].tokens[1]))
    return found


def last_said(turn: Turn) -> Span:
    """The tokens of what was said last, the question or correction that this turn answers: first, one past last."""
    said: list[Word] = []
    for word in reversed(turn.prompt.words):
        if word.role == "user":
            said.append(word)
        elif said:
            break
    return (said[-1].tokens[0], said[0].tokens[1]) if said else (0, 0)


def named_places(turn: Turn, step: int, word: str) -> list[Span]:
    """Where a word stands in what was said last; wherever it stands in the conversation, where it is not in there."""
    start, end = last_said(turn)
    places = places_of(turn, step, word)
    return [place for place in places if start <= place[0] and place[1] <= end] or places


def opening_words(session: Session, turn: Turn, step: int) -> list[str]:
    """What the grid is about unless words are chosen: the word that a correction named, else the last one asked about.

    No word where nothing was said in words.
    """
    named = word_named_in(session, turn.said)
    if named and named_places(turn, step, named):
        return [named]
    said = [str(word).strip() for word in word_choices(turn, step)["word"]]
    asked = [word for word in said if not is_mark(word) and fold(word) in fold(turn.said)]
    return asked[-1:]


def word_choices(turn: Turn, step: int) -> pd.DataFrame:
    """The conversation's own words in front of a step's token, as they can be chosen: word, role, start, end."""
    if not turn.trace.attending_layers:
        return pd.DataFrame(columns=["word", "role", "start", "end"])
    shares = attention_by_word(turn, step)
    own = shares[~shares["group"].isin([PARKED, "recipe"])]
    return own[["word", "role", "start", "end"]].reset_index(drop=True)


def count_parked(turn: Turn, step: int) -> tuple[int, int]:
    """How many positions in front of a step's token are parked on, and how many there are."""
    parked = parked_positions(turn, step)
    return int(parked.sum()), len(parked)
