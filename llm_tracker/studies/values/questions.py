"""A question of a study, with its right word and a foil; and a set of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.grading import grade
from llm_tracker.languages.texts import later, say
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
                raise InputError(say("“{column}” is empty. Give one.", column=name), name)
        for name in ("id", "question", "answer", "foil", "category", "difficulty", "aliases"):
            _require_plain(name, getattr(self, name))
        if fold(self.foil) in {fold(word) for word in self.answers}:
            raise InputError(
                say("“foil” is {foil}, which is the right word. Give a wrong one.", foil=self.foil), "foil"
            )
        for name, word in (("answer", self.answer), *(("aliases", each) for each in self.aliases), ("foil", self.foil)):
            self._require_told_apart(name, word)

    def _require_told_apart(self, name: str, word: str) -> None:
        """Refuse a word that, written by itself as an answer, would not be graded as what it is."""
        if grade(word, self.answers, (self.foil,)) != ("foil" if name == "foil" else "answer"):
            raise InputError(
                say(
                    "“{column}” is {word}: such an answer could not be told from the other word, as only letters "
                    "and digits are compared, and “no” and “not” turn an answer round. Give another word.",
                    column=name,
                    word=word,
                ),
                name,
            )

    @property
    def answers(self) -> tuple[str, ...]:
        """The right word and its aliases."""
        return (self.answer, *self.aliases)


def _require_plain(name: str, text: str | tuple[str, ...]) -> None:
    try:
        require_plain(text)
    except InputError as error:
        raise InputError(f"“{name}”: {error}", name) from error


PASTED = later("What was typed")
"""The name of a set that is no file's."""


def called(name: str) -> str:
    """What a set is called in a sentence: that of a file by its name."""
    return say(PASTED) if name == PASTED else name


@dataclass(frozen=True)
class QuestionSet:
    """Questions with different ids, in their order. Raises InputError for none, and for one id twice."""

    name: str
    """Of the file that they come from."""
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        """Refuse a set that rows cannot be told apart in."""
        if not self.questions:
            raise InputError(say("{name} has no questions. Give at least one.", name=called(self.name)))
        counts = Counter(question.id for question in self.questions)
        twice = next((each for each, count in counts.items() if count > 1), None)
        if twice is not None:
            raise InputError(
                say(
                    "The id “{id}” stands twice in {name}. Give each question an id of its own.",
                    id=twice,
                    name=called(self.name),
                ),
                "id",
            )

    def __iter__(self) -> Iterator[Question]:
        """The questions, in their order."""
        return iter(self.questions)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.questions)

    def first(self, n: int) -> QuestionSet:
        """The first of them. Raises InputError for fewer than one."""
        if n < 1:
            raise InputError(say("The first {n} questions were asked for. Give 1 or more.", n=n), "first")
        return QuestionSet(self.name, self.questions[:n])

    def blocks(self, n_questions: int) -> list[Sequence[Question]]:
        """The questions in blocks of so many, always the same ones."""
        return [self.questions[at : at + n_questions] for at in range(0, len(self), n_questions)]
