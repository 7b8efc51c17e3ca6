"""A loaded model's shape as its adapter sees it: counts and widths, and the class of every part that a trace reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_tracker.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from llm_tracker.models.loading.loaded_model import LoadedModel

TAIL_SETTINGS = {
    "final_logit_softcapping": "a soft cap: cap · tanh(logits / cap), cap = {:g}",
    "logits_scaling": "divided by {:g}",
    "logit_scale": "multiplied by {:g}",
    "lm_head_multiplier": "multiplied by {:g}",
}
"""What configurations call the steps between the output matrix and the logits."""

SAME = 1e-2
"""Logits that differ by less than this share of their largest are the output matrix' own, in every number format."""

WIDE = 100
"""The row that is tried is made this much larger behind the final norm, where a soft cap cannot be overlooked."""

FEW_MODULES = 4
"""A final norm or an output matrix consists of no more modules than this; what runs more runs the whole model."""


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
class Shape:
    """What a model is built of. Counts that it does not have are None."""

    model_type: str
    adapter: str
    n_layers: int
    n_heads: int | None
    n_kv_heads: tuple[int, ...]
    """Heads of keys and values in a layer, and the width of a key, as the model computes them: each number that some
    layer has, ascending; empty where it keeps no keys."""
    d_head: tuple[int, ...]
    d_model: int
    vocab_size: int
    context_length: int | None
    kinds: tuple[LayerKind, ...]
    """In the order of their first layers."""
    final_norm: tuple[str, ...]
    """The classes of the modules that run as the final norm."""
    unembed: tuple[str, ...]
    """The classes of the modules that run after it, the output matrix first of all."""
    tail: tuple[str, ...]
    """What happens to the logits behind the output matrix, in words; empty where nothing does."""
    n_parameters: int
    weights_bytes: int
    dtype: str
    device: str
    attention: str
    """`sdpa`, or `eager` where the family needs it."""
    kernels: tuple[str, ...]
    """What multiplies by its weights, each once; empty where torch chooses."""

    @property
    def n_attention_layers(self) -> int:
        """Layers that have attention."""
        return sum(len(kind.layers) for kind in self.kinds if kind.attention is not None)


def shape_of(model: LoadedModel) -> Shape:
    """Read a model's shape; one row goes through its final norm and output matrix to see which modules these are."""
    config = model.config
    n_heads = max(model.proof.heads) or None
    keys = _key_sizes(model)
    final_norm, unembed, tail = _tail(model)
    return Shape(
        model_type=config.model_type,
        adapter=model.adapter.name,
        n_layers=len(model.layers),
        n_heads=n_heads,
        n_kv_heads=tuple(sorted({n_kv_heads for n_kv_heads, _ in keys})),
        d_head=tuple(sorted({d_head for _, d_head in keys})),
        d_model=model.proof.d_model,
        vocab_size=model.proof.vocab_size,
        context_length=model.context_length,
        kinds=_kinds(model),
        final_norm=final_norm,
        unembed=unembed,
        tail=tail,
        n_parameters=sum(weight.numel() for weight in model.model.parameters()),
        weights_bytes=model.weights_bytes,
        dtype=model.dtype,
        device=model.device,
        attention=model.proof.attention,
        kernels=() if model.kernels is None else tuple(dict.fromkeys(model.kernels.names)),
    )


def _key_sizes(model: LoadedModel) -> set[tuple[int, int]]:
    """How many heads of keys the layers have, and how wide, from the keys that reading two tokens leaves behind.

    Configurations call these counts by many names, and some say one that the model does not use.
    """
    import torch
    from transformers.cache_utils import DynamicLayer

    from llm_tracker.models.forward.forward_pass import forward, new_cache

    cache = new_cache(model.model)
    with model.running, torch.inference_mode():
        forward(model.model, torch.ones((1, 2), dtype=torch.long, device=model.model.device), cache)
    layers = [] if cache is None else cache.layers
    keys = [layer.keys for layer in layers if isinstance(layer, DynamicLayer) and layer.is_initialized]
    return {(each.shape[1], each.shape[-1]) for each in keys if each is not None and each.dim() == 4}


def _kinds(model: LoadedModel) -> tuple[LayerKind, ...]:
    """Layers in groups of the same parts."""
    adapter = model.adapter
    named = getattr(model.config, "layer_types", None) or [""] * len(model.layers)
    groups: dict[tuple[str, str | None, str | None, str | None, str | None], list[int]] = {}
    for number, (layer, kind) in enumerate(zip(model.layers, named, strict=False), start=1):
        parts = (adapter.attention_norm, adapter.attention, adapter.mlp_norm, adapter.mlp)
        attention_norm, attention, mlp_norm, mlp = (_part_class(find, layer) for find in parts)
        groups.setdefault((str(kind), attention_norm, attention, mlp_norm, mlp), []).append(number)
    return tuple(LayerKind(tuple(layers), *of) for of, layers in groups.items())


def _part_class(find: Callable[[nn.Module], nn.Module | None], layer: nn.Module) -> str | None:
    """The class of a layer's part; None where the adapter knows none in this layer."""
    try:
        found = find(layer)
    except ModelError:
        return None
    return None if found is None else class_name(found)


def class_name(module: nn.Module) -> str:
    """The class that a module has in the model's own code, whatever computes for it here."""
    own = (each for each in type(module).__mro__ if not each.__module__.startswith("llm_tracker."))
    return next(own).__name__


def _tail(model: LoadedModel) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The classes that run as final norm and as output matrix, and what else is done to the logits."""
    import torch

    network, adapter = model.model, model.adapter
    row = torch.randn((1, model.proof.d_model), generator=torch.Generator().manual_seed(0))
    with model.running, torch.inference_mode():
        with _watched(network) as norms:
            normed = adapter.final_norm(network, row.to(network.device, network.dtype))
        with _watched(network) as heads:
            logits = adapter.unembed(network, normed * WIDE)
    last = heads[-1][1] if heads else None
    is_plain = isinstance(last, torch.Tensor) and _same(last, logits)
    return _names(norms), _names(heads), _settings(model.config, is_plain)


@contextmanager
def _watched(network: nn.Module) -> Iterator[list[tuple[nn.Module, Any]]]:
    """Notes each module without parts of its own that runs within this context, with what it returns."""
    ran: list[tuple[nn.Module, Any]] = []

    def note(module: nn.Module, _args: Any, output: Any) -> None:
        ran.append((module, output))

    hooks = [each.register_forward_hook(note) for each in network.modules() if next(each.children(), None) is None]
    try:
        yield ran
    finally:
        for hook in hooks:
            hook.remove()


def _names(ran: list[tuple[nn.Module, Any]]) -> tuple[str, ...]:
    if len(ran) > FEW_MODULES:
        return ("the model's own tail, run whole",)
    return tuple(class_name(module) for module, _ in ran)


def _same(one: Tensor, other: Tensor) -> bool:
    if one.numel() != other.numel():
        return False
    largest = float(other.float().abs().max())
    return float((one.flatten().float() - other.flatten().float()).abs().max()) <= SAME * largest


def _settings(config: Any, is_plain: bool) -> tuple[str, ...]:
    """The steps that the configuration names where the logits are changed; where it names none, that they are."""
    if is_plain:
        return ()
    named = {name: getattr(config, name, None) for name in TAIL_SETTINGS}
    steps = [TAIL_SETTINGS[name].format(value) for name, value in named.items() if value not in (None, 1, 1.0)]
    return tuple(steps) or ("changed by a step that the configuration does not name",)
