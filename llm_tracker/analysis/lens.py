"""The logit lens (nostalgebraist, 2020) as a frame: what the model would predict if it stopped after a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from llm_tracker.errors import InputError
from llm_tracker.tracing.trace import LensTable, Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel


def logit_lens(
    trace: Trace, step: int = 0, words: Sequence[str] = (), model: LoadedModel | None = None
) -> pd.DataFrame:
    """The lens of one step as a tidy frame, a row for each layer and token.

    Columns: layer (1..n_layers), kind ("token": the step's own; "candidate": the layer's best, in order; "word": a
    watched one), word, token_id, token, rank (1 = best), prob, logit (of words only, raw). With `words`, only these
    are added; what was not kept needs `model`. Raises InputError for a step that is not there or a missing model.
    """
    if not 0 <= step < trace.n_steps:
        raise InputError(f"There is no step {step}: this answer has steps 0 to {trace.n_steps - 1}.")
    kept = trace.lens.get(step)
    if kept is None or not set(words) <= kept.watched.keys():
        if model is None:
            missing = [word for word in words if kept is None or word not in kept.watched]
            what = f"the lens of “{'”, “'.join(missing)}”" if missing else f"the lens of step {step}"
            raise InputError(f"{what} was not kept in this trace. Give the model too: logit_lens(…, model=model).")
        from llm_tracker.analysis.lens_tables import with_lens

        kept = with_lens(model, trace, [step], [*(kept.watched if kept else ()), *words]).lens[step]
    return pd.DataFrame(_rows(trace, step, kept))


def _rows(trace: Trace, step: int, table: LensTable) -> list[dict[str, object]]:
    own = (int(trace.token_ids[step]), trace.tokens[step])
    rows: list[dict[str, object]] = []
    for at, (prob, rank) in enumerate(zip(table.token_prob, table.token_rank, strict=True)):
        layer = at + 1
        rows.append(_row(layer, "token", None, *own, int(rank), float(prob)))
        for place, (token_id, token) in enumerate(zip(table.top_token_ids[at], table.top_tokens[at], strict=True)):
            best = float(table.top_probs[at, place])
            rows.append(_row(layer, "candidate", None, int(token_id), token, place + 1, best))
        for word, lens in table.watched.items():
            values = (int(lens.rank[at]), float(lens.prob[at]), float(lens.logit[at]))
            rows.append(_row(layer, "word", word, lens.token_id, lens.token, *values))
    return rows


def _row(
    layer: int,
    kind: str,
    word: str | None,
    token_id: int,
    token: str,
    rank: int,
    prob: float,
    logit: float = float("nan"),
) -> dict[str, object]:
    return {
        "layer": layer,
        "kind": kind,
        "word": word,
        "token_id": token_id,
        "token": token,
        "rank": rank,
        "prob": prob,
        "logit": logit,
    }
