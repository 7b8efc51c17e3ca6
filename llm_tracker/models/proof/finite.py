"""Whether a model's own numbers are finite: where they are not, no adapter is to blame for what its proof finds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from transformers import PreTrainedModel

from llm_tracker.errors import ModelDamagedError
from llm_tracker.languages.texts import say
from llm_tracker.models.memory.split_weights import in_place


def require_finite(model: PreTrainedModel) -> None:
    """Raise ModelDamagedError where a weight is NaN or infinite, with the layer that has the first of them."""
    name = next(_not_finite(model), None)
    if name is not None:
        layer = re.search(r"\.(\d+)\.", name)
        if layer:
            raise ModelDamagedError(
                say(
                    "This model's own numbers are not finite: a weight is NaN or infinite, first in layer {layer} "
                    "({name}). Its files were saved wrongly or are damaged: get them anew, or choose another model.",
                    layer=int(layer[1]) + 1,
                    name=name,
                )
            )
        raise ModelDamagedError(
            say(
                "This model's own numbers are not finite: a weight is NaN or infinite, outside its layers ({name}). "
                "Its files were saved wrongly or are damaged: get them anew, or choose another model.",
                name=name,
            )
        )


def _not_finite(model: PreTrainedModel) -> Iterator[str]:
    """The names of weights that are NaN or infinite somewhere; module by module, since they may lie on the disk."""
    for path, module in model.named_modules():
        with in_place(module):
            for name, weight in module.named_parameters(path, recurse=False):
                if not bool(torch.isfinite(weight).all()):
                    yield name
