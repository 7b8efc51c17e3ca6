"""Candidates for a token: logits, probabilities, and everything else."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from llm_tracker.tracing.trace import Trace

EVERYTHING_ELSE = "everything else"

Row = tuple[int, int, str, float, float]


def candidates(trace: Trace, step: int = 0, count: int = 5, words: Iterable[str] = ()) -> pd.DataFrame:
    """The best candidates of one step, best first, then watch words beyond these, and a last row for all others.

    Columns: rank (1 = best; 0 of the last row), token_id (-1 of the last row), token, logit (raw: after cap and
    scale, before temperature), prob. The probabilities sum to 1. Of `words`, those whose lens was computed at this
    step get a row for their first token.
    """
    kept = min(count, trace.top_probs.shape[1])
    ids, tokens = trace.top_token_ids[step, :kept].tolist(), trace.top_tokens[step][:kept]
    logits, probs = trace.top_logits[step, :kept].tolist(), trace.top_probs[step, :kept].tolist()
    rows: list[Row] = list(zip(range(1, kept + 1), ids, tokens, logits, probs, strict=True))
    rows += _watched_rows(trace, step, words, {row[1] for row in rows})
    rest = max(0.0, 1.0 - sum(row[-1] for row in rows))
    rows.append((0, -1, EVERYTHING_ELSE, float("nan"), rest))
    return pd.DataFrame(rows, columns=["rank", "token_id", "token", "logit", "prob"])


def _watched_rows(trace: Trace, step: int, words: Iterable[str], known: set[int]) -> list[Row]:
    """The watch words' first tokens that are not among the known ones, best first."""
    table = trace.lens.get(step)
    lenses = [table.watched[word] for word in words if word in table.watched] if table else []
    rows = {
        lens.token_id: (int(lens.rank[-1]), lens.token_id, lens.token, float(lens.logit[-1]), float(lens.prob[-1]))
        for lens in lenses
        if lens.token_id not in known
    }
    return sorted(rows.values())
