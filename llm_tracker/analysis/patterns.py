"""One head's pattern as the numbers that one chart of it draws: by word, or by token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

import numpy as np
import pandas as pd

from llm_tracker.analysis.alignment import Pairs, aligned_positions, aligned_words
from llm_tracker.analysis.heads import parked_positions
from llm_tracker.prompts.words import Span, Word
from llm_tracker.tracing.rereading.found import HeadPattern
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import FloatArray

PatternBy = Literal["word", "token"]


@dataclass(frozen=True, eq=False)
class PatternText:
    """One head's pattern, and the text that it is of, cut into words or tokens: its places."""

    pattern: HeadPattern
    spans: tuple[Span, ...]
    """(place): its tokens, first and one past last."""
    texts: tuple[str, ...]
    """(place)."""
    parked: tuple[bool, ...]
    """(place): whether what is given to it is parked: the first one, and the template's."""

    def row(self, at: int) -> FloatArray:
        """What one place gave to each up to itself: (place); NaN where its queries were not kept.

        To a place the sum over its tokens, from a place the mean over its own (Clark et al., 2019).
        """
        start, end = (max(0, position - self.pattern.first_query) for position in self.spans[at])
        rows = self.pattern.weights[start:end, : self.spans[at][1]]
        if not len(rows):
            return np.full(at + 1, np.nan, dtype=np.float32)
        shares: FloatArray = np.add.reduceat(rows.mean(0, dtype="float64"), [span[0] for span in self.spans[: at + 1]])
        return shares

    def frame(self, first: int, last: int) -> pd.DataFrame:
        """The places from `first` to before `last` as queries, and as keys.

        Columns: query, key (places), query_text, key_text, parked (whether the key is), value. What lies behind a query
        is left out; a query that was not kept has no values (NaN).
        """
        frames = [
            pd.DataFrame({"query": at, "key": range(first, at + 1), "value": self.row(at)[first:]})
            for at in range(first, last)
        ]
        whole = pd.concat(frames, ignore_index=True)
        return whole.assign(
            query_text=[self.texts[at] for at in whole["query"]],
            key_text=[self.texts[at] for at in whole["key"]],
            parked=[self.parked[at] for at in whole["key"]],
        )


def pattern_text(turn: Turn, pattern: HeadPattern, by: PatternBy) -> PatternText:
    """A head's pattern over the words or the tokens of a turn: its prompt and its answer."""
    parked = parked_positions(turn, turn.trace.n_steps)
    if by == "word":
        places = _word_places(turn)
        spans, texts = [span for span, _ in places], [text for _, text in places]
    else:
        spans, texts = [(at, at + 1) for at in range(len(parked))], _token_texts(turn)
    return PatternText(pattern, tuple(spans), tuple(texts), tuple(bool(parked[start]) for start, _ in spans))


def _token_texts(turn: Turn) -> list[str]:
    return [turn.prompt.text[start:end] for start, end in turn.prompt.spans] + list(turn.trace.tokens)


def _word_places(turn: Turn) -> list[tuple[Span, str]]:
    """The words of a turn with their tokens; of the one in front of the answer, its last token by itself.

    That position writes the answer: as one of a template mark's several its pattern would be lost in their mean.
    """
    slot, places = turn.trace.prompt_length + turn.first_step - 1, list[tuple[Span, str]]()
    for word in turn.words_before(turn.trace.n_steps):
        start, end = word.tokens
        if start < slot == end - 1:
            tokens = _token_texts(turn)[start:end]
            places += [((start, slot), "".join(tokens[:-1]).strip()), ((slot, end), tokens[-1])]
        else:
            places.append((word.tokens, word.text.strip()))
    return places


def paired_places(before: Turn, after: Turn, by: PatternBy) -> Pairs[int]:
    """The places of two turns' texts, those that stand for each other together."""
    if by == "token":
        return aligned_positions(before, after, whole=True)
    steps = before.trace.n_steps, after.trace.n_steps
    places = [{start: at for at, ((start, _), _) in enumerate(_word_places(turn))} for turn in (before, after)]
    pairs: Pairs[int] = []
    for words in aligned_words(before, steps[0], after, steps[1]):
        one, other = (
            [] if word is None else _places_of(word, spans) for word, spans in zip(words, places, strict=True)
        )
        pairs += zip_longest(one, other)
    return pairs


def _places_of(word: Word | None, places: Mapping[int, int]) -> list[int]:
    """The place of a word, by where it starts, or the two that it was cut into; none where a text has no such word."""
    if word is None:
        return []
    start, end = word.tokens
    return [places[each] for each in dict.fromkeys((start, end - 1)) if each in places]


def pattern_differences(
    before: PatternText, after: PatternText, pairs: Pairs[int], first: int, last: int
) -> pd.DataFrame:
    """What each place gave more after to each before it, of the pairs from `first` to before `last`.

    Columns: query, key (places in `pairs`), query_text, key_text (of the text after, else of the one before), parked,
    before, after, value: after minus before; NaN where only one text has a place.
    """
    window = pairs[first:last]
    ends = [(after, other) if other is not None else (before, one or 0) for one, other in window]
    texts, parked = [side.texts[at] for side, at in ends], [side.parked[at] for side, at in ends]
    frames = []
    for at, pair in enumerate(window):
        keys = window[: at + 1]
        rows = {
            name: _given(side, query, [key[place] for key in keys])
            for name, side, query, place in (("before", before, pair[0], 0), ("after", after, pair[1], 1))
        }
        named = {"query_text": texts[at], "key_text": texts[: at + 1], "parked": parked[: at + 1]}
        frames.append(pd.DataFrame({"query": first + at, "key": range(first, first + at + 1), **named, **rows}))
    whole = pd.concat(frames, ignore_index=True)
    return whole.assign(value=whole["after"] - whole["before"])


def _given(side: PatternText, query: int | None, keys: list[int | None]) -> FloatArray:
    """What a place gave to some before it; NaN where there is no such place."""
    found = np.full(len(keys), np.nan)
    if query is not None:
        there = [at for at, key in enumerate(keys) if key is not None]
        found[there] = side.row(query)[[key for key in keys if key is not None]]
    return found
