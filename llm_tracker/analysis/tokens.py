"""The tokens of an answer, one by one: how likely each was, how sure the model was, and what it might have said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.tracing.session import Turn

TokenMeasure = Literal["prob", "entropy_nats"]
"""The probability of a token in [0, 1], or the entropy of the prediction that it was chosen from, in nats."""


def tokens_frame(turn: Turn) -> pd.DataFrame:
    """A row for each token that was written, those of a thought too.

    Columns: step (from 0), phase (“thought” or “answer”), number (the token's place in its phase, from 1), token_id,
    token, prob, logit (raw), rank (1 = best; sampling may write others), entropy_nats (of the prediction that it was
    chosen from; NaN in a session of an earlier version), rival and rival_prob (the likeliest other candidate).
    """
    trace, first = turn.trace, turn.answer_steps.start
    steps = np.arange(trace.n_steps)
    rivals = [rivals_of(turn, step)[:1] for step in steps.tolist()]
    return pd.DataFrame(
        {
            "step": steps,
            "phase": ["thought" if step < first else "answer" for step in steps],
            "number": np.where(steps < first, steps + 1, steps + 1 - first),
            "token_id": trace.token_ids,
            "token": trace.tokens,
            "prob": trace.token_probs,
            "logit": trace.token_logits,
            "rank": trace.token_ranks,
            "entropy_nats": np.full(trace.n_steps, np.nan) if trace.entropies is None else trace.entropies,
            "rival": [each[0][1] if each else "" for each in rivals],
            "rival_prob": [each[0][2] if each else float("nan") for each in rivals],
        }
    )


def rivals_of(turn: Turn, step: int) -> list[tuple[int, str, float]]:
    """The candidates that lost at a step, best first: token id, token, probability."""
    trace = turn.trace
    several = zip(
        trace.top_token_ids[step].tolist(), trace.top_tokens[step], trace.top_probs[step].tolist(), strict=True
    )
    return [each for each in several if each[0] != trace.token_ids[step]]


def answers_frame(sides: Sequence[Side]) -> pd.DataFrame:
    """The answers of several sides (their thoughts left out), a column `turn` with the side's name."""
    frames = [tokens_frame(side.turn).query("phase == 'answer'").assign(turn=side.name) for side in sides]
    return pd.concat(frames, ignore_index=True)


def differences_frame(before: Side, after: Side) -> pd.DataFrame:
    """Two answers token by token, by their places: what each says there, and the difference of their numbers.

    Columns: number, token_before, token_after (empty where one answer is shorter), prob and entropy_nats, each after
    minus before (NaN where one is shorter).
    """
    one, other = (tokens_frame(side.turn).query("phase == 'answer'").set_index("number") for side in (before, after))
    both = one.merge(other, "outer", left_index=True, right_index=True, suffixes=("_before", "_after"))
    return pd.DataFrame(
        {
            "number": both.index,
            "token_before": both["token_before"].fillna("").to_numpy(),
            "token_after": both["token_after"].fillna("").to_numpy(),
            **{name: (both[f"{name}_after"] - both[f"{name}_before"]).to_numpy() for name in ("prob", "entropy_nats")},
        }
    )
