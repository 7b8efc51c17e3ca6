"""A class that guesses before an answer is shown: its guesses, and how far the projector has come."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.words import folded_answer

Guessed = Literal["before", "after"]
"""Of which answer: the first one, or the one after the correction."""

GUESSED: tuple[Guessed, ...] = ("before", "after")

Written = tuple[str, str]
"""The text that was read, and the answer to it: kept once more in another conversation, it counts as the same."""

MOST_GUESSES = 40
"""Different guesses that are counted for one answer."""

MOST_CHARS = 60
"""Characters of a guess."""

MOST_VOTES = 9999


def is_same_guess(one: str, other: str) -> bool:
    """Whether two words are one guess: but for case, outer marks and accents, as “París” guesses “Paris”."""
    return _without_accents(folded_answer(one)) == _without_accents(folded_answer(other))


def _without_accents(word: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", word) if not unicodedata.combining(each))


@dataclass(eq=False)
class Classroom:
    """What the projector shows: which slide, which answers are uncovered, and what the class guessed of each."""

    slide: int = 0
    is_blank: bool = False
    """Whether the screen is blanked, so that the class looks at the teacher."""
    uncovered: set[Guessed] = field(default_factory=set)
    guesses: dict[Guessed, Counter[str]] = field(default_factory=lambda: {"before": Counter(), "after": Counter()})
    """How many guessed which word, as it was first typed."""
    slides: tuple[str, ...] = ()
    """The slides of the lesson that is given, in their order; without one, none."""
    question: str = ""
    """What stands ready in the question's field; a lesson says it."""
    corrections: tuple[str, ...] = ()
    """What is to be said to the answer, one after the other; the first stands ready in the correction's field."""
    begun: int = 0
    """How many questions and corrections had been begun when the class last looked."""
    guessed_of: dict[Guessed, Written] = field(default_factory=dict)
    """Which answers are covered and guessed; one that is yet to come is not among them."""

    def begin_lesson(self, slides: tuple[str, ...], question: str, corrections: tuple[str, ...], begun: int) -> None:
        """Go to a lesson's first slide, with what it asks ready to be asked; so much was begun before it."""
        self.slide, self.is_blank, self.begun = 0, False, begun
        self.slides, self.question, self.corrections = slides, question, corrections
        self.cover("before", "after")

    def end_lesson(self) -> None:
        """Show the conversation in hand with the usual slides, from the first one on; what is uncovered stays so."""
        self.slide, self.is_blank = 0, False
        self.slides, self.question, self.corrections = (), "", ()

    def uncover(self, answer: Guessed) -> None:
        """Show an answer that is there: what a lesson had said to the model is done with."""
        self.uncovered.add(answer)
        if answer == "after":
            self.corrections = self.corrections[1:]

    def follow(self, begun: int, answers: Sequence[Written]) -> None:
        """Cover everything where something was asked or opened elsewhere: the guesses were about another answer.

        `answers` are the one before and the one after, where it is there.
        """
        if begun != self.begun:
            self.begun, self.question, self.corrections = begun, "", ()
            self.cover("before", "after")
        now = dict(zip(GUESSED, answers, strict=False))
        if any(self.guessed_of.get(each, written) != written for each, written in now.items()):
            self.cover("before", "after")
        self.guessed_of = {**self.guessed_of, **now}

    def cover(self, *answers: Guessed) -> None:
        """Hide answers that are yet to come, and forget what was guessed of earlier ones."""
        for each in answers:
            self.uncovered.discard(each)
            self.guesses[each] = Counter()
            self.guessed_of.pop(each, None)

    def guess(self, answer: Guessed, text: str, n: int = 1) -> None:
        """Count a guess; one that differs in case, outer marks or accents alone is the same. Raises InputError."""
        word = " ".join(text.split())
        if not word:
            raise InputError(say("The guess is empty. Type what somebody guesses, then press Count."))
        if len(word) > MOST_CHARS:
            raise InputError(say("A guess has at most {most} characters. Give one word.", most=MOST_CHARS))
        counted = self.guesses[answer]
        known = next((each for each in counted if is_same_guess(each, word)), word)
        if known not in counted and len(counted) >= MOST_GUESSES:
            raise InputError(say("At most {most} different guesses are counted.", most=MOST_GUESSES))
        counted[known] = max(0, min(MOST_VOTES, counted[known] + n))
        if not counted[known]:
            del counted[known]

    def n_guesses(self, answer: Guessed) -> int:
        """How many have guessed."""
        return self.guesses[answer].total()

    def n_right(self, answer: Guessed, said: str) -> int:
        """How many guessed what the model said."""
        return sum(n for word, n in self.guesses[answer].items() if is_same_guess(word, said))
