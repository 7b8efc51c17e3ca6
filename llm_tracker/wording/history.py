"""Kept conversations in words: what became of the answer, when it was, how much it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from llm_tracker.wording.formats import quoted

OUTCOMES = {
    "changed": "changed",
    "same": "stayed the same",
    "unclear": "unclear, cut short",
    "one": "not corrected",
    "none": "not answered",
}
"""What became of the first answer, as a label."""

LONGEST_ANSWER = 40
"""Characters of an answer that a list shows."""

_DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def when(seconds: float, now: float, zone: tzinfo | None = None) -> str:
    """A time as people say it: “today, 14:03”, “Tue 24 Nov, 09:12”, “24 Nov 2025”; of this machine's zone unless given.

    One that lies ahead (a clock was set back) is given with its day.
    """
    then, today = (datetime.fromtimestamp(each, zone) for each in (seconds, now))
    clock = f"{then:%H:%M}"
    if then.date() == today.date():
        return f"today, {clock}"
    if then.date() == (today - timedelta(days=1)).date():
        return f"yesterday, {clock}"
    day = f"{then.day} {_MONTHS[then.month - 1]}"
    return f"{_DAYS[then.weekday()]} {day}, {clock}" if then.year == today.year else f"{day} {then.year}"


def answers_in_short(answers: Sequence[str]) -> str:
    """The first answer and the last, and how many came between: “Paris” → “London”, “Paris” → 2 more → “Rome”."""
    shown = [quoted(_short(answer)) if answer else "(empty)" for answer in answers]
    if len(shown) < 3:
        return " → ".join(shown)
    return f"{shown[0]} → {len(shown) - 2} more → {shown[-1]}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_ANSWER else f"{line[: LONGEST_ANSWER - 1]}…"


def size(n_bytes: float) -> str:
    """A size as people write it: 640 kB, 2.1 MB, 1.3 GB."""
    for unit, of_unit in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= 0.95 * of_unit:
            number = n_bytes / of_unit
            return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB"


def conversations(n: int) -> str:
    """So many conversations."""
    return "1 conversation" if n == 1 else f"{n:,} conversations"
