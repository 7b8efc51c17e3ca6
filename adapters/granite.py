"""Granite: Llama's names, and logits that are divided by a constant."""

from typing import Any

import torch

from llm_tracker import ModelAdapter, hookimpl


class GraniteAdapter(ModelAdapter):
    """Llama's layout with a scaled tail."""

    model_types = ("granite",)

    def unembed(self, model: Any, normed: torch.Tensor) -> torch.Tensor:
        """Logits divided by `logits_scaling`."""
        return super().unembed(model, normed) / model.config.logits_scaling


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """Granite's own table."""
    return [GraniteAdapter()]
