"""The logit lens (nostalgebraist, 2020) as a frame: what the model would predict if it stopped after a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.several import several
from llm_tracker.tracing.steps import require_step_of
from llm_tracker.tracing.trace import LensTable, Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

NAN = float("nan")
COLUMNS = ("layer", "kind", "word", "token_id", "token", "rank", "prob", "logit")
LensRow = tuple[int, str, str | None, int, str, int, float, float]
"""A value for each of `COLUMNS`: a frame is made of tuples in half the time that it takes of mappings."""


def logit_lens(
    trace: Trace, step: int = 0, words: Sequence[str] = (), model: LoadedModel | None = None
) -> pd.DataFrame:
    """The lens of one step as a tidy frame, a row for each layer and token.

    Columns: layer (1..n_layers), kind ("token": the step's own; "candidate": the layer's best, in order; "word": a
    watched one), word, token_id, token, rank (1 = best), prob, logit (of words only, raw). Watched are the session's
    words, the strongest rival among the candidates (a lead needs a second word), and `words` besides; of these, what
    was not kept needs `model`. Raises InputError for a step that is not there or a missing model.
    """
    require_step_of(trace, step)
    words = several(words)
    kept = trace.lens.get(step)
    if kept is None or not set(words) <= kept.watched.keys():
        if model is None:
            missing = [word for word in words if kept is None or word not in kept.watched]
            if missing:
                raise InputError(
                    say(
                        "the lens of {words} was not kept in this trace. Give the model too: logit_lens(…, "
                        "model=model).",
                        words=", ".join(f"“{word}”" for word in missing),
                    )
                )
            raise InputError(
                say(
                    "the lens of step {step} was not kept in this trace. Give the model too: logit_lens(…, "
                    "model=model).",
                    step=step,
                )
            )
        from llm_tracker.analysis.lens.tables import with_lens

        kept = with_lens(model, trace, [step], [*(kept.watched if kept else ()), *words]).lens[step]
    return pd.DataFrame(_rows(trace, step, kept), columns=list(COLUMNS))


def _rows(trace: Trace, step: int, table: LensTable) -> list[LensRow]:
    own = (int(trace.token_ids[step]), trace.tokens[step])
    top_ids, top_probs = table.top_token_ids.tolist(), table.top_probs.tolist()
    words = [
        (word, lens.token_id, lens.token, lens.rank.tolist(), lens.prob.tolist(), lens.logit.tolist())
        for word, lens in table.watched.items()
    ]
    rows: list[LensRow] = []
    for at, (prob, rank) in enumerate(zip(table.token_prob.tolist(), table.token_rank.tolist(), strict=True)):
        layer = at + 1
        rows.append((layer, "token", None, *own, rank, prob, NAN))
        best = zip(top_ids[at], table.top_tokens[at], top_probs[at], strict=True)
        rows += [
            (layer, "candidate", None, each, token, place, prob, NAN)
            for place, (each, token, prob) in enumerate(best, start=1)
        ]
        rows += [
            (layer, "word", word, each, token, ranks[at], probs[at], logits[at])
            for word, each, token, ranks, probs, logits in words
        ]
    return rows
