"""Which of two words a generated answer is, read as a sentence and never by substring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_tracker.experiments.values.findings import Grade
from llm_tracker.prompts.words import fold, is_mark, words_of

NEGATIONS = frozenset("not no never neither nor isn't aren't wasn't weren't don't doesn't didn't can't cannot".split())
"""English words that may turn what is said round."""


def grade(text: str, answers: Iterable[str], foils: Iterable[str]) -> Grade:
    """Whether an answer is the right word, the foil, or neither.

    A word counts where all its words stand in the answer one after another. An answer that has both words, or one of
    them and a negation (“The correct answer is not London”), is neither.
    """
    said = [fold(word) for word in words_of(text) if not is_mark(word)]
    has_answer, has_foil = (any(_is_in(word, said) for word in words) for words in (answers, foils))
    if has_answer == has_foil or (len(said) > 1 and NEGATIONS & set(said)):
        return "other"
    return "answer" if has_answer else "foil"


def _is_in(word: str, said: Sequence[str]) -> bool:
    wanted = [fold(each) for each in words_of(word) if not is_mark(each)]
    return bool(wanted) and any(
        list(said[at : at + len(wanted)]) == wanted for at in range(len(said) - len(wanted) + 1)
    )
