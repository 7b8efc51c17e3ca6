"""What the answer slot looks at: its attention rows in every layer, of one pass over a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from llm_tracker.experiments.passes.interventions import Change, applied
from llm_tracker.experiments.passes.rows import behind
from llm_tracker.models.forward.attention_rows import RowRecorder, whole_row
from llm_tracker.models.forward.forward_pass import forward

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def slot_attention(model: LoadedModel, token_ids: Sequence[int], changes: Sequence[Change] = ()) -> dict[int, Tensor]:
    """By layer (from 0): the last position's attention pattern (head, key), float32; empty where a model has none."""
    rows: dict[int, Tensor] = {}
    length = len(token_ids)

    def see(layer: int, row: Tensor) -> None:
        rows[layer] = whole_row(row, length).cpu()

    if not any(model.attentions):
        return rows
    own, cache = behind(model, token_ids)
    recorder = RowRecorder(model.attentions, model.way.attention, see)
    ids = torch.tensor([own], device=model.input_device)
    changed = applied(model, [changes], length - len(own), length)
    with model.running, torch.inference_mode(), changed, recorder.recording():
        forward(model.model, ids, cache, model.way)
    return rows
