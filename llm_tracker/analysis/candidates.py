"""Candidates for a token: logits, probabilities, and everything else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from llm_tracker.prompts.words import fold
from llm_tracker.several import several
from llm_tracker.tracing.steps import require_step_of
from llm_tracker.tracing.trace import Trace

EVERYTHING_ELSE = "everything else"
EVERYTHING_ELSE_ID = -1
"""In place of a token id."""

CandidateRow = tuple[int, int, str, float, float]
"""rank, token_id, token, logit, prob."""


def candidates(trace: Trace, step: int = 0, count: int = 5, words: Iterable[str] = ()) -> pd.DataFrame:
    """The best candidates of one step, then the written token and watch words beyond these, and a row for all others.

    Columns: rank (1 = best; 0 of the last row), token_id (-1 of the last row), token, logit (raw: after cap and
    scale, before temperature), prob. The probabilities sum to 1. Of `words`, those whose lens was computed at this
    step get a row for their first token. Raises InputError for a step that is not there.
    """
    require_step_of(trace, step)
    kept = min(count, trace.top_probs.shape[1])
    ids, tokens = trace.top_token_ids[step, :kept].tolist(), trace.top_tokens[step][:kept]
    logits, probs = trace.top_logits[step, :kept].tolist(), trace.top_probs[step, :kept].tolist()
    rows: list[CandidateRow] = list(zip(range(1, kept + 1), ids, tokens, logits, probs, strict=True))
    rows += _further_rows(trace, step, several(words), set(ids))
    rest = max(0.0, 1.0 - sum(row[-1] for row in rows))
    rows.append((0, EVERYTHING_ELSE_ID, EVERYTHING_ELSE, float("nan"), rest))
    return pd.DataFrame(rows, columns=["rank", "token_id", "token", "logit", "prob"])


def rival_words(trace: Trace, step: int, words: Iterable[str]) -> list[str]:
    """The candidates of a step that may be words, without the token that was written and without `words`.

    Best first; one or two letters, which are a piece of something longer more often than not, come behind the others.
    """
    own, known = int(trace.token_ids[step]), {fold(word) for word in words}
    several = zip(trace.top_token_ids[step].tolist(), trace.top_tokens[step], strict=True)
    texts = [token.strip() for token_id, token in several if token_id != own]
    rivals = [text for text in dict.fromkeys(texts) if text.isalnum() and fold(text) not in known]
    return sorted(rivals, key=lambda text: len(text) < 3 and text.isascii() and text.isalpha())


def _further_rows(trace: Trace, step: int, words: Iterable[str], known: set[int]) -> list[CandidateRow]:
    """The written token (sampling may write any) and the watch words' first tokens, unless known; best first."""
    own = int(trace.token_ids[step])
    values = float(trace.token_logits[step]), float(trace.token_probs[step])
    rows: dict[int, CandidateRow] = {own: (int(trace.token_ranks[step]), own, trace.tokens[step], *values)}
    table = trace.lens.get(step)
    for lens in [table.watched[word] for word in words if word in table.watched] if table else []:
        values = float(lens.logit[-1]), float(lens.prob[-1])
        rows.setdefault(lens.token_id, (int(lens.rank[-1]), lens.token_id, lens.token, *values))
    return sorted(row for token_id, row in rows.items() if token_id not in known)


def candidate_differences(before: pd.DataFrame, after: pd.DataFrame, again: pd.DataFrame | None = None) -> pd.DataFrame:
    """What each candidate of two frames of `candidates` has more after, the largest gain first.

    Columns: token_id, token, prob_before and prob_after (NaN where the token is not among a side's candidates), prob:
    after minus before where both are known, else NaN; and again: what it has more when merely asked again, NaN where
    that is not known. What is left over on each side is not compared.
    """
    one, other = map(_by_token, (before, after))
    both = one.merge(other, "outer", left_index=True, right_index=True, suffixes=("_before", "_after"))
    frame = pd.DataFrame(
        {
            "token_id": both.index,
            "token": both["token_after"].fillna(both["token_before"]).to_numpy(),
            "prob_before": both["prob_before"].to_numpy(),
            "prob_after": both["prob_after"].to_numpy(),
            "prob": (both["prob_after"] - both["prob_before"]).to_numpy(),
            "again": np.nan,
        }
    )
    if again is not None:
        frame["again"] = frame["token_id"].map(_by_token(again)["prob"]) - frame["prob_before"]
    return frame.sort_values("prob", ascending=False, kind="stable").reset_index(drop=True)


def _by_token(frame: pd.DataFrame) -> pd.DataFrame:
    """The candidates alone, without what is left over: token and prob, by token id."""
    return frame[frame["token_id"] != EVERYTHING_ELSE_ID].set_index("token_id")[["token", "prob"]]
