"""`check`: the proof of a model's adapter as a record, whether it holds or not."""

from __future__ import annotations

from typing import Any

from llm_tracker.models.loading.load import load_model
from llm_tracker.models.loading.loaded_model import LoadedModel
from llm_tracker.progress import Report, silent
from llm_tracker.trust import NOTHING, Trust


def check(
    model: LoadedModel | str,
    device: str = "auto",
    dtype: str = "auto",
    report: Report = silent,
    trust: Trust = NOTHING,
) -> dict[str, Any]:
    """Prove the adapter of a model, given as loaded or by name, and return what was compared.

    Keys: model_type, adapter, n_layers, ok, tail_gap (in standard deviations of the logits), pattern_gap, attention
    (sdpa or eager), checks (name, ok, gap, bound, note). Raises ModelError where the model can't be loaded at all.
    """
    from llm_tracker.models.forward.attention import put_on_attention
    from llm_tracker.models.proof.failures import RefusedError
    from llm_tracker.models.proof.prove import prove

    if isinstance(model, LoadedModel):
        with model.running:  # the proof switches the model's attention, which a trace would see
            try:
                return prove(model.model, model.adapter, model.way.kernels).record(model.adapter)
            finally:
                put_on_attention(model.model, model.way)
    try:
        loaded = load_model(model, device, dtype, report, trust=trust)
        return loaded.examination.record(loaded.adapter)
    except RefusedError as refused:
        return refused.examination.record(refused.adapter)
