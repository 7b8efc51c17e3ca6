"""The sentences of the Tokens page: how sure the model was, token by token."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.tokens import rivals_of, tokens_frame
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import place_of_token
from llm_tracker.wording.formats import capitalised, percent, quoted_token
from llm_tracker.wording.labels import side_clause


def token_sentence(turn: Turn, step: int) -> str:
    """One token: how likely it was, and what would have come next best."""
    prob, rivals = float(turn.trace.token_probs[step]), rivals_of(turn, step)
    told = f"{capitalised(place_of_token(turn, step))}, {quoted_token(turn.trace.tokens[step])}, had {percent(prob)}"
    rank = int(turn.trace.token_ranks[step])
    place = "" if rank == 1 else f", rank {rank:,} of all tokens"
    if not rivals:
        return f"{told}{place}."
    _, rival, rival_prob = rivals[0]
    best = "next best was" if rank == 1 else "the likeliest was"
    return f"{told}{place}; {best} {quoted_token(rival)} with {percent(rival_prob)}."


def tokens_sentence(sides: Sequence[Side]) -> str:
    """Of each answer, the token of which the model was least sure."""
    told = [f"{side_clause(side)}, {_least(side.turn)}" if len(sides) > 1 else _least(side.turn) for side in sides]
    return f"{capitalised('; '.join(told))}."


def _least(turn: Turn) -> str:
    frame = tokens_frame(turn)
    own = frame[frame["phase"] == "answer"] if turn.has_answer else frame
    least = own.iloc[int(own["prob"].argmin())]
    if len(own) == 1:
        return f"its one token is {quoted_token(str(least['token']))} with {percent(float(least['prob']))}"
    named = f"{quoted_token(str(least['token']))} with {percent(float(least['prob']))}"
    return f"the least likely of {len(own)} tokens is {named}"


def token_differences_sentence(frame: pd.DataFrame) -> str:
    """Where two answers' tokens differ most in probability: `analysis.tokens.differences_frame`."""
    both = frame[frame["prob"].notna()]
    if both.empty:
        return "The answers have no place in common."
    most = both.iloc[int(both["prob"].abs().argmax())]
    one, other = quoted_token(str(most["token_before"])), quoted_token(str(most["token_after"]))
    same = one if one == other else f"{one} before and {other} after"
    points = 100 * float(most["prob"])
    return f"The largest difference is at token {most['number']}, {same}: {points:+.1f} points of probability."
