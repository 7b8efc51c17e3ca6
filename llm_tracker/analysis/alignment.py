"""Two turns side by side: which word or token of one stands for which of the other, by role and by text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TypeVar

from llm_tracker.prompts.words import Word, fold
from llm_tracker.tracing.session import Turn

T = TypeVar("T")

Pairs = list[tuple[T | None, T | None]]
"""One of the first and one of the second text; None where the other has nothing for it. In reading order."""


def aligned_words(before: Turn, before_step: int, after: Turn, after_step: int) -> Pairs[Word]:
    """The words in front of two steps' tokens, those that stand for each other together.

    The texts are matched by role and word, from their beginning on; so are thoughts. The place that predicts the
    answer's first token stands for that of the other, and the answers' tokens for each other by their places.
    """
    first, second = before.words_before(before_step), after.words_before(after_step)
    keys = [[(word.role, fold(word.text)) for word in words] for words in (first, second)]
    cuts = [[_word_at(words, place) for place in _places(turn)] for turn, words in ((before, first), (after, second))]
    return _aligned((first, second), (keys[0], keys[1]), (cuts[0], cuts[1]))


def aligned_positions(before: Turn, after: Turn, whole: bool = False) -> Pairs[int]:
    """The positions of two turns' texts, those that stand for each other together.

    Without each answer's last token, behind which nothing comes, unless the `whole` texts are asked for.
    """
    keys = (_tokens(before)[: None if whole else -1], _tokens(after)[: None if whole else -1])
    return _aligned((range(len(keys[0])), range(len(keys[1]))), keys, (_places(before), _places(after)))


def _tokens(turn: Turn) -> list[tuple[str, int]]:
    """Role and token id of every position."""
    n_thought = turn.answer_steps.start
    so_far = ("thought" if step < n_thought else "answer" for step in range(turn.trace.n_steps))
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]
    return list(zip([*turn.prompt.roles, *so_far], ids, strict=True))


def _places(turn: Turn) -> list[int]:
    """Where the marks in front of what the model writes begin, and the position that predicts the answer."""
    answer = len(turn.prompt.token_ids) - 1 + turn.first_step
    at = len(turn.prompt.roles)
    while at and turn.prompt.roles[at - 1] == "template":
        at -= 1
    return [min(at, answer), answer]


def _word_at(words: Sequence[Word], position: int) -> int:
    """The word that holds a position; behind the last where none does."""
    return next((at for at, word in enumerate(words) if word.tokens[1] > position), len(words))


def _aligned(
    texts: tuple[Sequence[T], Sequence[T]],
    keys: tuple[Sequence[Hashable], Sequence[Hashable]],
    cuts: tuple[Sequence[int], Sequence[int]],
) -> Pairs[T]:
    """Matched up to the first cut of each text, from there to the second, and behind it by place."""
    pairs: Pairs[T] = []
    starts = (0, 0)
    for ends in zip(*cuts, strict=True):
        spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        pairs += _matched(texts[0][spans[0]], texts[1][spans[1]], keys[0][spans[0]], keys[1][spans[1]])
        starts = ends
    return [*pairs, *zip_longest(texts[0][starts[0] :], texts[1][starts[1] :])]


def _matched(
    before: Sequence[T], after: Sequence[T], before_keys: Sequence[Hashable], after_keys: Sequence[Hashable]
) -> Pairs[T]:
    """What two texts have in common, in order; what only one has stands by itself, the first one's in front."""
    common = next(
        (at for at, (one, other) in enumerate(zip(before_keys, after_keys, strict=False)) if one != other),
        min(len(before_keys), len(after_keys)),
    )
    pairs: Pairs[T] = list(zip(before[:common], after[:common], strict=True))
    matcher = SequenceMatcher(None, before_keys[common:], after_keys[common:], autojunk=False)
    at, other_at = common, common
    for block in matcher.get_matching_blocks():
        pairs += [(each, None) for each in before[at : common + block.a]]
        pairs += [(None, each) for each in after[other_at : common + block.b]]
        at, other_at = common + block.a + block.size, common + block.b + block.size
        pairs += zip(before[common + block.a : at], after[common + block.b : other_at], strict=True)
    return pairs
