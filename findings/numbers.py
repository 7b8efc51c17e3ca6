"""The figures of the findings, each of the questions that anybody may look at and of the held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from llm_tracker.studies.statistics.by_question import by_question
from llm_tracker.studies.statistics.intervals import Estimate, mean, rate
from llm_tracker.studies.statistics.summary import kept
from llm_tracker.wording.formats import percent

Rows = pd.DataFrame
SHARE, NATS, PLAIN = "share", "nats", "plain"
"""How a figure is written: in percent, with its sign, or as it is."""


@dataclass(frozen=True)
class Figure:
    """One number of a finding, twice: on the 80 questions in view, and on the 40 held out."""

    name: str
    open: Estimate
    held_out: Estimate
    unit: str = NATS

    def cells(self) -> list[str]:
        """As a row of a table."""
        return [self.name, told(self.open, self.unit), told(self.held_out, self.unit)]


def told(estimate: Estimate, unit: str = NATS) -> str:
    """An estimate with its interval and its number of questions."""
    if estimate.n == 0:
        return "none"
    forms = {SHARE: percent, NATS: lambda value: f"{value:+.2f}".replace("-", "−"), PLAIN: lambda value: f"{value:.2f}"}
    write = forms[unit]
    inside = "" if estimate.low != estimate.low else f" [{write(estimate.low)}, {write(estimate.high)}]"
    return f"{write(estimate.value)}{inside}, n = {estimate.n}"


def both(name: str, rows: Rows, of: Callable[[Rows], Estimate], unit: str = NATS) -> Figure:
    """A figure of the open questions and of the held-out ones."""
    return Figure(name, of(kept(rows, False)), of(kept(rows, True)), unit)


def difference(first: str, second: str, column: str = "margin") -> Callable[[Rows], Estimate]:
    """The mean over questions of one condition's number minus another's (wordings averaged first), paired."""

    def of(rows: Rows) -> Estimate:
        table = by_question(rows).pivot_table(column, "question_id", "condition")
        if not {first, second} <= set(table.columns):
            return mean([])
        return mean((table[first] - table[second]).dropna())

    return of


def level(condition: str, column: str = "margin") -> Callable[[Rows], Estimate]:
    """The mean over questions of a condition's number."""

    def of(rows: Rows) -> Estimate:
        own = by_question(rows)
        return mean(own.loc[own["condition"] == condition, column])

    return of


def share(condition: str, holds: Callable[[Rows], pd.Series]) -> Callable[[Rows], Estimate]:
    """In how many questions something holds of a condition's first wording."""

    def of(rows: Rows) -> Estimate:
        return rate(holds(rows[(rows["condition"] == condition) & (rows["paraphrase"] == 0)]))

    return of


def above(first: str, second: str, column: str) -> Callable[[Rows], Estimate]:
    """In how many questions one condition's number is larger than another's."""

    def of(rows: Rows) -> Estimate:
        table = by_question(rows).pivot_table(column, "question_id", "condition")
        if not {first, second} <= set(table.columns):
            return rate([])
        return rate(table[first] > table[second])

    return of


def is_one_word(column: str = "answer_text") -> Callable[[Rows], pd.Series]:
    """Whether what was written is one word."""
    return lambda rows: rows[column].str.split().str.len() == 1


def right_at_first(rows: Rows) -> Rows:
    """The rows of the questions whose first answer was right: a named word is the foil there."""
    return rows[rows["grade_before"] == "answer"]


NEAR = 1.0
"""Nats: what an interval may reach to and still be called near 0. A wide one, or none, says nothing."""


def leaves_out_zero(estimate: Estimate) -> bool:
    """Whether the interval is on one side of 0."""
    return estimate.low > 0 or estimate.high < 0


def is_near_zero(estimate: Estimate) -> bool:
    """Whether the interval has 0 in it, and nothing that is far from it."""
    return -NEAR < estimate.low <= 0 <= estimate.high < NEAR


def verdict(claims: Sequence[bool]) -> str:
    """What is said of a claim that is looked at in several figures."""
    if all(claims):
        return "holds"
    return "does not hold" if not any(claims) else "holds in part"


def median_of(values: pd.Series) -> str:
    """A median with the middle half."""
    if not len(values):
        return "none"
    low, middle, high = (values.quantile(each) for each in (0.25, 0.5, 0.75))
    return f"{middle:.0f} (middle half {low:.0f} to {high:.0f}, n = {len(values)})"
