"""Attention by word: where the position that predicts a token looked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llm_tracker.analysis.alignment import aligned_words
from llm_tracker.analysis.compare import Side
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import Word
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.steps import require_step_of
from llm_tracker.tracing.trace import FloatArray, Trace

PARKED = "parked"
"""The group of the first token (the attention sink) and of the template's tokens."""

GROUPS = (PARKED, "recipe", "system", "user", "assistant", "thought", "answer")
"""Parked first, then in reading order."""


def attention_by_word(
    turn: Turn, step: int | None = None, layer: int | None = None, head: int | None = None
) -> pd.DataFrame:
    """The shares of one step's attention by word: of one layer (the last unless given), one head or the mean of all.

    The step is the answer's first unless given.

    Columns: word, role, start and end (positions), share, group. Groups: `parked` (the template, and position 0 in a
    row of its own: a sink that carries little), `recipe`, `system`, `user`, `assistant`, `thought`, `answer`. Shares
    sum to 1: what a head leaves to a learned sink is a last row, with role `sink`, no positions, and group `parked`.
    Layers and heads count from 1; the last layer that has attention unless given. Raises InputError for a step or one
    of these that is not there, for a layer without attention, or a head that was not kept.
    """
    step = turn.first_step if step is None else step
    require_step_of(turn.trace, step)
    row = _row(turn, step, last_attending(turn.trace) if layer is None else layer, head)
    rows: list[tuple[str, str, int, int, float, str]] = [
        (word.text, word.role, *word.tokens, float(row[slice(*word.tokens)].sum(dtype="float64")), _group(word))
        for word in _without_sink(turn.words_before(step))
    ]
    if turn.trace.has_sinks:
        rows.append(("", "sink", 0, 0, 1 - float(row.sum(dtype="float64")), PARKED))
    return pd.DataFrame(rows, columns=["word", "role", "start", "end", "share", "group"])


def _group(word: Word) -> str:
    return PARKED if word.role == "template" or word.tokens[0] == 0 else word.role


def last_attending(trace: Trace) -> int:
    """The last layer (1-based) that has attention. Raises InputError where none has."""
    if not trace.attending_layers:
        raise InputError(
            say("This model has no attention: it carries what it read in a state. See its layers instead.")
        )
    return trace.attending_layers[-1]


def require_attention(trace: Trace, layer: int) -> None:
    """Raise InputError for a layer (1-based) that is not there, or that has no attention."""
    if not 1 <= layer <= trace.n_layers:
        raise InputError(
            say(
                "There is no layer {layer}: this model has layers 1 to {n_layers}.",
                layer=layer,
                n_layers=trace.n_layers,
            )
        )
    if not trace.heads[layer - 1]:
        raise InputError(
            say("There is no attention in layer {layer}: it carries what was read in a state.", layer=layer)
        )


def _row(turn: Turn, step: int, layer: int, head: int | None) -> FloatArray:
    """What one head, or the mean of all, gave to each position in front of a step's token: (key)."""
    trace = turn.trace
    require_attention(trace, layer)
    n_heads = trace.heads[layer - 1]
    if head is None:
        return trace.head_mean(step, layer)
    if not 1 <= head <= n_heads:
        raise InputError(
            say(
                "There is no head {head}: layer {layer} has heads 1 to {n_heads}.",
                head=head,
                layer=layer,
                n_heads=n_heads,
            )
        )
    if step >= len(trace.attention):
        raise InputError(
            say(
                "Of this long answer the heads were kept up to token {n}; later tokens have the mean "
                "over heads. Leave the head out.",
                n=len(trace.attention),
            )
        )
    row: FloatArray = trace.attention[step, layer - 1, head - 1, : trace.prompt_length + step]
    return row


def _without_sink(words: list[Word]) -> list[Word]:
    """The words with position 0 taken out of the first and standing by itself."""
    first, *rest = words
    end = first.tokens[1]
    return [
        Word(first.text if end == 1 else "", first.role, (0, 1)),
        *([Word(first.text, first.role, (1, end))] if end > 1 else []),
        *rest,
    ]


def attention_groups(shares: pd.DataFrame) -> pd.Series[float]:
    """The share of each group of `attention_by_word`: parked first, then in reading order; sums to 1."""
    groups = shares.groupby("group", sort=False)["share"].sum()
    return groups.loc[[group for group in GROUPS if group in groups]]


def in_conversation(shares: pd.DataFrame) -> pd.Series[bool]:
    """Which rows of `attention_by_word` are the conversation's own words: neither parked nor of the worked examples."""
    return ~shares["group"].isin([PARKED, "recipe"])


def last_layer_words(turn: Turn, step: int) -> list[tuple[Word, float]]:
    """Each word in front of a step's token with its share of the last layer that has attention (mean over heads).

    Position 0 is included; what a learned sink takes is not. Where no layer has attention, no word gets any.
    """
    if not turn.trace.attending_layers:
        return [(word, 0.0) for word in turn.words_before(step)]
    mean = turn.trace.head_mean(step, last_attending(turn.trace))
    return [(word, float(mean[slice(*word.tokens)].sum(dtype="float64"))) for word in turn.words_before(step)]


def attention_differences(
    before: Side,
    after: Side,
    look_before: tuple[int, int | None],
    look_after: tuple[int, int | None],
    again: Side | None = None,
) -> pd.DataFrame:
    """What each of the conversation's own words got more after, in reading order; the rest by group.

    Words are laid side by side by role and text (`alignment.aligned_words`); one that only one side has got nothing on
    the other. What is parked and what the worked examples got are a row each, in front. `look_before` and `look_after`
    are layer and head (None: the mean of all). Columns: word, role, group, share_before, share_after, share: after
    minus before; again: what it got more when merely asked again, NaN where that has no such word. The differences sum
    to 0.
    """
    frames = [
        attention_by_word(side.turn, side.step, *look) for side, look in ((before, look_before), (after, look_after))
    ]
    known = None if again is None else attention_by_word(again.turn, again.step, *look_after)
    rows: list[tuple[str, str, str, float, float, float]] = []
    groups = [attention_groups(frame) for frame in frames]
    control = None if known is None else attention_groups(known)
    for group in (PARKED, "recipe"):
        shares = [float(each.get(group, 0.0)) for each in groups]
        if any(shares):
            anew = np.nan if control is None else float(control.get(group, 0.0))
            rows.append((group, "", group, shares[0], shares[1], anew - shares[0]))
    own = [_own_shares(frame) for frame in frames]
    anew_by_end = {} if again is None or known is None else _shares_again(before, again, known)
    for pair in aligned_words(before.turn, before.step, after.turn, after.step):
        ends = [None if word is None else word.tokens[1] for word in pair]
        found = [None if end is None else shares.get(end) for shares, end in zip(own, ends, strict=True)]
        there = [each for each in found if each is not None]
        if there:
            one, other = (each[2] if each else 0.0 for each in found)
            word, group, _ = there[-1]
            rows.append((word, group, group, one, other, anew_by_end.get(ends[0] or 0, np.nan) - one))
    frame = pd.DataFrame(rows, columns=["word", "role", "group", "share_before", "share_after", "again"])
    return frame.assign(share=frame["share_after"] - frame["share_before"])


def _shares_again(before: Side, again: Side, frame: pd.DataFrame) -> dict[int, float]:
    """By where a word of the answer before ends, what the same word got when merely asked again."""
    own = _own_shares(frame)
    pairs = aligned_words(before.turn, before.step, again.turn, again.step)
    both = [(one.tokens[1], other.tokens[1]) for one, other in pairs if one is not None and other is not None]
    return {end: own[there][2] for end, there in both if there in own}


def _own_shares(frame: pd.DataFrame) -> dict[int, tuple[str, str, float]]:
    """The conversation's own words by where they end: word, group and share."""
    own = frame[in_conversation(frame)]
    rows = zip(own["end"], own["word"], own["group"], own["share"], strict=True)
    return {int(end): (str(word).strip(), str(group), float(share)) for end, word, group, share in rows}
