"""The ready lessons: what each asks of the built-in model, and its text in the language that is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from llm_tracker.languages.spoken import document
from llm_tracker.prompts.recipes import CONTROL_TEXT

QUESTION = "What is the capital of France?"
WRONG = "That is wrong. The correct answer is London."

CORRECTED = ("question", "before", "correction", "after", "changed")
"""The slides of an answer that is guessed, uncovered and corrected."""


@dataclass(frozen=True)
class Lesson:
    """What a lesson asks and corrects, and which page it looks at."""

    name: str
    """Of its text: `lesson-{name}.md`."""
    question: str
    corrections: tuple[str, ...]
    """What is said to the first answer, one after the other."""
    slides: tuple[str, ...]
    """What the projector shows of it, in this order."""
    page: str
    """The page that has more of what it looks at."""


LESSONS = (
    Lesson("how-a-word-is-chosen", QUESTION, (), ("question", "before", "candidates"), "pages/1_Tokens.py"),
    Lesson("merely-asking-again", QUESTION, (CONTROL_TEXT, WRONG), CORRECTED, "dashboard.py"),
    Lesson(
        "where-the-correction-travels",
        QUESTION,
        (WRONG,),
        (*CORRECTED, "hand_over", "head_patches"),
        "pages/4_Correction.py",
    ),
    Lesson(
        "what-attention-is-not",
        QUESTION,
        (WRONG,),
        (*CORRECTED, "attention", "hidden", "carried", "looked_at"),
        "pages/4_Correction.py",
    ),
)


@dataclass(frozen=True)
class LessonText:
    """The parts of a lesson's document."""

    title: str
    goal: str
    steps: str
    """The ten minutes, step by step."""
    say: str
    do_not_say: str
    sheet: str
    """What is printed for the class."""
    headings: tuple[str, ...]
    """What the parts are called in this language, in this order."""


def text_of(lesson: Lesson) -> LessonText:
    """A lesson's text in the language that is spoken. Raises ValueError for a document of another form."""
    opening, *sections = document(f"lesson-{lesson.name}.md").split("\n## ")
    parts = [section.partition("\n") for section in sections]
    if len(parts) != 5:
        raise ValueError(f"lesson-{lesson.name}.md has {len(parts)} sections, not 5")
    goal, steps, say, do_not_say, sheet = (text.strip() for _, _, text in parts)
    headings = tuple(heading.strip() for heading, _, _ in parts)
    return LessonText(opening.removeprefix("# ").strip(), goal, steps, say, do_not_say, sheet, headings)


def lesson_named(name: str | None) -> Lesson | None:
    """The lesson of a name; None where there is none."""
    return next((lesson for lesson in LESSONS if lesson.name == name), None)
