"""Candidates for a token: logits, probabilities, and everything else."""

from __future__ import annotations

import pandas as pd

from llm_tracker.tracing.trace import Trace

EVERYTHING_ELSE = "everything else"


def candidates(trace: Trace, step: int = 0, count: int = 5) -> pd.DataFrame:
    """The best candidates of one step, best first, and a last row for all other tokens together.

    Columns: rank (1 = best; 0 of the last row), token_id (-1 of the last row), token, logit (raw: after cap and
    scale, before temperature), prob. The probabilities sum to 1.
    """
    kept = min(count, trace.top_probs.shape[1])
    best = pd.DataFrame(
        {
            "rank": range(1, kept + 1),
            "token_id": trace.top_token_ids[step, :kept],
            "token": trace.top_tokens[step][:kept],
            "logit": trace.top_logits[step, :kept].astype(float),
            "prob": trace.top_probs[step, :kept].astype(float),
        }
    )
    rest = pd.DataFrame(
        {
            "rank": [0],
            "token_id": [-1],
            "token": [EVERYTHING_ELSE],
            "logit": [float("nan")],
            "prob": [max(0.0, 1.0 - float(best["prob"].sum()))],
        }
    )
    return pd.concat([best, rest], ignore_index=True)
