"""Finds the parts of a model by running it on a few tokens and watching what flows where, never by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.errors import ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.models.adapters.contract import part
from llm_tracker.models.forward.attention_rows import summarising_layers
from llm_tracker.models.forward.attention_values import value_columns
from llm_tracker.models.forward.module_calls import ModuleCall, RecordedCalls
from llm_tracker.models.forward.numeric_gaps import closed_sums_gap, sums_gap
from llm_tracker.models.forward.residual_rows import n_streams

Found = TypeVar("Found")

ROWS_BOUND = 1e-2
"""Of a pattern's row sums, in any number format: what is farther from 1 is no softmax over words."""


@dataclass(frozen=True)
class PartPath:
    """Where a part is within its layer, and of which class: other layers may have another kind at the same path."""

    path: str
    kind: type[nn.Module]


@dataclass(frozen=True)
class LayerBuild:
    """What tells one build of layer from another: its class, and where it has modules."""

    kind: type[nn.Module]
    paths: frozenset[str]

    @classmethod
    def of(cls, layer: nn.Module) -> LayerBuild:
        """How a layer is built."""
        return cls(type(layer), frozenset(path for path, _ in layer.named_modules()))


@dataclass(frozen=True)
class Sublayer:
    """Attention or feed-forward in one kind of layer, and the norm whose output it takes as it is, where there is one.

    Layers of another build may have a part of the same class at the same path, behind another norm.
    """

    layer: LayerBuild
    path: PartPath
    norm: PartPath | None


@dataclass(frozen=True)
class ValuePaths:
    """Where one kind of attention module projects its values, and the weighed values back: paths within it."""

    kind: type[nn.Module]
    v: str
    o: str


@dataclass(frozen=True)
class Parts:
    """Where the parts are: the layers' paths from the model, and the sublayers of each kind of layer."""

    layers: tuple[str, ...]
    attention: tuple[Sublayer, ...] = ()
    mlp: tuple[Sublayer, ...] = ()
    values: tuple[ValuePaths, ...] = ()


def find_parts(model: PreTrainedModel, recorded: RecordedCalls) -> Parts:
    """The layers that the hidden states walk, and within each what attends, what feeds forward, and their norms.

    Raises ModelRefusedError where there is no list of layers.
    """
    layers = find_layers(model, recorded)
    summarising = summarising_layers(model.config)
    attentions, mlps, values = list[Sublayer | None](), list[Sublayer | None](), list[ValuePaths | None]()
    for index, (path, call) in enumerate(layers):
        inside = [each for each in recorded.calls if call.holds(each)]
        attention = _attention(inside)
        attentions.append(None if index in summarising else _sublayer(model, path, attention, inside))
        mlps.append(_sublayer(model, path, _feed_forward(inside, call, attention), inside))
        values.append(None if attention is None else _value_paths(attention, inside))
    return Parts(tuple(path for path, _ in layers), _kinds(attentions), _kinds(mlps), _kinds(values))


def _value_paths(attention: ModuleCall, inside: list[ModuleCall]) -> ValuePaths | None:
    """The projections of the values and of their weighed sums: the pattern, applied to the one, gives the other."""
    own = [call for call in inside if attention.holds(call)]
    outputs = [call for call in own if _same_rows(call.gave, attention.gave) and call.got is not None]
    for o in reversed(outputs):
        for v in (call for call in own if call.left < o.entered and call.gave is not None and call.gave.dim() == 3):
            if _weighs(attention.pattern, v.gave, o.got):
                paths = {module: path for path, module in attention.module.named_modules()}
                return ValuePaths(type(attention.module), paths[v.module], paths[o.module])
    return None


def _weighs(pattern: Tensor | None, values: Tensor | None, z: Tensor | None) -> bool:
    """Whether a pattern, applied to some layout of these values, gives z."""
    if pattern is None or values is None or z is None:
        return False
    return value_columns(pattern, values, z, ROWS_BOUND) is not None


def _same_rows(one: Tensor | None, other: Tensor | None) -> bool:
    return one is not None and other is not None and one.shape == other.shape and torch.equal(one, other)


def _sublayer(model: nn.Module, layer_path: str, call: ModuleCall | None, inside: list[ModuleCall]) -> Sublayer | None:
    """Where a part and its norm are."""
    if call is None:
        return None
    norm = _norm_before(call, inside)
    its_norm = None if norm is None else _part_path(model, layer_path, norm.module)
    return Sublayer(LayerBuild.of(part(model, layer_path)), _part_path(model, layer_path, call.module), its_norm)


def _kinds(found: list[Found | None]) -> tuple[Found, ...]:
    """Each kind once, in the order of the layers."""
    return tuple(dict.fromkeys(each for each in found if each is not None))


def find_layers(model: PreTrainedModel, recorded: RecordedCalls) -> list[tuple[str, ModuleCall]]:
    """The paths and calls of the decoder layers: of all lists of modules that are walked in turn, the largest.

    Each takes rows (1, position, d_model) and gives rows of the same shape. Layers that are walked again and again, by
    turns with others of their class (HRM), stand there as often as they are called.
    """
    chains = list[list[tuple[str, ModuleCall]]]()
    for path, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module):
            chain = _chain(path, module, recorded)
            if chain:
                chains.append(chain)
    if not chains:
        raise ModelRefusedError(
            say(
                "{model} has no list of layers that rows of one width walk through, one for each token. An "
                "adapter of its own has to say where its layers are: docs/writing-an-adapter.md.",
                model=type(model).__name__,
            )
        )
    largest = max(chains, key=lambda chain: (_n_weights(chain), -chain[0][0].count(".")))
    rounds = _rounds(chains, recorded, type(largest[0][1].module))
    first = largest[0][1].module
    return rounds if sum(call.module is first for _, call in rounds) > 1 else largest


def _rounds(
    chains: list[list[tuple[str, ModuleCall]]], recorded: RecordedCalls, kind: type[nn.Module]
) -> list[tuple[str, ModuleCall]]:
    """Every call of the lists' modules of a class, in turn."""
    paths = {call.module: path for chain in chains for path, call in chain if type(call.module) is kind}
    return [(paths[call.module], call) for call in recorded.calls if call.module in paths]


def _chain(path: str, modules: nn.ModuleList, recorded: RecordedCalls) -> list[tuple[str, ModuleCall]]:
    """The list's modules with their calls, if they were called one after another on rows of one shape; else nothing.

    Those that a text does not reach, such as layers that read pictures (Mllama), are no part of it.
    """
    chain: list[tuple[str, ModuleCall]] = []
    after = -1
    reached = {call.module for call in recorded.calls}
    for index, module in enumerate(modules):
        if module not in reached:
            continue
        call = next((each for each in recorded.calls if each.module is module and each.entered > after), None)
        if call is None or call.got is None or call.gave is None:
            return []
        if call.got.shape != call.gave.shape or call.got.shape[:-1] != (1, recorded.n_positions):
            return []
        chain.append((f"{path}.{index}", call))
        after = call.left
    return chain


def _n_weights(chain: list[tuple[str, ModuleCall]]) -> int:
    return sum(weight.numel() for _, call in chain for weight in call.module.parameters())


def _attention(inside: list[ModuleCall]) -> ModuleCall | None:
    """The innermost module that returns a pattern, if one does. Raises ModelRefusedError where several do."""
    with_pattern = [call for call in inside if call.pattern is not None and is_pattern(call)]
    innermost = [call for call in with_pattern if not any(call.holds(each) for each in with_pattern)]
    if len(innermost) > 1:
        raise ModelRefusedError(
            say(
                "Layers of this model attend {n} times each ({kind}): one pattern a layer can be shown. "
                "Choose another model.",
                n=len(innermost),
                kind=type(innermost[0].module).__name__,
            )
        )
    return innermost[0] if innermost else None


def is_pattern(call: ModuleCall) -> bool:
    """Whether what a module returns is attention that can be drawn: shares of 1 with its sink, none of it ahead."""
    pattern = call.pattern
    if pattern is None or pattern.shape[-1] != pattern.shape[-2] or pattern.triu(1).abs().max() > 0:
        return False
    if pattern.min() < 0 or pattern.sum(-1).max() > 1 + ROWS_BOUND:
        return False
    if sums_gap(pattern) <= ROWS_BOUND:
        return True
    return closed_sums_gap(call.module, call.args, call.kwargs, len(pattern)) <= ROWS_BOUND


def _feed_forward(inside: list[ModuleCall], layer: ModuleCall, attention: ModuleCall | None) -> ModuleCall | None:
    """The last of the modules with parts, beside the attention, that turn rows of one stream into as many others."""

    def beside(call: ModuleCall) -> bool:
        return attention is None or not (call is attention or call.holds(attention) or attention.holds(call))

    size = _size(layer.gave, n_streams(layer.shape))
    able = [
        call
        for call in inside
        if _size(call.got) == _size(call.gave) == size and any(True for _ in call.module.children()) and beside(call)
    ]
    outermost = [call for call in able if not any(each.holds(call) for each in able)]
    return outermost[-1] if outermost else None


def _size(rows: Tensor | None, streams: int = 1) -> tuple[int, int]:
    """Width and number of elements, of each stream."""
    return (0, 0) if rows is None else (rows.shape[-1] // streams, rows.numel() // streams)


def _norm_before(part_call: ModuleCall, inside: list[ModuleCall]) -> ModuleCall | None:
    """The small module whose output a part takes as it is."""
    for call in reversed([each for each in inside if each.left < part_call.entered]):
        if call.gave is not None and part_call.got is not None and call.gave.numel() == part_call.got.numel():
            small = sum(weight.numel() for weight in call.module.parameters()) <= 2 * call.gave.shape[-1]
            if small and torch.equal(call.gave.flatten(), part_call.got.flatten()):
                return call
    return None


def _part_path(model: nn.Module, layer_path: str, module: nn.Module) -> PartPath:
    """Where a module is within its layer."""
    inside = part(model, layer_path).named_modules()
    return next(PartPath(path, type(module)) for path, each in inside if each is module)


def at(layer: nn.Module, path: PartPath | None) -> nn.Module | None:
    """The layer's module at a path, or None where no module of that kind is there."""
    try:
        module = layer.get_submodule(path.path) if path is not None else None
    except AttributeError:
        return None
    return module if path is not None and isinstance(module, path.kind) else None


def sublayer_in(layer: nn.Module, sublayers: Sequence[Sublayer]) -> Sublayer | None:
    """The first of several sublayers that layers built like this one have, or None."""
    build = LayerBuild.of(layer)
    return next((each for each in sublayers if each.layer == build and at(layer, each.path) is not None), None)


def beside(model: PreTrainedModel, layers: list[nn.Module]) -> list[nn.Module]:
    """The modules that stand in a list with layers, and are none."""
    known = {id(layer) for layer in layers}
    lists = [each for each in model.modules() if isinstance(each, nn.ModuleList) and known & {id(m) for m in each}]
    return [module for each in lists for module in each if id(module) not in known]
