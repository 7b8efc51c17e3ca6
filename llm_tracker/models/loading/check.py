"""`check`: the proof of a model's adapter as a record, whether it holds or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_tracker.load_options import NOTHING, LoadOptions, Trust
from llm_tracker.models.loading.load import load
from llm_tracker.models.loading.loaded_model import LoadedModel
from llm_tracker.progress import Report, silent


def check(
    model: LoadedModel | str,
    device: str | Mapping[str, str | int] = "auto",
    dtype: str = "auto",
    report: Report = silent,
    trust: Trust = NOTHING,
) -> dict[str, Any]:
    """Prove the adapter of a model, given as loaded or by name, and return what was compared.

    Keys: model_type, adapter, n_layers, ok, tail_gap (in standard deviations of the logits), pattern_gap, attention
    (sdpa or eager), n_layers_with_attention, has_sinks, checks (name, ok, gap, bound, note), and sites, the same for
    each place of the forward pass that can be read and replaced. Raises ModelError where the model can't be loaded at
    all.
    """
    if isinstance(model, LoadedModel):
        return _again(model)
    return check_named(model, LoadOptions(device, dtype, trust), report)


def _again(model: LoadedModel) -> dict[str, Any]:
    """Prove a loaded model once more, and leave it as it was."""
    from llm_tracker.models.forward.attention_rows import put_on_attention
    from llm_tracker.models.proof.prove import prove

    with model.running:  # the proof switches the model's attention, which a trace would see
        try:
            return prove(model.model, model.adapter, model.way.kernels).record(model.adapter)
        finally:
            put_on_attention(model.model, model.way)


def check_named(name: str, options: LoadOptions, report: Report = silent) -> dict[str, Any]:
    """Load a model by its name and return what was compared; a refused one has its record too."""
    from llm_tracker.models.proof.refusal import NotExactError

    try:
        loaded = load(name, options, report)
    except NotExactError as refused:
        return refused.examination.record(refused.adapter)
    return loaded.examination.record(loaded.adapter)
