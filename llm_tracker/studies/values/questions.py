"""A question of a study, with its right word and a foil; and a set of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_tracker.errors import InputError
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.prompts.words import fold


@dataclass(frozen=True)
class Question:
    """One question. Raises InputError where its words are missing or cannot be told apart, with the column's name."""

    id: str
    question: str
    answer: str
    """The right word."""
    foil: str
    """A wrong word of the same kind, such as another capital."""
    aliases: tuple[str, ...] = ()
    """Other names of the right word, which count as it does."""
    category: str = ""
    difficulty: str = ""
    held_out: bool = False
    """Whether it is kept apart: for what is to be confirmed on questions that nobody has looked at."""

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        for name in ("id", "question", "answer", "foil"):
            if not str(getattr(self, name)).strip():
                raise InputError(f"“{name}” is empty. Give one.", name)
        require_plain([self.question, self.answer, self.foil, *self.aliases])
        if fold(self.foil) in {fold(word) for word in self.answers}:
            raise InputError(f"“foil” is {self.foil}, which is the right word. Give a wrong one.", "foil")

    @property
    def answers(self) -> tuple[str, ...]:
        """The right word and its aliases."""
        return (self.answer, *self.aliases)


@dataclass(frozen=True)
class QuestionSet:
    """Questions with different ids, in their order. Raises InputError for none, and for one id twice."""

    name: str
    """Of the file that they come from."""
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        """Refuse a set that rows cannot be told apart in."""
        if not self.questions:
            raise InputError(f"{self.name} has no questions. Give at least one.")
        ids = [question.id for question in self.questions]
        twice = next((each for each in ids if ids.count(each) > 1), None) if len(set(ids)) < len(ids) else None
        if twice is not None:
            raise InputError(
                f"The id “{twice}” stands twice in {self.name}. Give each question an id of its own.", "id"
            )

    def __iter__(self) -> Iterator[Question]:
        """The questions, in their order."""
        return iter(self.questions)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.questions)

    def blocks(self, n_questions: int) -> list[Sequence[Question]]:
        """The questions in blocks of so many, always the same ones."""
        return [self.questions[at : at + n_questions] for at in range(0, len(self), n_questions)]
