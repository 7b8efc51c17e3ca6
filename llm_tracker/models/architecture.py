"""Architecture: what a model is built of, as its adapter reads it. A value; knows no tensors.

How it is run here is its `Way` (`models.forward.way`), whether it is read exactly its `Proof` (`models.proof.checks`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerKind:
    """The layers whose parts are of the same classes; a part is None where these layers have none."""

    layers: tuple[int, ...]
    """From 1."""
    kind: str
    """What the configuration calls them, such as `sliding_attention`; "" where it does not say."""
    attention_norm: str | None
    attention: str | None
    mlp_norm: str | None
    mlp: str | None


@dataclass(frozen=True)
class Architecture:
    """Counts and widths, and the class of every part that a trace reads, in the model's own code."""

    model_type: str
    heads: tuple[int, ...]
    """(layer), attention heads; 0 where the layer has no attention pattern."""
    has_sinks: bool
    """Whether heads may leave part of their 100 % to a learned sink, which stands for no word."""
    d_model: int
    vocab_size: int
    context_length: int | None
    """How many tokens it can read, where its configuration says so."""
    n_parameters: int
    """Shared ones counted once."""
    n_kv_heads: tuple[int, ...] = ()
    """Heads of keys and values in a layer, and the width of a key, as the model computes them: each number that some
    layer has, ascending; empty where it keeps no keys."""
    d_head: tuple[int, ...] = ()
    kinds: tuple[LayerKind, ...] = ()
    """In the order of their first layers."""
    final_norm: tuple[str, ...] = ()
    """The classes of the modules that run as the final norm."""
    unembed: tuple[str, ...] = ()
    """The classes of the modules that run after it, the output matrix first of all."""
    tail: tuple[str, ...] = ()
    """What happens to the logits behind the output matrix, in words, as measured; empty where nothing does."""

    @property
    def n_layers(self) -> int:
        """Decoder layers."""
        return len(self.heads)

    @property
    def n_heads(self) -> int:
        """Attention heads of the layers with most of them; 0 where none has attention."""
        return max(self.heads, default=0)

    @property
    def n_attention_layers(self) -> int:
        """Layers that have an attention pattern."""
        return sum(heads > 0 for heads in self.heads)
