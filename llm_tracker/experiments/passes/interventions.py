"""What is done to a model while it reads: a value, and the one set of hooks that applies it.

Activation patching, scaling, ablation and the user's own edits put something else in the place of what a model computes
at a site (`models.forward.sites`); a knock-out hides positions from others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llm_tracker.models.forward.forward_pass import cache_keyword
from llm_tracker.models.forward.hidden_edges import hidden_edges
from llm_tracker.models.forward.hooks import before, put_on
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


Reading = Callable[[], Span]
"""Which positions the pass that is under way reads: first and one past last."""


def applied(
    model: LoadedModel, rows: Sequence[Sequence[Change]], start: int, length: int
) -> AbstractContextManager[None]:
    """Within this context, what a pass computes in each row of a batch is changed: (row) of changes.

    The pass reads the positions from `start` to before `length`, behind a cache of those in front. Raises ModelError
    where this model lacks a site.
    """
    return _applied(model, rows, lambda: (start, length))


@contextmanager
def applied_throughout(model: LoadedModel, changes: Sequence[Change]) -> Iterator[None]:
    """Within this context, what any number of passes compute of one text is changed: read from its beginning on.

    The text is read piece by piece, as decoding does, each piece behind a cache of those before it, and anew behind
    another one; a model that keeps none reads it whole each time. Raises ModelError where this model lacks a site.
    """
    span, keyword = [0, 0], cache_keyword(model.model)
    last: list[Any] = [None]

    def see(_model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        cache = None if keyword is None else kwargs.get(keyword)
        start = span[1] if cache is not None and cache is last[0] else 0
        last[0], span[:] = cache, (start, start + args[0].shape[1])

    with put_on([before(model.model, see)]), _applied(model, [changes], lambda: (span[0], span[1])):
        yield


@contextmanager
def _applied(model: LoadedModel, rows: Sequence[Sequence[Change]], reading: Reading) -> Iterator[None]:
    changes = [(row, change) for row, several in enumerate(rows) for change in several]
    puts = [(row, change) for row, change in changes if isinstance(change, Intervention)]
    hides = [(row, change) for row, change in changes if isinstance(change, KnockOut)]
    with ExitStack() as stack:
        for site in dict.fromkeys(change.site for _, change in puts):
            own = [(row, change) for row, change in puts if change.site == site]
            stack.enter_context(_put(model, site, own, reading))
        if hides:
            edges = _Edges(model, hides, len(rows), reading)
            stack.enter_context(hidden_edges(model.attentions, model.way, edges))
        yield


@contextmanager
def _put(
    model: LoadedModel, site: SiteName, puts: Sequence[tuple[int, Intervention]], reading: Reading
) -> Iterator[None]:
    """The interventions at one site, by row."""
    by_layer: dict[int, list[tuple[int, Intervention]]] = {}
    for row, change in puts:
        by_layer.setdefault(change.layer - 1, []).append((row, change))
    heads = model.architecture.heads

    def replace(layer: int, rows: Tensor) -> Tensor | None:
        wanted = by_layer.get(layer)
        if not wanted:
            return None
        new, start = rows.clone(), reading()[0]
        for row, change in wanted:
            here = slice(max(0, change.positions[0] - start), max(0, change.positions[1] - start))
            if here.start >= min(here.stop, rows.shape[1]):
                continue
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
    """What is hidden in each layer, of the positions that a pass reads."""

    def __init__(
        self, model: LoadedModel, hides: Sequence[tuple[int, KnockOut]], n_rows: int, reading: Reading
    ) -> None:
        self._hides, self._n_rows, self._reading = hides, n_rows, reading
        self._device = model.input_device
        self._made: dict[tuple[Any, ...], Tensor | None] = {}

    def __call__(self, layer: int) -> Tensor | None:
        """(row, query, key), true where it is hidden; None where nothing is."""
        own = tuple(at for at, (_, each) in enumerate(self._hides) if each.layers[0] <= layer + 1 <= each.layers[1])
        key = (own, self._reading())
        if key not in self._made:
            self._made[key] = self._edges(own, *self._reading()) if own else None
        return self._made[key]

    def _edges(self, own: tuple[int, ...], start: int, length: int) -> Tensor:
        edges = torch.zeros(self._n_rows, length - start, length, dtype=torch.bool)
        for row, hide in (self._hides[at] for at in own):
            first, end = (max(0, each - start) for each in hide.queries)
            for key in hide.keys:
                edges[row, first:end, key[0] : key[1]] = True
        # A position always sees itself, or nothing would be left to look at.
        own_places = torch.arange(start, length)
        edges[:, own_places - start, own_places] = False
        return edges.to(self._device)
