"""The sentences of the Tokens page: how sure the model was, token by token."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.tokens import TokenMeasure, tokens_frame
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.formats import capitalised, nats, percent, quoted_token
from llm_tracker.wording.labels import told_of


def tokens_sentence(sides: Sequence[Side], measure: TokenMeasure = "prob") -> str:
    """Of each answer, the least likely token, or that of the most open prediction."""
    several = [(side, _told(side.turn, measure)) for side in sides]
    clauses = [told_of(side, told) if len(sides) > 1 else told for side, told in several]
    return f"{capitalised('; '.join(clauses))}."


def _told(turn: Turn, measure: TokenMeasure) -> str:
    """What is said of one answer; where none came, no word of its thought stands for it."""
    if not turn.has_answer:
        return say("no answer came")
    frame = tokens_frame(turn)
    own = frame[frame["phase"] == "answer"]
    if measure == "entropy_nats":
        return _most_open(own)
    least = own.iloc[int(own["prob"].argmin())]
    named = {"token": quoted_token(str(least["token"])), "share": percent(float(least["prob"]))}
    if len(own) == 1:
        return say("its one token is {token} with {share}", **named)
    return say("the least likely of {n} tokens is {token} with {share}", n=number(len(own)), **named)


def _most_open(own: pd.DataFrame) -> str:
    known = own[own["entropy_nats"].notna()]
    if known.empty:
        return say("the entropies of this answer were not kept")
    most = known.iloc[int(known["entropy_nats"].argmax())]
    named = {"token": quoted_token(str(most["token"])), "nats": nats(float(most["entropy_nats"]))}
    if len(own) == 1:
        return say("its one token is {token}, {nats} of entropy", **named)
    return say(
        "of {all} predictions the most open is that of token {n}, {token}, {nats} of entropy",
        all=number(len(own)),
        n=number(most["number"]),
        **named,
    )


def token_differences_sentence(frame: pd.DataFrame, measure: TokenMeasure = "prob") -> str:
    """Where two answers' tokens differ most: `analysis.tokens.differences_frame`."""
    both = frame[frame[measure].notna()]
    if both.empty:
        return say("The answers have no place in common.")
    most = both.iloc[int(both[measure].abs().argmax())]
    value, is_prob = float(most[measure]), measure == "prob"
    if abs(value) <= (0.0005 if is_prob else 0.005):
        if is_prob:
            return say("At no place do the answers differ by 0.1 points of probability.")
        return say("At no place do the answers differ by 0.01 nats of entropy.")
    one, other = quoted_token(str(most["token_before"])), quoted_token(str(most["token_after"]))
    tokens = one if one == other else say("{one} before and {other} after", one=one, other=other)
    if is_prob:
        amount = say("{n} points of probability", n=number(100 * value, "+.1f"))
    else:
        amount = say("{n} nats of entropy", n=number(value, "+.2f"))
    return say(
        "The largest difference is at token {n}, {tokens}: {amount}.",
        n=number(most["number"]),
        tokens=tokens,
        amount=amount,
    )
