"""The sentence on sampled answers: how often the commonest came, and how often the greedy one."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.sampled_answers import CONFIDENCE
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.answers import quoted_answer
from llm_tracker.wording.formats import listed, percent

CUT_NOTE = later("Answers that were cut short are compared as far as they go.")

MOST_NAMED = 2
"""Answers that lead together and are named."""


def samples_sentence(frame: pd.DataFrame, temperature: float) -> str:
    """What the frame of `answer_distribution` says: who leads and how surely, and where the greedy answer stands."""
    n_all = int(frame["n"].sum())
    if not n_all:
        return say("No answer was sampled.")
    leaders = frame[frame["n"] == frame["n"].max()]
    clauses = f"{_lead(leaders, n_all)}{_greedy_clause(frame, leaders, n_all)}"
    told = say("At temperature {temperature}, {told}.", temperature=number(temperature, "g"), told=clauses)
    return f"{told} {say(CUT_NOTE)}" if frame["is_cut"].any() else told


def _lead(leaders: pd.DataFrame, n_all: int) -> str:
    """Which answers came most often, how often, and between which shares that may lie."""
    first = leaders.iloc[0]
    n, interval = int(first["n"]), _interval(first["low"], first["high"])
    if n == n_all:
        return f"{_all_say(first['answer'], n)} ({interval})"
    numbers = {"n": number(n, ","), "all": number(n_all, ",")}
    if n == 1:
        return say("no two of {all} answers are alike", **numbers)
    share = f"{percent(first['share'])}; {interval}"
    if len(leaders) == 1:
        return f"{_some_say(first['answer'], numbers)} ({share})"
    several = say("{n} answers", n=number(len(leaders), ","))
    if len(leaders) <= MOST_NAMED:
        several = listed([_named(answer) for answer in leaders["answer"]])
    return f"{say('{answers} lead with {n} of {all} each', answers=several, **numbers)} ({share})"


def _greedy_clause(frame: pd.DataFrame, leaders: pd.DataFrame, n_all: int) -> str:
    """Where the greedy answer stands; nothing where none is known."""
    greedy = frame[frame["is_greedy"]]
    if greedy.empty:
        return ""
    answer, n = greedy["answer"].iloc[0], int(greedy["n"].iloc[0])
    if n == n_all:
        told = say("the greedy answer is the same")
    elif n > 1 and leaders["is_greedy"].any():
        is_alone = len(leaders) == 1
        told = say("the greedy answer is the commonest") if is_alone else say("the greedy answer is one of them")
    elif answer:
        told = say("the greedy answer {answer} {came}", answer=_named(answer), came=_came(n))
    else:
        told = say("the greedy answer is empty and {came}", came=_came(n))
    return f"; {told}"


def _came(n: int) -> str:
    if n > 2:
        return say("came {n} times", n=number(n, ","))
    return (say("never came"), say("came once"), say("came twice"))[n]


def _all_say(answer: str, n: int) -> str:
    """What each of so many answers says."""
    if not answer:
        return say_n("the only answer is empty", "all {n} answers are empty", n, n=number(n, ","))
    named = _named(answer)
    return say_n("the only answer says {answer}", "all {n} answers say {answer}", n, n=number(n, ","), answer=named)


def _some_say(answer: str, numbers: dict[str, str]) -> str:
    """What several of all answers say."""
    if not answer:
        return say("{n} of {all} answers are empty", **numbers)
    return say("{n} of {all} answers say {answer}", answer=_named(answer), **numbers)


def _named(answer: str) -> str:
    """An answer, or its beginning, in quotation marks."""
    if not answer:
        return say("an empty answer")
    return quoted_answer(answer)


def _interval(low: float, high: float) -> str:
    """An interval of shares: 95 % interval 58 to 87 %."""
    share = percent(CONFIDENCE)
    return say("{share} interval {low} to {high}", share=share, low=percent(low, sign=""), high=percent(high))
