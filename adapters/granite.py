"""Granite: Llama's names, and logits that are divided by a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_tracker import ModelAdapter, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class GraniteAdapter(ModelAdapter):
    """Llama's layout with a scaled tail."""

    model_types = ("granite",)

    def unembed(self, model: Any, normed: Tensor) -> Tensor:
        """Logits divided by `logits_scaling`."""
        return super().unembed(model, normed) / model.config.logits_scaling


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """Granite's own table."""
    return [GraniteAdapter()]
