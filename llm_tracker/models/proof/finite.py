"""Whether a model's own numbers are finite: where they are not, no adapter is to blame for what its proof finds."""

from __future__ import annotations

import re

import torch
from transformers import PreTrainedModel

from llm_tracker.errors import ModelDamagedError


def require_finite(model: PreTrainedModel) -> None:
    """Raise ModelDamagedError where a weight is NaN or infinite, with the layer that has the first of them."""
    for name, weight in model.named_parameters():
        if not bool(torch.isfinite(weight).all()):
            layer = re.search(r"\.(\d+)\.", name)
            place = f"first in layer {int(layer[1]) + 1}" if layer else "outside its layers"
            raise ModelDamagedError(
                f"This model's own numbers are not finite: a weight is NaN or infinite, {place} ({name}). Its files "
                "were saved wrongly or are damaged: get them anew, or choose another model."
            )
