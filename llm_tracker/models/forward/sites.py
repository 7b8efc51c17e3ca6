"""Sites: the places of a forward pass where something is read or replaced, by the names that TransformerLens gave them.

| site | rows | what it is |
|---|---|---|
| `resid_pre` | (1, position, d_model) | the residual stream that enters a layer |
| `attn_out` | (1, position, d_model) | what attention adds to it, behind any norm and scale of its own |
| `resid_mid` | (1, position, d_model) | the stream between the two; layers whose parts work side by side have none |
| `mlp_out` | (1, position, d_model) | what the feed-forward part adds |
| `resid_post` | (1, position, d_model) | the stream that leaves the layer |
| `v` | (1, position, kv_head * d_head) | the values that attention weighs |
| `z` | (1, position, head * d_head) | the weighed values of each head, in front of the output projection |
| `pattern` | (1, head, query, key) | the attention pattern, after the softmax |

Where each is in a model is found and proved when the model loads (`llm_tracker.models.proof.sites`); what does not hold
there is missing, with its reason. `pattern` is read by `attention_rows.RowRecorder` and replaced by
`pattern_edits.edited_patterns`: on SDPA it is in no module's rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import ForwardHook, after, before, layers_in_turn, put_on
from llm_tracker.models.forward.residual_rows import apart, given_rows, side_by_side, taken_rows, with_given_rows

SiteName = Literal["resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "z", "v", "pattern"]
SITE_NAMES: tuple[SiteName, ...] = get_args(SiteName)

OWN_ROWS = 32
"""Rows that `own_logits` reads at a time: every model can read a text of as many tokens."""


@dataclass(frozen=True, eq=False)
class Location:
    """Where a site is in one layer: what a module takes or gives, some columns of it, times a number."""

    module: nn.Module
    side: Literal["input", "output", "pattern"]
    columns: Tensor | None = None
    """(column), of rows that hold more than the site: a projection of query, key and value in one. None: all."""
    scale: float = 1.0
    """What the module's rows are multiplied by on their way into the residual stream (Granite)."""
    onto: nn.Module | None = None
    """Only of `resid_mid`: the layer whose input is added to the rows. The site is that sum: no module holds the stream
    itself at this place. What the next norm reads is a copy, and the layer goes on with its own."""

    def of(self, rows: Tensor) -> Tensor:
        """The site's rows (1, position, width) in what the module takes or gives; several streams side by side."""
        whole = side_by_side(rows)
        chosen = whole if self.columns is None else whole[..., self.columns]
        return chosen if self.scale == 1 else chosen * self.scale

    def put(self, rows: Tensor, new: Tensor) -> Tensor:
        """The module's rows with the site's replaced by `new`, in their own shape."""
        own = new if self.scale == 1 else new / self.scale
        if self.columns is None:
            return apart(own, rows)
        whole = rows.clone()
        whole[..., self.columns] = own
        return whole


@dataclass(frozen=True, eq=False)
class Sites:
    """Where each site is, layer by layer, in one model."""

    locations: Mapping[SiteName, tuple[Location | None, ...]]
    """By site: (layer), None in a layer that has none."""
    missing: Mapping[SiteName, str]
    """Why a site can be used in no layer of this model, in a sentence."""
    read_only: frozenset[SiteName] = frozenset()
    """What can be read and not replaced: a family may keep its patterns inside its own eager code."""

    def at(self, name: SiteName) -> tuple[Location | None, ...]:
        """The places of a site: (layer). Raises ModelError, with the reason, where this model has none."""
        if name in self.missing:
            raise ModelError(
                say(
                    "“{name}” cannot be read or replaced in this model: {why}",
                    name=name,
                    why=say(self.missing[name]),
                )
            )
        return self.locations[name]

    def to_replace(self, name: SiteName) -> tuple[Location | None, ...]:
        """The same, for putting something else there. Raises ModelError where this site can be read only."""
        locations = self.at(name)
        if name in self.read_only:
            raise ModelError(say("“{name}” can be read in this model, and not replaced.", name=name))
        return locations


def pattern_of(attention: nn.Module) -> Location:
    """The pattern that an attention module makes; read by `attention_rows.RowRecorder`, edited by `edited_patterns`."""
    return Location(attention, "pattern")


def output_of(module: nn.Module) -> Location:
    """All that a module gives."""
    return Location(module, "output")


def input_of(module: nn.Module) -> Location:
    """All that a module takes."""
    return Location(module, "input")


See = Callable[[int, Tensor], None]
"""Is given the layer's index (0-based) and the site's rows (1, position, width), which later code may write over."""

Replace = Callable[[int, Tensor], Tensor | None]
"""Is given the same, and returns other rows of this shape, or None to leave them."""


def read_hooks(locations: Sequence[Location | None], see: See) -> Iterator[ForwardHook]:
    """Hooks that show the rows of a site, (layer) of places, in the order in which the layers run."""

    def show(layer: int, rows: Tensor) -> None:
        see(layer, rows)

    return _site_hooks(locations, show, replaces=False)


def replace_hooks(locations: Sequence[Location | None], replace: Replace) -> Iterator[ForwardHook]:
    """Hooks that put other rows in the place of a site's, (layer) of places, in the order in which the layers run.

    While they are on, no KV cache of an earlier text is used or kept. Raises ValueError for patterns, which are no
    module's rows.
    """
    return _site_hooks(locations, replace, replaces=True)


def _site_hooks(locations: Sequence[Location | None], replace: Replace, replaces: bool) -> Iterator[ForwardHook]:
    if any(each is not None and each.side == "pattern" for each in locations):
        raise ValueError("a pattern is in no module's rows: read it with RowRecorder, replace it with edited_patterns")
    turns = layers_in_turn([None if each is None else each.module for each in locations])
    for location in {id(each.module): each for each in locations if each is not None}.values():
        for hook in _hooks(location, turns[id(location.module)], replace):
            yield dataclasses.replace(hook, replaces=replaces)


class _Entering:
    """Keeps the residual stream that entered a layer last."""

    rows: Tensor

    def see(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note what a layer is called with."""
        taken = taken_rows(args, kwargs)
        if taken is not None:
            self.rows = side_by_side(taken)


def _hooks(location: Location, layers: Iterator[int], replace: Replace) -> Iterator[ForwardHook]:
    """The hooks of one module; if the site is a sum, one on the layer whose input is the other part, too."""
    entering = None if location.onto is None else _Entering()
    if location.onto is not None and entering is not None:
        yield before(location.onto, entering.see)
    yield _hook(location, layers, replace, entering)


def _hook(location: Location, layers: Iterator[int], replace: Replace, entering: _Entering | None) -> ForwardHook:
    def changed(rows: Tensor) -> Tensor | None:
        added = location.of(rows)
        whole = added if entering is None else entering.rows + added
        new = replace(next(layers), whole)
        if new is None:
            return None
        return location.put(rows, new if entering is None else new - entering.rows)

    def see_output(_module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> Any:
        new = changed(given_rows(output))
        return None if new is None else with_given_rows(output, new)

    def see_input(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rows = taken_rows(args, kwargs)
        new = None if rows is None else changed(rows)
        return None if new is None else _with_taken(args, kwargs, rows, new)

    return after(location.module, see_output) if location.side == "output" else before(location.module, see_input)


def _with_taken(args: tuple[Any, ...], kwargs: dict[str, Any], rows: Tensor | None, new: Tensor) -> Any:
    """The same arguments with `new` where `rows` stood."""
    return tuple(new if each is rows else each for each in args), {
        name: new if each is rows else each for name, each in kwargs.items()
    }


def own_logits(model: PreTrainedModel, last_layer: nn.Module, resid: Tensor) -> Tensor:
    """What the model itself makes of rows (row, d_model) of its residual stream: raw logits (row, vocab_size).

    The rows stand in place of the last layer's output while as many arbitrary tokens are read, a few at a time: they
    need not fit into one text. Exact for any family whose end knows its input by the residual stream alone, and as dear
    as reading a text.
    """
    return torch.cat([_own_logits(model, last_layer, rows) for rows in torch.split(resid, OWN_ROWS)])


def _own_logits(model: PreTrainedModel, last_layer: nn.Module, resid: Tensor) -> Tensor:
    token_ids = torch.ones((1, len(resid)), dtype=torch.long, device=resid.device)
    logits: Tensor = with_output(model, last_layer, resid[None], token_ids)[0]
    return logits


def with_output(model: PreTrainedModel, module: nn.Module, rows: Tensor, token_ids: Tensor) -> Tensor:
    """The model's logits (1, position, vocab_size) of tokens (1, position) where a module gives `rows` in any case."""
    with put_on(replace_hooks([output_of(module)], lambda _layer, _rows: rows)):
        logits: Tensor = forward(model, token_ids, last_only=False).logits
    return logits
