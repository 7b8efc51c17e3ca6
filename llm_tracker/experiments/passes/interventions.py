"""What is done to a model while it reads: a value, and the one set of hooks that applies it.

Activation patching, scaling, ablation and the user's own edits put something else in the place of what a model computes
at a site (`models.forward.sites`); a knock-out hides positions from others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from llm_tracker.models.forward.hidden_edges import hidden_edges
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.sites import SiteName, replace_hooks
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True)
class LikeRow:
    """What another row of the same batch has there, in the same pass."""

    row: int


@dataclass(frozen=True, eq=False)
class Intervention:
    """Something else in the place of what the model computes, in one row of a batch."""

    site: SiteName
    layer: int
    """From 1."""
    positions: Span
    """First and one past last, in the whole text."""
    put: LikeRow | Tensor | float
    """What another row has there; a vector (width); or what the model's own is multiplied by."""
    head: int | None = None
    """Of `z`: the head that is meant, from 1; None: all."""


@dataclass(frozen=True)
class KnockOut:
    """Positions that later ones cannot look at (attention knock-out; Geva et al., 2023), in one row of a batch."""

    keys: tuple[Span, ...]
    """What is hidden: first and one past last, in the whole text."""
    queries: Span
    """From whom."""
    layers: Span
    """In which layers: from 1, the last one included."""


Change = Intervention | KnockOut


def at_depth(depth: int, n_layers: int) -> tuple[SiteName, int]:
    """The site and layer where the residual stream of a depth can be replaced: 0 the embeddings, d after layer d."""
    return ("resid_pre", depth + 1) if depth < n_layers else ("resid_post", n_layers)


@contextmanager
def applied(model: LoadedModel, rows: Sequence[Sequence[Change]], start: int, length: int) -> Iterator[None]:
    """Within this context, what a pass computes in each row of a batch is changed: (row) of changes.

    The pass reads the positions from `start` to before `length`, behind a cache of those in front. Raises ModelError
    where this model lacks a site.
    """
    changes = [(row, change) for row, several in enumerate(rows) for change in several]
    puts = [(row, change) for row, change in changes if isinstance(change, Intervention)]
    hides = [(row, change) for row, change in changes if isinstance(change, KnockOut)]
    with ExitStack() as stack:
        for site in dict.fromkeys(change.site for _, change in puts):
            own = [(row, change) for row, change in puts if change.site == site]
            stack.enter_context(_put(model, site, own, start))
        if hides:
            edges = _Edges(model, hides, len(rows), start, length)
            stack.enter_context(hidden_edges(model.attentions, model.way, edges))
        yield


@contextmanager
def _put(model: LoadedModel, site: SiteName, puts: Sequence[tuple[int, Intervention]], start: int) -> Iterator[None]:
    """The interventions at one site, by row."""
    by_layer: dict[int, list[tuple[int, Intervention]]] = {}
    for row, change in puts:
        by_layer.setdefault(change.layer - 1, []).append((row, change))
    heads = model.architecture.heads

    def replace(layer: int, rows: Tensor) -> Tensor | None:
        wanted = by_layer.get(layer)
        if not wanted:
            return None
        new = rows.clone()
        for row, change in wanted:
            here = slice(max(0, change.positions[0] - start), max(0, change.positions[1] - start))
            columns = _columns(change.head, heads[layer], rows.shape[-1])
            new[row, here, columns] = _replacement(change, rows, row, here, columns)
        return new

    with put_on(replace_hooks(model.sites.to_replace(site), replace)):
        yield


def _columns(head: int | None, n_heads: int, width: int) -> slice:
    """The columns of one head's part, or all."""
    d_head = width // max(1, n_heads)
    return slice(None) if head is None else slice((head - 1) * d_head, head * d_head)


def _replacement(change: Intervention, rows: Tensor, row: int, here: slice, columns: slice) -> Tensor:
    if isinstance(change.put, LikeRow):
        return rows[change.put.row, here, columns]
    if isinstance(change.put, Tensor):
        return change.put.to(rows)
    return rows[row, here, columns] * change.put


class _Edges:
    """What is hidden in each layer, for a batch that reads positions from `start` to before `length`."""

    def __init__(
        self, model: LoadedModel, hides: Sequence[tuple[int, KnockOut]], n_rows: int, start: int, length: int
    ) -> None:
        self._hides, self._shape, self._start = hides, (n_rows, length - start, length), start
        self._device = model.model.device
        self._made: dict[tuple[int, ...], Tensor | None] = {}

    def __call__(self, layer: int) -> Tensor | None:
        """(row, query, key), true where it is hidden; None where nothing is."""
        own = tuple(at for at, (_, each) in enumerate(self._hides) if each.layers[0] <= layer + 1 <= each.layers[1])
        if own not in self._made:
            self._made[own] = self._edges(own) if own else None
        return self._made[own]

    def _edges(self, own: tuple[int, ...]) -> Tensor:
        edges = torch.zeros(self._shape, dtype=torch.bool)
        for row, hide in (self._hides[at] for at in own):
            first, end = (max(0, each - self._start) for each in hide.queries)
            for key in hide.keys:
                edges[row, first:end, key[0] : key[1]] = True
        # A position always sees itself, or nothing would be left to look at.
        own_places = torch.arange(self._start, self._shape[2])
        edges[:, own_places - self._start, own_places] = False
        return edges.to(self._device)
