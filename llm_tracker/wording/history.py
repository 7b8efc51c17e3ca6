"""Kept conversations in words: what became of the answer, when it was, how much it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.formats import quoted

OUTCOMES = {
    "changed": later("changed"),
    "same": later("stayed the same"),
    "unclear": later("unclear, cut short"),
    "one": later("not corrected"),
    "none": later("not answered"),
}
"""What became of the first answer, as a label."""

LONGEST_ANSWER = 40
"""Characters of an answer that a list shows."""

_DAYS = (
    later("Mon"),
    later("Tue"),
    later("Wed"),
    later("Thu"),
    later("Fri"),
    later("Sat"),
    later("Sun"),
)
_MONTHS = (
    later("Jan"),
    later("Feb"),
    later("Mar"),
    later("Apr"),
    later("May"),
    later("Jun"),
    later("Jul"),
    later("Aug"),
    later("Sep"),
    later("Oct"),
    later("Nov"),
    later("Dec"),
)


def when(seconds: float, now: float, zone: tzinfo | None = None) -> str:
    """A time as people say it: “today, 14:03”, “Tue 24 Nov, 09:12”, “24 Nov 2025”; of this machine's zone unless given.

    One that lies ahead (a clock was set back) is given with its day.
    """
    then, today = (datetime.fromtimestamp(each, zone) for each in (seconds, now))
    clock = f"{then:%H:%M}"
    if then.date() == today.date():
        return say("today, {time}", time=clock)
    if then.date() == (today - timedelta(days=1)).date():
        return say("yesterday, {time}", time=clock)
    day, month = then.day, say(_MONTHS[then.month - 1])
    if then.year != today.year:
        return say("{day} {month} {year}", day=day, month=month, year=then.year)
    return say("{weekday} {day} {month}, {time}", weekday=say(_DAYS[then.weekday()]), day=day, month=month, time=clock)


def answers_in_short(answers: Sequence[str]) -> str:
    """The first answer and the last, and how many came between: “Paris” → “London”, “Paris” → 2 more → “Rome”."""
    shown = [quoted(_short(answer)) if answer else say("(empty)") for answer in answers]
    if len(shown) < 3:
        return " → ".join(shown)
    return say("{first} → {n} more → {last}", first=shown[0], n=number(len(shown) - 2), last=shown[-1])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_ANSWER else f"{line[: LONGEST_ANSWER - 1]}…"


def size(n_bytes: float) -> str:
    """A size as people write it: 640 kB, 2.1 MB, 1.3 GB."""
    for unit, of_unit in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= 0.95 * of_unit:
            several = n_bytes / of_unit
            return f"{number(several, '.0f' if several >= 9.95 else '.1f')} {unit}"
    return f"{number(n_bytes / 1e3, '.0f')} kB"


def conversations(n: int) -> str:
    """So many conversations."""
    return say_n("{n} conversation", "{n} conversations", n, n=number(n, ","))
