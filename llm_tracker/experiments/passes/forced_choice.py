"""Forced-choice scores: how likely a model is to answer with each of two words, under many conditions at once.

S(word) = log of the sum, over all its aliases and spellings, of p(all its tokens and an end | all before), by teacher
forcing, as `tracing.word_scoring` has it for one text. Here all texts are rows behind a common beginning, and all
spellings rows behind each text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from llm_tracker.experiments.passes.filled_rows import N_MORE, gone_on
from llm_tracker.experiments.passes.rows import Batch, Beginning, Row, read_rows
from llm_tracker.experiments.passes.token_trees import Tree, read_trees, reads_trees, tree_of
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.run import end_of
from llm_tracker.tracing.whole_words import WordEnd
from llm_tracker.tracing.word_scoring import end_token_ids_of, ways_to_write

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

TokenIds = tuple[int, ...]
Choice = frozenset[TokenIds]
"""All ways to write one of the words, as tokens."""

CLOSE_NATS = 11.0
"""A spelling whose first token is this much less likely than the likeliest one's is read only if it could matter."""

NEGLIGIBLE_NATS = 9.9
"""It could, unless all such spellings together are this much less likely than what was read: about 5 · 10⁻⁵ of it."""


def choices_of(model: LoadedModel, prompt: Prompt, words: Sequence[Sequence[str]]) -> list[Choice]:
    """The spellings of several words (each with its aliases) as tokens, behind a prompt.

    Raises InputError for a word without tokens.
    """
    before = end_of(model, prompt)
    return [
        frozenset(ids for alias in aliases for ids in ways_to_write(model, before, alias).values()) for aliases in words
    ]


def score_batch(
    batch: Batch,
    texts: Sequence[TokenIds],
    choices: Sequence[Sequence[Choice]],
    end: WordEnd,
    n_more: int = N_MORE,
    stop: Callable[[], bool] = lambda: False,
) -> list[list[float]]:
    """The scores (text, word), in nats, of texts that were read as a batch; `choices` are (text, word).

    No choice has more than `n_more` tokens.
    """
    first = batch.logits.log_softmax(-1)
    scores: dict[int, list[float]] = {}
    for together in gone_on(batch, texts, n_more):
        known = _Known(together.beginning, texts, first, end, stop)
        scores |= dict(zip(together.rows, _scores(known, together.rows, choices), strict=True))
    return [scores[at] for at in range(len(texts))]


def _scores(known: _Known, rows: Sequence[int], choices: Sequence[Sequence[Choice]]) -> list[list[float]]:
    """The scores (text, word) of some of the texts."""
    scores: dict[tuple[int, int], float] = {}
    pending = {(at, place): _likely(known.first[at], choice) for at in rows for place, choice in enumerate(choices[at])}
    while pending:
        known.read({(at, ids) for (at, _), several in pending.items() for ids in several})
        for (at, place), several in pending.items():
            scores[at, place] = _logsumexp(known.score(at, ids) for ids in several)
        pending = {
            (at, place): choices[at][place]
            for (at, place), several in pending.items()
            if _may_matter(known.first[at], choices[at][place] - several, scores[at, place])
        }
    return [[scores[at, place] for place in range(len(choices[at]))] for at in rows]


def _likely(first: Tensor, choice: Choice) -> Choice:
    """The spellings whose first token is not much less likely than the likeliest one's."""
    log_probs = {ids: float(first[ids[0]]) for ids in choice}
    best = max(log_probs.values())
    return frozenset(ids for ids, each in log_probs.items() if each >= best - CLOSE_NATS)


def _may_matter(first: Tensor, left_out: Choice, score: float) -> bool:
    """Whether spellings that were not read could change a score: none is likelier than its first token."""
    return bool(left_out) and _logsumexp(float(first[ids[0]]) for ids in left_out) > score - NEGLIGIBLE_NATS


def _logsumexp(values: Iterator[float]) -> float:
    return float(torch.tensor(list(values), dtype=torch.float64).logsumexp(0))


@dataclass(frozen=True)
class _Place:
    """Behind a text and the first tokens of a word."""

    text: int
    ids: TokenIds
    branch: int


class _Known:
    """Log probabilities behind texts and the first tokens of words, read as they are asked for.

    All at once where the model reads trees of tokens. Else token by token: rows of one token need no mask, and each
    goes on from the keys and values of the one before.
    """

    def __init__(
        self,
        beginning: Beginning,
        texts: Sequence[TokenIds],
        first: Tensor,
        end: WordEnd,
        stop: Callable[[], bool],
    ) -> None:
        self._beginning, self._texts, self._stop = beginning, texts, stop
        self._end_ids = end_token_ids_of(beginning.model, end)
        self._next: dict[tuple[int, TokenIds], dict[int, float]] = {}
        self._ends: dict[tuple[int, TokenIds], float] = {}
        self.first = first
        """(text, vocab_size), log probabilities behind each text."""

    def read(self, wanted: set[tuple[int, TokenIds]]) -> None:
        """Read spellings behind texts."""
        ways: dict[int, list[TokenIds]] = {}
        for at, ids in wanted:
            ways.setdefault(at, []).append(ids)
        trees = {at: tree_of(several) for at, several in ways.items()}
        if reads_trees(self._beginning, self._texts, trees):
            for at, logits in read_trees(self._beginning, self._texts, trees, self._stop):
                self._note(at, trees[at], logits.log_softmax(-1))
            return
        begun = sorted({(at, ids[:1]) for at, ids in wanted})
        self._read(self._beginning, [_Place(at, ids, at) for at, ids in begun], wanted)

    def _note(self, at: int, tree: Tree, log_probs: Tensor) -> None:
        """Note what stands behind each path of a tree: log probabilities (path, vocab_size)."""
        for row, path in enumerate(tree):
            self._ends[at, path] = float(log_probs[row, self._end_ids].logsumexp(-1))
            if len(path) > 1:
                before = log_probs[tree.index(path[:-1])]
                self._next.setdefault((at, path[:-1]), {})[path[-1]] = float(before[path[-1]])

    def _read(self, beginning: Beginning, places: Sequence[_Place], wanted: set[tuple[int, TokenIds]]) -> None:
        """Read the last token of each place behind the ones before, and go on with what follows there."""
        rows = [Row((*self._texts[place.text], *place.ids), branch=place.branch) for place in places]
        for batch in read_rows(beginning, rows, stop=self._stop) if rows else ():
            following: list[_Place] = []
            log_probs = batch.logits.log_softmax(-1)
            for row, place in enumerate(places[batch.rows]):
                key, n = (place.text, place.ids), len(place.ids)
                next_ids = {ids[n] for at, ids in wanted if at == place.text and ids[:n] == place.ids and len(ids) > n}
                self._next.setdefault(key, {}).update({each: float(log_probs[row, each]) for each in next_ids})
                self._ends[key] = float(log_probs[row, self._end_ids].logsumexp(-1))
                following += [_Place(place.text, (*place.ids, each), row) for each in sorted(next_ids)]
            self._read(batch.after, following, wanted)

    def score(self, at: int, ids: TokenIds) -> float:
        """log p(all tokens and an end | the text), in nats."""
        written = [float(self.first[at][ids[0]])]
        written += [self._next[at, ids[:n]][ids[n]] for n in range(1, len(ids))]
        return math.fsum([*written, self._ends[at, ids]])
