"""Which of two words a generated answer is, read as a sentence and never by substring."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from llm_tracker.experiments.values.findings import Grade
from llm_tracker.prompts.words import Span, fold, is_mark, words_of

NEGATIONS = frozenset("not no never neither nor isn't aren't wasn't weren't don't doesn't didn't can't cannot".split())
"""English words that may turn what is said round."""


def grade(text: str, answers: Iterable[str], foils: Iterable[str]) -> Grade:
    """Whether an answer is the right word, the foil, or neither.

    A word counts where all its words stand in the answer one after another, and not as a part of the other one (York
    in “New York”). An answer that has both words, or one of them and a negation (“The correct answer is not London”),
    is neither.
    """
    said = [fold(word) for word in words_of(text) if not is_mark(word)]
    right, wrong = ({span for word in words for span in _spans(word, said)} for words in (answers, foils))
    has_answer, has_foil = _stands_alone(right, wrong), _stands_alone(wrong, right)
    if has_answer == has_foil or (len(said) > 1 and NEGATIONS & set(said)):
        return "other"
    return "answer" if has_answer else "foil"


def _spans(word: str, said: Sequence[str]) -> list[Span]:
    """Where a word stands: its first place and one past its last."""
    wanted = [fold(each) for each in words_of(word) if not is_mark(each)]
    spans = [(at, at + len(wanted)) for at in range(len(said) - len(wanted) + 1)] if wanted else []
    return [(start, end) for start, end in spans if list(said[start:end]) == wanted]


def _stands_alone(own: Collection[Span], other: Collection[Span]) -> bool:
    """Whether one of a word's places lies in no longer one of the other word."""
    return any(
        not any(start <= first and last <= end and (start, end) != (first, last) for start, end in other)
        for first, last in own
    )
