"""The adapter contract: where a model family keeps the parts that a trace reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say

if TYPE_CHECKING:
    from torch import Tensor, nn


class ModelAdapter:
    """Names the parts of one model family, so that every family is read the same way.

    A small stateless class: a table of dotted paths that serves the common family, and methods to override for the
    odd one. It never edits or wraps the model. Every adapter is proved against its model when that is loaded
    (`llm_tracker.models.proof`).

    Paths of `embed_path`, `layers_path`, `final_norm_path` and `unembed_path` start at the model, those of `q_path`,
    `k_path`, `v_path` and `o_path` at the attention module, the others at one layer. A part that the family does not
    have gets the path "": a norm before attention where it norms afterwards, say.
    """

    model_types: ClassVar[tuple[str, ...]] = ()
    """The `config.model_type` values that this adapter reads."""

    embed_path: ClassVar[str] = ""
    layers_path: ClassVar[str] = "model.layers"
    attention_path: ClassVar[str] = "self_attn"
    q_path: ClassVar[str] = "q_proj"
    k_path: ClassVar[str] = "k_proj"
    v_path: ClassVar[str] = "v_proj"
    o_path: ClassVar[str] = "o_proj"
    attention_norm_path: ClassVar[str] = "input_layernorm"
    mlp_path: ClassVar[str] = "mlp"
    mlp_norm_path: ClassVar[str] = "post_attention_layernorm"
    final_norm_path: ClassVar[str] = "model.norm"
    unembed_path: ClassVar[str] = "lm_head"

    @property
    def name(self) -> str:
        """The adapter's name on the screen and in session.json."""
        return type(self).__name__

    def embed(self, model: Any) -> nn.Module | None:
        """The module that turns token ids into rows, before any positions or scale; else as transformers names it."""
        return (
            part(model, self.embed_path) if self.embed_path else cast("nn.Module | None", model.get_input_embeddings())
        )

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """The decoder layers, first to last."""
        return list(cast("nn.ModuleList", part(model, self.layers_path)))

    def attention(self, layer: nn.Module) -> nn.Module | None:
        """The attention module of one layer, which computes the softmax; None where the layer has no pattern."""
        return part(layer, self.attention_path) if self.attention_path else None

    def q(self, attention: nn.Module) -> nn.Module | None:
        """The query projection of an attention module, or what makes query, key and value together."""
        return part(attention, self.q_path) if self.q_path else None

    def k(self, attention: nn.Module) -> nn.Module | None:
        """The key projection of an attention module, or what makes query, key and value together."""
        return part(attention, self.k_path) if self.k_path else None

    def v(self, attention: nn.Module) -> nn.Module | None:
        """The value projection of an attention module, or what makes query, key and value together."""
        return part(attention, self.v_path) if self.v_path else None

    def o(self, attention: nn.Module) -> nn.Module | None:
        """The output projection of an attention module, which takes the weighed values of all heads side by side."""
        return part(attention, self.o_path) if self.o_path else None

    def attention_norm(self, layer: nn.Module) -> nn.Module | None:
        """The norm whose output is the attention's input, where there is one."""
        return part(layer, self.attention_norm_path) if self.attention_norm_path else None

    def mlp(self, layer: nn.Module) -> nn.Module | None:
        """The feed-forward module of one layer, where there is one."""
        return part(layer, self.mlp_path) if self.mlp_path else None

    def mlp_norm(self, layer: nn.Module) -> nn.Module | None:
        """The norm whose output is the feed-forward's input, where there is one."""
        return part(layer, self.mlp_norm_path) if self.mlp_norm_path else None

    def final_norm(self, model: nn.Module, resid: Tensor) -> Tensor:
        """The model's last norm, applied to rows of the residual stream (..., d_model); as they are if it has none."""
        norm: Any = part(model, self.final_norm_path) if self.final_norm_path else None
        return resid if norm is None else cast("Tensor", norm(resid))

    def unembed(self, model: nn.Module, normed: Tensor) -> Tensor:
        """The whole tail after the final norm: logits (..., vocab_size), with every scale, cap and bias of the model.

        Families that scale or cap their logits override this; a forgotten tail fails the proof.
        """
        return cast("Tensor", part(model, self.unembed_path)(normed))

    def logits(self, model: nn.Module, resid: Tensor) -> Tensor:
        """What the model would predict from rows of its residual stream: raw logits (..., vocab_size).

        The logit lens (nostalgebraist, 2020) is this function applied to rows of earlier layers.
        """
        return self.unembed(model, self.final_norm(model, resid))

    def notices(self, config: Any) -> tuple[str, ...]:
        """What a reader of this family's charts has to know, one sentence each."""
        return ()


def part(root: nn.Module, path: str) -> nn.Module:
    """The submodule at a dotted path.

    Raises ModelError that names the path and what stands there instead.
    """
    module = root
    for name in path.split("."):
        if not hasattr(module, name):
            found = ", ".join(child for child, _ in module.named_children()) or "nothing"
            raise ModelError(
                say(
                    "{model} has no part “{path}”: {module} has no “{part}” (it has {found}). Set the adapter's "
                    "path to where this family keeps it.",
                    model=type(root).__name__,
                    path=path,
                    module=type(module).__name__,
                    part=name,
                    found=found,
                )
            )
        module = getattr(module, name)
    return module
