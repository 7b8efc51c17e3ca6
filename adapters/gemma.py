"""Gemma 2 and 3: four norms a layer, and a soft cap on the logits in Gemma 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_tracker import ModelAdapter, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class GemmaAdapter(ModelAdapter):
    """Norms stand before and after each part; the one before the feed-forward has a name of its own."""

    model_types = ("gemma2", "gemma3_text")
    mlp_norm_path = "pre_feedforward_layernorm"

    def unembed(self, model: Any, normed: Tensor) -> Tensor:
        """Logits, squeezed into ±cap where the config has a cap: cap · tanh(logits / cap)."""
        logits = super().unembed(model, normed)
        cap = model.config.final_logit_softcapping
        return logits if cap is None else (logits / cap).tanh() * cap

    def notices(self, config: Any) -> tuple[str, ...]:
        """Gemma mixes layers that look back over a window with layers that see everything."""
        if "sliding_attention" not in (config.layer_types or ()):
            return ()
        return (
            f"Some layers of this model look back {config.sliding_window:,} tokens at most: "
            "words before that are masked there, not ignored.",
        )


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """One table for both versions."""
    return [GemmaAdapter()]
