"""The sentence below the candidates: which token leads on each side, and by how much.

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.wording.formats import again_clause, capitalised, listed, percent, quoted_token
from llm_tracker.wording.labels import side_clause, told_of


def candidates_sentence(sides: Sequence[Side]) -> str:
    """Which token leads on each side, and by how much."""
    if len(sides) == 1:
        return _one_sided(sides[0])
    leaders = [(_leaders(side), _best(side)[0][1]) for side in sides]
    if len({leader for leader, _ in leaders}) == 1:
        probs = [percent(prob) for _, prob in leaders]
        shares = listed([f"{side_clause(side)} {prob}" for side, prob in zip(sides, probs, strict=True)])
        return capitalised(say("{leaders} every time: {shares}.", leaders=leaders[0][0], shares=shares))
    told = [say("{leaders} with {share}", leaders=leader, share=percent(prob)) for leader, prob in leaders]
    return f"{capitalised('; '.join(map(told_of, sides, told)))}."


def _one_sided(side: Side) -> str:
    best = _best(side)
    if len(best) < 2:
        return say("{token} is the only candidate.", token=quoted_token(best[0][0]))
    if best[0][1] == best[1][1]:
        return capitalised(say("{leaders} with {share} each.", leaders=_leaders(side), share=percent(best[0][1])))
    (token, prob), (rival, rival_prob) = best[:2]
    return say(
        "The likeliest next token is {token} with {share}; next comes {rival} with {rival_share}.",
        token=quoted_token(token),
        share=percent(prob),
        rival=quoted_token(rival),
        rival_share=percent(rival_prob),
    )


def _best(side: Side) -> list[tuple[str, float]]:
    trace = side.turn.trace
    return list(zip(trace.top_tokens[side.step], map(float, trace.top_probs[side.step]), strict=True))


def _leaders(side: Side) -> str:
    """Who leads: one token, or several that are exactly as likely."""
    best = _best(side)
    level = [token for token, prob in best if prob == best[0][1]]
    if len(level) == 1:
        return say("{token} leads", token=quoted_token(level[0]))
    if len(level) > 2:
        return say("{n} tokens lead together", n=number(len(level)))
    return say("{tokens} lead together", tokens=listed([quoted_token(each) for each in level]))


def candidate_differences_sentence(frame: pd.DataFrame) -> str:
    """Which candidate gained most and which lost most: `analysis.candidates.candidate_differences`."""
    known = frame[frame["prob"].notna()]
    if known.empty:
        return say("No candidate is among the best of both sides.")
    told = []
    for row, moved in ((known.iloc[0], "gained"), (known.iloc[-1], "lost")):
        points = 100 * float(row["prob"])
        if (points > 0) == (moved == "gained") and round(abs(points)) > 0:
            change = _change(quoted_token(str(row["token"])), points)
            told.append(f"{change}{again_clause(float(row['again']))}")
    if not told:
        return say("No candidate that both sides have moved by a point or more.")
    return f"{capitalised(listed(told))}."


def _change(token: str, points: float) -> str:
    n, written = round(abs(points)), number(abs(points), ".0f")
    if points > 0:
        return say_n("{token} gained {n} point", "{token} gained {n} points", n, token=token, n=written)
    return say_n("{token} lost {n} point", "{token} lost {n} points", n, token=token, n=written)
