"""Two turns side by side: which word or token of one stands for which of the other, by role and by text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

from llm_tracker.prompts.words import Word, fold
from llm_tracker.tracing.session import Turn

T = TypeVar("T")

Pairs = list[tuple[T | None, T | None]]
"""One of the first and one of the second text; None where the other has nothing for it. In reading order."""


def aligned_words(before: Turn, before_step: int, after: Turn, after_step: int) -> Pairs[Word]:
    """The words in front of two steps' tokens, those that stand for each other together.

    The texts are matched by role and word, from their beginning on. The place where each answer begins (the template's
    last mark, and the answer so far) stands for that of the other, whatever came between.
    """
    first, second = before.words_before(before_step), after.words_before(after_step)
    keys = [[(word.role, fold(word.text)) for word in words] for words in (first, second)]
    return _aligned(first, second, (_slot(before, first), _slot(after, second)), (keys[0], keys[1]))


def aligned_positions(before: Turn, after: Turn) -> Pairs[int]:
    """The positions of two turns' texts (but each answer's last token), those that stand for each other together."""
    first, second = _tokens(before), _tokens(after)
    slots = (_slot_position(before), _slot_position(after))
    return _aligned(range(len(first)), range(len(second)), slots, (first, second))


def _tokens(turn: Turn) -> list[tuple[str, int]]:
    """Role and token id of every position but the last."""
    roles = [*turn.prompt.roles, *("answer" for _ in range(turn.trace.n_steps - 1))]
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids[:-1].tolist()]
    return list(zip(roles, ids, strict=True))


def _slot(turn: Turn, words: Sequence[Word]) -> int:
    """Where the place of the answer begins among words: at the template's last run, or behind the prompt."""
    start = _slot_position(turn)
    return next((at for at, word in enumerate(words) if word.tokens[0] >= start), len(words))


def _slot_position(turn: Turn) -> int:
    """The first position of the template's marks in front of the answer; where the prompt ends without any, its end."""
    roles = turn.prompt.roles
    at = len(roles)
    while at and roles[at - 1] == "template":
        at -= 1
    return at


def _aligned(
    before: Sequence[T], after: Sequence[T], slots: tuple[int, int], keys: tuple[Sequence[Hashable], Sequence[Hashable]]
) -> Pairs[T]:
    fronts = _matched(before[: slots[0]], after[: slots[1]], keys[0][: slots[0]], keys[1][: slots[1]])
    first, second = list(before[slots[0] :]), list(after[slots[1] :])
    length = max(len(first), len(second))
    padded = [each + [None] * (length - len(each)) for each in (first, second)]
    return [*fronts, *zip(*padded, strict=True)]


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
