"""The sentence below the candidates: which token leads on each side, and by how much.

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.wording.formats import again_clause, capitalised, listed, percent, quoted_token
from llm_tracker.wording.labels import side_clause


def candidates_sentence(sides: Sequence[Side]) -> str:
    """Which token leads on each side, and by how much."""
    if len(sides) == 1:
        return _one_sided(sides[0])
    leaders = [(_leaders(side), _best(side)[0][1]) for side in sides]
    told = list(zip([side_clause(side) for side in sides], leaders, strict=True))
    if len({leader for leader, _ in leaders}) == 1:
        figures = listed([f"{when} {percent(prob)}" for when, (_, prob) in told])
        return f"{capitalised(leaders[0][0])} every time: {figures}."
    return f"{capitalised('; '.join(f'{when}, {leader} with {percent(prob)}' for when, (leader, prob) in told))}."


def _one_sided(side: Side) -> str:
    best = _best(side)
    if len(best) < 2:
        return f"{quoted_token(best[0][0])} is the only candidate."
    if best[0][1] == best[1][1]:
        return f"{capitalised(_leaders(side))} with {percent(best[0][1])} each."
    (token, prob), (rival, rival_prob) = best[:2]
    second = f"next comes {quoted_token(rival)} with {percent(rival_prob)}"
    return f"The likeliest next token is {quoted_token(token)} with {percent(prob)}; {second}."


def _best(side: Side) -> list[tuple[str, float]]:
    trace = side.turn.trace
    return list(zip(trace.top_tokens[side.step], map(float, trace.top_probs[side.step]), strict=True))


def _leaders(side: Side) -> str:
    """Who leads: one token, or several that are exactly as likely."""
    best = _best(side)
    level = [token for token, prob in best if prob == best[0][1]]
    if len(level) == 1:
        return f"{quoted_token(level[0])} leads"
    names = listed([quoted_token(each) for each in level]) if len(level) == 2 else f"{len(level)} tokens"
    return f"{names} lead together"


def candidate_differences_sentence(frame: pd.DataFrame) -> str:
    """Which candidate gained most and which lost most: `analysis.candidates.candidate_differences`."""
    known = frame[frame["prob"].notna()]
    if known.empty:
        return "No candidate is among the best of both sides."
    told = []
    for row, moved in ((known.iloc[0], "gained"), (known.iloc[-1], "lost")):
        points = 100 * float(row["prob"])
        if (points > 0) == (moved == "gained") and round(abs(points)) > 0:
            amount = f"{abs(points):.0f}"
            unit = "point" if amount == "1" else "points"
            told.append(f"{quoted_token(str(row['token']))} {moved} {amount} {unit}{again_clause(float(row['again']))}")
    return f"{capitalised(listed(told))}." if told else "No candidate that both sides have moved by a point or more."
