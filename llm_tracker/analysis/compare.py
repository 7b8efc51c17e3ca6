"""Before | after | merely asked again: the same words, at one place of each answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llm_tracker.prompts.words import folded_answer
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import WatchedLens
from llm_tracker.tracing.whole_words import Parting, WordScore

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

    def read_for_lead(self, word: str, over: str) -> tuple[WatchedLens, WatchedLens] | None:
        """The two tokens that a lead is the difference of: the first ones of two words in which they differ.

        Of words that begin with the same tokens, these are read behind what they share, by teacher forcing. None where
        they were not read, or where one word is the beginning of the other.
        """
        first, second = self.watched(word), self.watched(over)
        if first is not None and second is not None and first.token_id != second.token_id:
            return first, second
        parting = self.parting(word, over)
        return None if parting is None else (parting.watched[word], parting.watched[over])

    def parting(self, word: str, over: str) -> Parting | None:
        """Behind what a lead is read; None where the first tokens of the two words differ, or where it was not read."""
        first, second = self.watched(word), self.watched(over)
        if first is not None and second is not None and first.token_id != second.token_id:
            return None
        return self.turn.parting(word, over, self.step)

    def score(self, word: str) -> WordScore | None:
        """How likely the whole word is at this step, if it was computed."""
        return self.turn.score(word, self.step)

    def first_token(self, word: str) -> str:
        """What is read of a watch word here: its first token, without the space in front; the word if none was read."""
        lens = self.watched(word)
        return word if lens is None else lens.token.strip() or lens.token


@dataclass(frozen=True)
class WordChange:
    """The probability of a whole word, in [0, 1] and in any of its spellings, at the step that each side looks at."""

    word: str
    before: float
    after: float
    again: float | None
    """Of the neutral control, where there is one."""


def sides_of(session: Session, before: int = -2, after: int = -1) -> list[Side]:
    """Two turns at the first token of their answer, and the control of the later one where it was run.

    `before` and `after` count the session's turns from 0, or from the end if negative. Raises IndexError for a turn
    that is not there.
    """
    places = [range(len(session.turns))[at] for at in (before, after)]
    control = session.controls.get(places[1])
    turns: list[tuple[SideName, Turn]] = [("before", session.turns[places[0]]), ("after", session.turns[places[1]])]
    turns += [] if control is None else [("again", control)]
    return [Side(name, turn, turn.first_step) for name, turn in turns]


def model_names(sessions: Sequence[Session]) -> list[str]:
    """What two models are called: by their titles, or where these are the same, by their ids too; "" of one alone."""
    models = [session.model for session in sessions]
    if len({model.id for model in models}) < 2:
        return [""] * len(models)
    is_clear = len({model.title for model in models}) == len(models)
    return [model.title if is_clear else f"{model.title} ({model.id})" for model in models]


def word_changes(sides: Sequence[Side], words: Sequence[str]) -> list[WordChange]:
    """What became of each of `words` that is scored on both sides, in their order."""
    changes = []
    for word in words:
        probs = {side.name: score.prob for side in sides if (score := side.score(word)) is not None}
        if "before" in probs and "after" in probs:
            changes.append(WordChange(word, probs["before"], probs["after"], probs.get("again")))
    return changes


def same_answer(one: Turn, other: Turn) -> bool | None:
    """Whether two turns answer the same, but for case and outer marks; None where one was cut before that shows."""
    answers = [folded_answer(turn.answer) for turn in (one, other)]
    if answers[0] == answers[1]:
        return True
    cut = [(own, rest) for turn, own, rest in zip((one, other), answers, answers[::-1], strict=True) if turn.is_cut]
    return None if any(rest.startswith(own) for own, rest in cut) else False


def follows(before: Turn, after: Turn) -> bool:
    """Whether one turn corrects the other's answer, with nothing said between."""
    earlier = before.prompt.messages
    return len(after.prompt.messages) == len(earlier) + 2 and after.prompt.messages[: len(earlier)] == earlier
