"""Finds the parts of a model by running it on a few tokens and watching what flows where, never by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.errors import ModelError
from llm_tracker.models.adapters.contract import part
from llm_tracker.models.forward.attention import summarising_layers
from llm_tracker.models.forward.attention_sinks import closed_sums_gap, sums_gap
from llm_tracker.models.forward.module_calls import Call, Watched
from llm_tracker.models.forward.residual_rows import n_streams

ROWS_BOUND = 1e-2
"""Of a pattern's row sums, in any number format: what is farther from 1 is no softmax over words."""


@dataclass(frozen=True)
class Place:
    """Where a part is within its layer, and of which class: other layers may have another kind at the same place."""

    path: str
    kind: type[nn.Module]


@dataclass(frozen=True)
class Build:
    """What tells one build of layer from another: its class, and where it has modules."""

    kind: type[nn.Module]
    paths: frozenset[str]

    @classmethod
    def of(cls, layer: nn.Module) -> Build:
        """How a layer is built."""
        return cls(type(layer), frozenset(path for path, _ in layer.named_modules()))


@dataclass(frozen=True)
class Reader:
    """A part that reads the residual stream, and the norm whose output it reads as it is, where there is one.

    Layers of another build may have a part of the same class at the same place, behind another norm.
    """

    layer: Build
    place: Place
    norm: Place | None


@dataclass(frozen=True)
class Parts:
    """Where the parts are: the layers' paths from the model, and within a layer a reader for each kind of layer."""

    layers: tuple[str, ...]
    attention: tuple[Reader, ...] = ()
    mlp: tuple[Reader, ...] = ()


def find_parts(model: PreTrainedModel, watched: Watched) -> Parts:
    """The layers that the hidden states walk, and within each what attends, what feeds forward, and their norms.

    Raises ModelError where there is no list of layers.
    """
    layers = find_layers(model, watched)
    summarising = summarising_layers(model.config)
    attentions, mlps = list[Reader | None](), list[Reader | None]()
    for index, (path, call) in enumerate(layers):
        inside = [each for each in watched.calls if call.holds(each)]
        attention = _attention(inside)
        attentions.append(None if index in summarising else _reader(model, path, attention, inside))
        mlps.append(_reader(model, path, _feed_forward(inside, call, attention), inside))
    return Parts(tuple(path for path, _ in layers), _kinds(attentions), _kinds(mlps))


def _reader(model: nn.Module, layer_path: str, call: Call | None, inside: list[Call]) -> Reader | None:
    """Where a part and its norm are."""
    if call is None:
        return None
    norm = _norm_before(call, inside)
    its_norm = None if norm is None else _place(model, layer_path, norm.module)
    return Reader(Build.of(part(model, layer_path)), _place(model, layer_path, call.module), its_norm)


def _kinds(readers: list[Reader | None]) -> tuple[Reader, ...]:
    """Each kind of reader once, in the order of the layers."""
    return tuple(dict.fromkeys(reader for reader in readers if reader is not None))


def find_layers(model: PreTrainedModel, watched: Watched) -> list[tuple[str, Call]]:
    """The paths and calls of the decoder layers: of all lists of modules that are walked in turn, the largest.

    Each takes rows (1, position, d_model) and gives rows of the same shape. Layers that are walked again and again, by
    turns with others of their class (HRM), stand there as often as they are called.
    """
    chains = list[list[tuple[str, Call]]]()
    for path, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module):
            chain = _chain(path, module, watched)
            if chain:
                chains.append(chain)
    if not chains:
        raise ModelError(
            f"{type(model).__name__} has no list of layers that rows of one width walk through, one for each token. "
            "An adapter of its own has to say where its layers are: docs/writing-an-adapter.md."
        )
    largest = max(chains, key=lambda chain: (_n_weights(chain), -chain[0][0].count(".")))
    rounds = _rounds(chains, watched, type(largest[0][1].module))
    first = largest[0][1].module
    return rounds if sum(call.module is first for _, call in rounds) > 1 else largest


def _rounds(chains: list[list[tuple[str, Call]]], watched: Watched, kind: type[nn.Module]) -> list[tuple[str, Call]]:
    """Every call of the lists' modules of a class, in turn."""
    paths = {call.module: path for chain in chains for path, call in chain if type(call.module) is kind}
    return [(paths[call.module], call) for call in watched.calls if call.module in paths]


def _chain(path: str, modules: nn.ModuleList, watched: Watched) -> list[tuple[str, Call]]:
    """The list's modules with their calls, if they were called one after another on rows of one shape; else nothing.

    Those that a text does not reach, such as layers that read pictures (Mllama), are no part of it.
    """
    chain: list[tuple[str, Call]] = []
    after = -1
    reached = {call.module for call in watched.calls}
    for index, module in enumerate(modules):
        if module not in reached:
            continue
        call = next((each for each in watched.calls if each.module is module and each.entered > after), None)
        if call is None or call.got is None or call.gave is None:
            return []
        if call.got.shape != call.gave.shape or call.got.shape[:-1] != (1, watched.n_positions):
            return []
        chain.append((f"{path}.{index}", call))
        after = call.left
    return chain


def _n_weights(chain: list[tuple[str, Call]]) -> int:
    return sum(weight.numel() for _, call in chain for weight in call.module.parameters())


def _attention(inside: list[Call]) -> Call | None:
    """The innermost module that returns an attention pattern, if one does. Raises ModelError where several do."""
    with_pattern = [call for call in inside if call.pattern is not None and is_pattern(call)]
    innermost = [call for call in with_pattern if not any(call.holds(each) for each in with_pattern)]
    if len(innermost) > 1:
        raise ModelError(
            f"Layers of this model attend {len(innermost)} times each ({type(innermost[0].module).__name__}): "
            "one pattern a layer can be shown. Choose another model."
        )
    return innermost[0] if innermost else None


def is_pattern(call: Call) -> bool:
    """Whether what a module returns is attention that can be drawn: shares of 1 with its sink, none of it ahead."""
    pattern = call.pattern
    if pattern is None or pattern.shape[-1] != pattern.shape[-2] or pattern.triu(1).abs().max() > 0:
        return False
    if pattern.min() < 0 or pattern.sum(-1).max() > 1 + ROWS_BOUND:
        return False
    if sums_gap(pattern) <= ROWS_BOUND:
        return True
    return closed_sums_gap(call.module, call.args, call.kwargs, len(pattern)) <= ROWS_BOUND


def _feed_forward(inside: list[Call], layer: Call, attention: Call | None) -> Call | None:
    """The last of the modules with parts, beside the attention, that turn rows of one stream into as many others."""

    def beside(call: Call) -> bool:
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


def _norm_before(reader: Call, inside: list[Call]) -> Call | None:
    """The small module whose output a module reads as it is."""
    for call in reversed([each for each in inside if each.left < reader.entered]):
        if call.gave is not None and reader.got is not None and call.gave.numel() == reader.got.numel():
            small = sum(weight.numel() for weight in call.module.parameters()) <= 2 * call.gave.shape[-1]
            if small and torch.equal(call.gave.flatten(), reader.got.flatten()):
                return call
    return None


def _place(model: nn.Module, layer_path: str, module: nn.Module) -> Place:
    """Where a module is within its layer."""
    inside = part(model, layer_path).named_modules()
    return next(Place(path, type(module)) for path, each in inside if each is module)


def at(layer: nn.Module, place: Place | None) -> nn.Module | None:
    """The layer's module at a place, or None where no module of that kind is there."""
    try:
        module = layer.get_submodule(place.path) if place is not None else None
    except AttributeError:
        return None
    return module if place is not None and isinstance(module, place.kind) else None


def reader_in(layer: nn.Module, readers: Sequence[Reader]) -> Reader | None:
    """The first of several readers that layers built like this one have, or None."""
    build = Build.of(layer)
    return next((reader for reader in readers if reader.layer == build and at(layer, reader.place) is not None), None)


def beside(model: PreTrainedModel, layers: list[nn.Module]) -> list[nn.Module]:
    """The modules that stand in a list with layers, and are none."""
    known = {id(layer) for layer in layers}
    lists = [each for each in model.modules() if isinstance(each, nn.ModuleList) and known & {id(m) for m in each}]
    return [module for each in lists for module in each if id(module) not in known]
