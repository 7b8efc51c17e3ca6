"""Before | after | merely asked again: the same words, at one place of each answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llm_tracker.prompts.words import fold
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import WatchedLens

SideName = Literal["before", "after", "again"]


@dataclass(frozen=True)
class Side:
    """One answer of a comparison, and the step of it that is looked at. Turns are told apart by identity."""

    name: SideName
    """`before` and `after` the correction, or one model and another; `again`: the neutral control."""
    turn: Turn
    step: int = 0
    model: str = ""
    """The name of the model that answered, where two models are compared; else empty."""

    @property
    def token(self) -> str:
        """The token that was written at this step."""
        return self.turn.trace.tokens[self.step]

    def watched(self, word: str) -> WatchedLens | None:
        """A watch word's lens at this step, if it was computed."""
        table = self.turn.trace.lens.get(self.step)
        return table.watched.get(word) if table else None

    def first_token(self, word: str) -> str:
        """What is read of a watch word here: its first token, without the space in front; the word if none was read."""
        lens = self.watched(word)
        return word if lens is None else lens.token.strip() or lens.token


@dataclass(frozen=True)
class WordChange:
    """A watch word's probability, in [0, 1], at the step that each side looks at."""

    word: str
    tokens: tuple[str, ...]
    """What is compared: the word's first token on each side, which is the word itself if it has only one."""
    before: float
    after: float
    again: float | None
    """Of the neutral control, where there is one."""
    ranks: tuple[int, int]
    """Before and after; 1 = best."""


def sides_of(session: Session, before: int = -2, after: int = -1) -> list[Side]:
    """Two turns at their first token, and the control of the later one where it was run.

    `before` and `after` count the session's turns from 0, or from the end if negative. Raises IndexError for a turn
    that is not there.
    """
    places = [range(len(session.turns))[at] for at in (before, after)]
    control = session.controls.get(places[1])
    sides = [Side("before", session.turns[places[0]]), Side("after", session.turns[places[1]])]
    return [*sides, Side("again", control)] if control is not None else sides


def word_changes(sides: Sequence[Side], words: Sequence[str]) -> list[WordChange]:
    """What became of each of `words` that is watched on both sides, in their order."""
    changes = []
    for word in words:
        read = {side.name: lens for side in sides if (lens := side.watched(word)) is not None}
        if "before" in read and "after" in read:
            probs = {name: float(lens.prob[-1]) for name, lens in read.items()}
            tokens = tuple(lens.token for lens in read.values())
            ranks = int(read["before"].rank[-1]), int(read["after"].rank[-1])
            changes.append(WordChange(word, tokens, probs["before"], probs["after"], probs.get("again"), ranks))
    return changes


def same_answer(one: Turn, other: Turn) -> bool | None:
    """Whether two turns answer the same, but for case and outer marks; None where one was cut before that shows."""
    answers = [fold(turn.answer.strip(" .!?")) for turn in (one, other)]
    if answers[0] == answers[1]:
        return True
    cut = [(own, rest) for turn, own, rest in zip((one, other), answers, answers[::-1], strict=True) if turn.is_cut]
    return None if any(rest.startswith(own) for own, rest in cut) else False


def follows(before: Turn, after: Turn) -> bool:
    """Whether one turn corrects the other's answer, with nothing said between."""
    earlier = before.prompt.messages
    return len(after.prompt.messages) == len(earlier) + 2 and after.prompt.messages[: len(earlier)] == earlier
