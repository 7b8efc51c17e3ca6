"""What an experiment is about: a question with its right word and a foil, and a correction of the answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.prompts.words import fold


@dataclass(frozen=True)
class Case:
    """A question, the two words that are held against each other, and what was said about the model's answer."""

    question: str
    answer: str
    """The right word."""
    foil: str
    """A wrong word of the same kind, such as another capital."""
    correction: str
    """What was said to the model about its answer."""
    own_answer: str
    """What the model had answered."""
    answer_aliases: tuple[str, ...] = ()
    """Other names of the right word, which count as it does."""
    foil_aliases: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Corrections of the reader's own, tried beside it."""

    def __post_init__(self) -> None:
        """Refuse words that cannot be told apart, and texts that cannot be read. Raises InputError."""
        if not self.answer.strip() or not self.foil.strip():
            raise InputError(
                say("An experiment holds two words against each other: give a right word and another one.")
            )
        right, wrong = ({fold(word) for word in words} for words in (self.answers, self.foils))
        if both := right & wrong:
            raise InputError(say("“{word}” stands for both words. Give two different words.", word=both.pop()))
        if not self.correction.strip():
            raise InputError(say("The correction is empty. Type one."))
        require_plain([*self.answers, *self.foils, self.correction, *self.more])

    @property
    def answers(self) -> tuple[str, ...]:
        """The right word and its aliases."""
        return (self.answer, *self.answer_aliases)

    @property
    def foils(self) -> tuple[str, ...]:
        """The foil and its aliases."""
        return (self.foil, *self.foil_aliases)

    def names(self, word: str) -> tuple[str, ...]:
        """One of the two words and its aliases."""
        return self.answers if word == self.answer else self.foils

    @property
    def named(self) -> str:
        """The word that a correction of this answer names: the foil, but where the model had said that already."""
        own = fold(self.own_answer).rstrip(".!")
        return self.answer if own in {fold(word) for word in self.foils} else self.foil

    @property
    def other(self) -> str:
        """Of the two words the one that is not named."""
        return self.foil if self.named == self.answer else self.answer
