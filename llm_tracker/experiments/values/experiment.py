"""Experiment: what one correction did, all parts of it, as a frozen value that needs no model to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.experiments.values.findings import (
    Attribution,
    ConditionScore,
    ExactCheck,
    FrozenRoute,
    HandOver,
    Heads,
    KnockOuts,
    LensCurve,
    Unavailable,
)
from llm_tracker.tracing.session import ModelInfo

T = TypeVar("T")


@dataclass(frozen=True)
class Shift:
    """What a correction changed in the margin, split by the control of merely asking again; in nats."""

    asked_again: float
    """From the first answer to asking again."""
    correction: float
    """From asking again to the correction."""

    @property
    def total(self) -> float:
        """From the first answer to the correction."""
        return self.asked_again + self.correction


@dataclass(frozen=True)
class VerdictEffect:
    """What “right” makes more likely than “wrong”, all else being equal: the means over the wordings, in nats."""

    score: float
    """Of the right word."""
    margin: float


@dataclass(frozen=True)
class Experiment:
    """What a correction did. A part is None as long as it was not asked for or has not come."""

    model: ModelInfo
    recipe: str
    case: Case
    turn: int = 1
    """Of the session: which turn is the correction."""
    versions: dict[str, str] = field(default_factory=dict)
    hand_over: HandOver | Unavailable | None = None
    """The named word's path."""
    verdict: HandOver | Unavailable | None = None
    """The path of “right” and “wrong”."""
    conditions: tuple[ConditionScore, ...] = ()
    lens: tuple[LensCurve, ...] | Unavailable | None = None
    knock_outs: KnockOuts | Unavailable | None = None
    frozen_route: FrozenRoute | Unavailable | None = None
    heads: Heads | Unavailable | None = None
    attributions: tuple[Attribution, ...] | Unavailable | None = None
    """Before, merely asked again, after."""
    checks: tuple[ExactCheck, ...] = ()
    tokens_read: int = 0
    """By all passes together."""
    text_length: int = 0
    """Tokens of the text with the correction."""
    seconds: float = 0.0

    @property
    def forward_equivalents(self) -> float:
        """How many passes over the whole text would have read as many tokens."""
        return self.tokens_read / self.text_length if self.text_length else 0.0

    def score(self, name: ConditionName, paraphrase: int = 0) -> ConditionScore | None:
        """The score of one condition in one wording, if it was taken."""
        wanted = (name, paraphrase)
        return next(
            (each for each in self.conditions if (each.condition.name, each.condition.paraphrase) == wanted), None
        )

    @property
    def shift(self) -> Shift | None:
        """The shift of the conversation's correction; None without its controls."""
        baseline, again, after = (self.score(name) for name in ("baseline", "asked_again", "user"))
        if baseline is None or again is None or after is None:
            return None
        return Shift(again.margin - baseline.margin, after.margin - again.margin)

    @property
    def verdict_effect(self) -> VerdictEffect | None:
        """The mean difference between “right” and “wrong”, in the wordings that both were scored in."""
        pairs = [
            (right, wrong)
            for right in self.conditions
            if right.condition.name == "right"
            and (wrong := self.score("wrong", right.condition.paraphrase)) is not None
        ]
        if not pairs:
            return None
        return VerdictEffect(
            score=sum(right.score_answer - wrong.score_answer for right, wrong in pairs) / len(pairs),
            margin=sum(right.margin - wrong.margin for right, wrong in pairs) / len(pairs),
        )


def available(part: T | Unavailable | None) -> T | None:
    """A part where it is there."""
    return None if isinstance(part, Unavailable) else part
