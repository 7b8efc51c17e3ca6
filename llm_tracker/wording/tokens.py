"""The sentences of the Tokens page: how sure the model was, token by token."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.tokens import TokenMeasure, rivals_of, tokens_frame
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import place_of_token
from llm_tracker.wording.formats import capitalised, nats, percent, quoted_token
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


def tokens_sentence(sides: Sequence[Side], measure: TokenMeasure = "prob") -> str:
    """Of each answer, the least likely token, or that of the most open prediction."""
    several = [(side, _told(side.turn, measure)) for side in sides]
    clauses = [f"{side_clause(side)}, {told}" if len(sides) > 1 else told for side, told in several]
    return f"{capitalised('; '.join(clauses))}."


def _told(turn: Turn, measure: TokenMeasure) -> str:
    """What is said of one answer; where none came, no word of its thought stands for it."""
    if not turn.has_answer:
        return "no answer came"
    frame = tokens_frame(turn)
    own = frame[frame["phase"] == "answer"]
    if measure == "entropy_nats":
        return _most_open(own)
    least = own.iloc[int(own["prob"].argmin())]
    named = f"{quoted_token(str(least['token']))} with {percent(float(least['prob']))}"
    return f"its one token is {named}" if len(own) == 1 else f"the least likely of {len(own)} tokens is {named}"


def _most_open(own: pd.DataFrame) -> str:
    known = own[own["entropy_nats"].notna()]
    if known.empty:
        return "the entropies of this answer were not kept"
    most = known.iloc[int(known["entropy_nats"].argmax())]
    named = f"{quoted_token(str(most['token']))}, {nats(float(most['entropy_nats']))} of entropy"
    if len(own) == 1:
        return f"its one token is {named}"
    return f"of {len(own)} predictions the most open is that of token {most['number']}, {named}"


def token_differences_sentence(frame: pd.DataFrame, measure: TokenMeasure = "prob") -> str:
    """Where two answers' tokens differ most: `analysis.tokens.differences_frame`."""
    both = frame[frame[measure].notna()]
    if both.empty:
        return "The answers have no place in common."
    most = both.iloc[int(both[measure].abs().argmax())]
    value, is_prob = float(most[measure]), measure == "prob"
    least, unit = (0.0005, "0.1 points of probability") if is_prob else (0.005, "0.01 nats of entropy")
    if abs(value) <= least:
        return f"At no place do the answers differ by {unit}."
    one, other = quoted_token(str(most["token_before"])), quoted_token(str(most["token_after"]))
    same = one if one == other else f"{one} before and {other} after"
    amount = f"{100 * value:+.1f} points of probability" if is_prob else f"{value:+.2f} nats of entropy"
    return f"The largest difference is at token {most['number']}, {same}: {amount}."
