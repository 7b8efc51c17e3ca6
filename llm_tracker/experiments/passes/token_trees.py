"""What may follow a text in several ways, read in one row: a tree of tokens, each of which sees its own path alone.

The tree attention of speculative decoding (Miao et al., 2024, SpecInfer). It needs a model that is told positions and
heeds a mask of rows and columns: one tree is read both ways first, and where they differ none is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicSlidingWindowLayer

from llm_tracker.errors import Cancelled
from llm_tracker.experiments.passes.rows import STOPPED, Beginning, Row, has_several_streams, read_behind, read_rows
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import POSITION_IDS, takes_positions
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.sites import read_hooks

TREE_BOUND = 1e-4
"""Largest gap, in standard deviations of the logits, between a token in a tree and the same by itself."""

TokenIds = tuple[int, ...]
Tree = tuple[TokenIds, ...]
"""All paths from the text on, each token the last one of a path; in order, so that a path stands behind its parts."""


def tree_of(ways: Iterable[TokenIds]) -> Tree:
    """The tree of several ways to go on: what they have in common is read once."""
    return tuple(sorted({ids[:n] for ids in ways for n in range(1, len(ids) + 1)}))


def read_trees(
    beginning: Beginning,
    texts: Sequence[TokenIds],
    trees: Mapping[int, Tree],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Tensor]]:
    """Read a tree behind each of some texts, which are the branches of a beginning.

    Yields the text and the logits (path, vocab_size), float32, behind each of its paths. Raises Cancelled where `stop`
    says so between two batches. Ask `reads_trees` first.
    """
    model, wanted = beginning.model, sorted(trees, key=lambda at: len(trees[at]))
    n_rows = beginning.rows_at_once(max(map(len, trees.values()), default=1))
    for first in range(0, len(wanted), n_rows):
        if stop():
            raise Cancelled(say(STOPPED))
        several = wanted[first : first + n_rows]
        with model.running, torch.inference_mode():
            resid = _read(beginning, [len(texts[at]) for at in several], several, [trees[at] for at in several])
        for at, rows in zip(several, resid, strict=True):
            with model.running, torch.inference_mode():  # a text at a time: all logits would take much memory
                logits = model.adapter.logits(model.model, rows[: len(trees[at])]).float()
            yield at, logits


def _read(beginning: Beginning, lengths: Sequence[int], branches: Sequence[int], trees: Sequence[Tree]) -> Tensor:
    """The residual stream (row, path, d_model) that leaves the last layer; what fills a row up stands at its end."""
    model, n_most, kept = beginning.model, max(map(len, trees)), list[Tensor]()
    filled = [(*tree, *tree[-1:] * (n_most - len(tree))) for tree in trees]
    ids = torch.tensor([[path[-1] for path in tree] for tree in filled], device=model.input_device)
    places = _Places(tuple(lengths), beginning.start, tuple(filled))

    def see(layer: int, rows: Tensor) -> None:
        if layer == len(model.layers) - 1:
            kept.append(rows)

    with put_on(read_hooks(model.sites.at("resid_post"), see)):
        read_behind(model, ids, beginning.for_rows(branches), places)
    return kept[-1]


@dataclass(frozen=True)
class _Places:
    """Where the tokens of trees stand, and what they see: their text, and their own path."""

    lengths: tuple[int, ...]
    """(row), of the texts: what stands behind one in the cache fills it up."""
    start: int
    """Of the trees, in the cache."""
    trees: tuple[Tree, ...]

    def keywords(self, token_ids: Tensor) -> dict[str, Any]:
        """Positions (row, path), and a mask (row, 1, path, key) of what is seen."""
        device, n = token_ids.device, token_ids.shape[1]
        lengths = torch.tensor(self.lengths, device=device)[:, None]
        depths = torch.tensor([[len(path) - 1 for path in tree] for tree in self.trees], device=device)
        of_text = torch.arange(self.start, device=device) < lengths  # (row, key)
        own = torch.tensor([_seen(tree) for tree in self.trees], device=device)
        mask = torch.cat([of_text[:, None].expand(-1, n, -1), own], dim=-1)
        return {POSITION_IDS: lengths + depths, "attention_mask": mask[:, None]}


def _seen(tree: Tree) -> list[list[bool]]:
    """(path, path): the parts of each path. What fills a tree up, its last path once more, is seen by itself alone."""
    first = [tree.index(path) for path in tree]
    return [
        [at == own or (first[at] == at and path[: len(other)] == other) for at, other in enumerate(tree)]
        for own, path in enumerate(tree)
    ]


def reads_trees(beginning: Beginning, texts: Sequence[TokenIds], trees: Mapping[int, Tree]) -> bool:
    """Whether a model reads trees behind these texts as it reads each path by itself; tried once for each model."""
    model = beginning.model
    at = next((at for at, tree in trees.items() if sum(len(path) == 1 for path in tree) > 1), None)
    if at is None or not _could(beginning):  # with nothing to try it on: never, whatever is known by now
        return False
    if model.model not in _known:
        _known[model.model] = _holds(beginning, texts, at, trees[at])
    return _known[model.model]


def _could(beginning: Beginning) -> bool:
    model = beginning.model
    if beginning.shared is None or has_several_streams(model) or model.way.attention != "sdpa":
        return False
    slides = any(isinstance(layer, DynamicSlidingWindowLayer) for layer in beginning.shared.layers)
    return takes_positions(model.model) and not slides


def _holds(beginning: Beginning, texts: Sequence[TokenIds], at: int, tree: Tree) -> bool:
    """Whether one tree says behind each first token what that says by itself, and behind a path what all of it does."""
    text = texts[at]
    paths = [path for path in tree if len(path) == 1]
    alone = torch.cat(
        [each.logits for each in read_rows(beginning, [Row((*text, *path), branch=at) for path in paths])]
    )
    longer = (*paths[0], paths[-1][0])
    try:
        ((_, found),) = read_trees(beginning, texts, {at: tree})
        ((_, whole),) = read_trees(beginning, texts, {at: tree_of([longer, *paths])})
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
        return False
    first = next(read_rows(beginning, [Row((*text, *longer[:1]), branch=at)]))
    last = next(read_rows(first.after, [Row((*text, *longer))])).logits
    of_paths = found[[tree.index(path) for path in paths]]
    gaps = (of_paths - alone).abs().max(), (whole[tree_of([longer, *paths]).index(longer)] - last[0]).abs().max()
    return bool(max(gaps) <= TREE_BOUND * alone.std())


_known: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()
