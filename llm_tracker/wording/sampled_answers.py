"""The sentence on sampled answers: how often the commonest came, and how often the greedy one."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.sampled_answers import CONFIDENCE
from llm_tracker.wording.answers import LONG_ANSWER
from llm_tracker.wording.formats import listed, percent, quoted

CUT_NOTE = "Answers that were cut short are compared as far as they go."

MOST_NAMED = 2
"""Answers that lead together and are named."""


def samples_sentence(frame: pd.DataFrame, temperature: float) -> str:
    """What the frame of `answer_distribution` says: who leads and how surely, and where the greedy answer stands."""
    n_all = int(frame["n"].sum())
    if not n_all:
        return "No answer was sampled."
    leaders = frame[frame["n"] == frame["n"].max()]
    told = f"At temperature {temperature:g}, {_lead(leaders, n_all)}{_greedy_clause(frame, leaders, n_all)}."
    return f"{told} {CUT_NOTE}" if frame["is_cut"].any() else told


def _lead(leaders: pd.DataFrame, n_all: int) -> str:
    """Which answers came most often, how often, and between which shares that may lie."""
    first = leaders.iloc[0]
    n, interval = int(first["n"]), _interval(first["low"], first["high"])
    if n == n_all:
        several = "the only answer" if n == 1 else f"all {n:,} answers"
        return f"{several} {_say(first['answer'], n)} ({interval})"
    if n == 1:
        return f"no two of {n_all:,} answers are alike"
    share = f"{percent(first['share'])}; {interval}"
    if len(leaders) == 1:
        return f"{n:,} of {n_all:,} answers {_say(first['answer'], n)} ({share})"
    names = listed([_named(answer) for answer in leaders["answer"]])
    several = names if len(leaders) <= MOST_NAMED else f"{len(leaders):,} answers"
    return f"{several} lead with {n:,} of {n_all:,} each ({share})"


def _greedy_clause(frame: pd.DataFrame, leaders: pd.DataFrame, n_all: int) -> str:
    """Where the greedy answer stands; nothing where none is known."""
    greedy = frame[frame["is_greedy"]]
    if greedy.empty:
        return ""
    answer, n = greedy["answer"].iloc[0], int(greedy["n"].iloc[0])
    if n == n_all:
        return "; the greedy answer is the same"
    if n > 1 and leaders["is_greedy"].any():
        return f"; the greedy answer is {'the commonest' if len(leaders) == 1 else 'one of them'}"
    return f"; the greedy answer {_named(answer) if answer else 'is empty and'} {_came(n)}"


def _came(n: int) -> str:
    return {0: "never came", 1: "came once", 2: "came twice"}.get(n, f"came {n:,} times")


def _say(answer: str, n: int) -> str:
    """The verb and the answer, of one or several answers."""
    if not answer:
        return "is empty" if n == 1 else "are empty"
    return f"{'says' if n == 1 else 'say'} {_named(answer)}"


def _named(answer: str) -> str:
    """An answer, or its beginning, in quotation marks."""
    if not answer:
        return "an empty answer"
    if len(answer) > LONG_ANSWER:
        return f"{quoted(answer[:LONG_ANSWER].rstrip())[:-1]} …”"
    return quoted(answer)


def _interval(low: float, high: float) -> str:
    """An interval of shares: 95 % interval 58 to 87 %."""
    return f"{percent(CONFIDENCE)} interval {percent(low).removesuffix(' %')} to {percent(high)}"
