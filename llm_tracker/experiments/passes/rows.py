"""Many texts at once: the rows of a batch behind their common beginning, which is read once.

Rows of unlike length are filled up at their ends. What stands behind a text changes nothing in it and needs no mask, on
learned positions, ALiBi, rotary ones and sliding windows alike; filling up in front would shift its positions. Models
that keep no keys and values read each text whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import DynamicCache

from llm_tracker.errors import Cancelled, ModelError
from llm_tracker.experiments.passes.interventions import Change, KnockOut, applied
from llm_tracker.experiments.passes.sharing_trial import can_share, keeps_keys_apart
from llm_tracker.languages.texts import later, say
from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import Gaps, Places, forward
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.kv_caches import copied
from llm_tracker.models.forward.shared_beginning import cut, keys_apart, row_bytes, sharing
from llm_tracker.models.forward.sites import SiteName, read_hooks
from llm_tracker.tracing.rereading.known_context import known_context

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

BATCH_BYTES = 128 * 2**20
"""What the rows of a batch may take besides their common beginning."""

N_SCORES = 2
"""Tensors of a layer's attention scores, in float32, that are there at once."""

STOPPED = later("Stopped before the experiment's end. What was found so far stays.")


@dataclass(frozen=True, eq=False)
class Row:
    """A text, and what is changed in the model while it is read."""

    token_ids: tuple[int, ...]
    """Of the whole text."""
    changes: tuple[Change, ...] = ()
    branch: int = 0
    """Which of the beginnings it goes on from."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """What several texts begin with, and its keys and values: each is read behind it."""

    model: LoadedModel
    start: int
    """The position at which a row's own tokens begin: 0 of a model that reads each text whole."""
    cache: DynamicCache | None
    """A row for each branch."""
    shared: DynamicCache | None
    """What all branches begin with."""
    gaps: Gaps | None = None
    """What fills up the branches, where they are of unlike length."""

    def rows_at_once(self, n_more: int, hides: bool = False) -> int:
        """How many rows with `n_more` tokens of their own can be read together; what `hides` words makes patterns."""
        architecture = self.model.architecture
        if has_several_streams(self.model):
            return 1
        own = n_more * architecture.d_model * 4 * 8 + 3 * 4 * architecture.vocab_size
        own += N_SCORES * 4 * architecture.n_heads * n_more * (self.start + n_more)
        if self.shared is not None:
            n_own = self.start - self.shared.get_seq_length() + n_more
            is_apart = keeps_keys_apart(self.model) and not hides
            own += row_bytes(self.shared, n_own, architecture.n_heads * (2 if hides else 1), is_apart)
        return max(1, BATCH_BYTES // own)

    def cut_to(self, length: int) -> Beginning:
        """The beginnings up to before the position `length`, no shorter than what they share."""
        if self.cache is None:
            return self
        return replace(self, start=length, cache=cut(self.cache, length))

    def of_lengths(self, lengths: Sequence[int]) -> Beginning:
        """The beginnings as they are, filled up, to read one token more behind each: (branch) of their lengths.

        Whether a model reads the same so has to be seen: it may count positions in a way of its own.
        """
        if self.cache is None or all(length == self.start for length in lengths):
            return self
        return replace(self, gaps=Gaps(tuple(lengths), self.start, self.start))

    def only(self, branch: int) -> Beginning:
        """One of the branches by itself."""
        return replace(self, cache=self.for_rows([branch]))

    def for_rows(self, branches: Sequence[int]) -> DynamicCache | None:
        """A cache of its own for each row, which goes on from one of the branches."""
        if self.cache is None:
            return None
        twin = copied(self.cache)
        twin.batch_select_indices(torch.tensor(list(branches), device=self.model.input_device))
        return twin


def has_several_streams(model: LoadedModel) -> bool:
    """Whether a position has several rows of the residual stream (hyper-connections, AltUp): no batch is told apart."""
    return bool(getattr(model.config, "hidden_size", model.architecture.d_model) != model.architecture.d_model)


def begin(model: LoadedModel, token_ids: Sequence[int], n_more: int) -> Beginning:
    """Read what several texts begin with, or take it from what was read before.

    `n_more` is the most that follows in a text; at least one token has to.
    """
    # `known_context` leaves the last token of a context to be read: here it stands for the rows' own.
    known = known_context(model, [*token_ids, *token_ids[-1:]], n_more) if token_ids else None
    cache = None if known is None else sharing(known, 1)
    if cache is None or not can_share(model, cache):
        return Beginning(model, 0, None, None)
    return Beginning(model, len(token_ids), cache, known)


def behind(model: LoadedModel, token_ids: Sequence[int]) -> tuple[list[int], DynamicCache | None]:
    """The last token of a text, and the keys and values of all before it; all of it where none are kept."""
    beginning = begin(model, token_ids[:-1], 1)
    return list(token_ids[beginning.start :]), beginning.for_rows([0])


def branched(beginning: Beginning, texts: Sequence[Sequence[int]], end: int) -> Beginning:
    """The beginnings of several texts, up to before the position `end`: a branch for each."""
    if beginning.cache is None or end <= beginning.start:
        return beginning if beginning.cache is None else _repeated(beginning, len(texts))
    rows = [Row(tuple(text[:end])) for text in texts]
    with beginning.model.running, torch.inference_mode():
        return _read(beginning, rows, end - beginning.start, {}).after


def _repeated(beginning: Beginning, n_branches: int) -> Beginning:
    return replace(beginning, cache=beginning.for_rows([0] * n_branches))


def common_beginning(texts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The tokens that all texts begin with, but for the last one of the shortest."""
    shortest = min(len(text) for text in texts) - 1
    first = texts[0]
    same = next((at for at in range(shortest) if any(text[at] != first[at] for text in texts)), shortest)
    return tuple(first[:same])


See = Callable[[int, Tensor], None]
"""Is given a layer's index (0-based) and the rows (row, position, width) of a site, the sources' aside."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows that were read together."""

    rows: slice
    """Which of all rows."""
    logits: Tensor
    """(row, vocab_size), float32, behind each row's last token."""
    after: Beginning
    """Their keys and values, a branch for each; those of shorter rows are filled up (`cut_to`)."""
    resid: Tensor | None = None
    """(row, layer, d_model), the residual stream after each layer at each row's last token, where it was asked for."""


def read_rows(
    beginning: Beginning,
    rows: Sequence[Row],
    sources: Sequence[Row] = (),
    see: Mapping[SiteName, See] | None = None,
    keep_resid: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Batch]:
    """Read texts many at a time, and yield what comes out behind them.

    `sources` are read in front of every batch, as its first rows, for changes that put what one of them has (`LikeRow`)
    in a row's place. `see` is given what passes at a site. Raises Cancelled where `stop` says so between two batches,
    ModelError for sources of a model whose rows cannot be read together.
    """
    if sources and has_several_streams(beginning.model):
        raise ModelError(say("This family has several residual streams side by side: no two texts are read together."))
    model = beginning.model
    for own in _batches(beginning, rows, sources):
        if stop():
            raise Cancelled(say(STOPPED))
        batch = [*sources, *rows[own]]
        n_most = 1 if beginning.gaps else max(len(row.token_ids) for row in batch) - beginning.start
        with model.running, torch.inference_mode():
            read = _read(beginning, batch, n_most, see or {}, len(sources), keep_resid)
        resid = None if read.resid is None else read.resid[len(sources) :]
        yield Batch(own, read.logits[len(sources) :], read.after, resid)


def _batches(beginning: Beginning, rows: Sequence[Row], sources: Sequence[Row]) -> Iterator[slice]:
    """Which rows are read together: as many as fit; of equal length where a longer one would change what is read."""
    lengths = [len(row.token_ids) for row in rows]
    n_most = 1 if beginning.gaps else max([*lengths, *(len(row.token_ids) for row in sources)]) - beginning.start
    hides = any(isinstance(change, KnockOut) for row in rows for change in row.changes)
    n_rows = max(1, beginning.rows_at_once(n_most, hides) - len(sources))
    switch = rope_switch(beginning.model.model)
    is_changing = beginning.cache is None and switch is not None and max(lengths) > switch.length
    first = 0
    while first < len(rows):
        end = min(first + n_rows, len(rows))
        if is_changing:
            end = next((at for at in range(first, end) if lengths[at] != lengths[first]), end)
        yield slice(first, end)
        first = end


def _read(
    beginning: Beginning,
    batch: Sequence[Row],
    n_most: int,
    see: Mapping[SiteName, See],
    n_sources: int = 0,
    keep_resid: bool = False,
) -> Batch:
    model, start = beginning.model, beginning.start
    gaps = None if beginning.gaps is None else beginning.gaps.of([row.branch for row in batch])
    own = [row.token_ids[start:] if gaps is None else row.token_ids[-1:] for row in batch]
    ids = torch.tensor([[*each, *each[-1:] * (n_most - len(each))] for each in own], device=model.input_device)
    cache = beginning.for_rows([row.branch for row in batch])
    are_equal = all(len(each) == n_most for each in own)
    ends = _Ends([len(each) - 1 for each in own], len(model.layers), keep_resid)
    with ExitStack() as stack:
        stack.enter_context(applied(model, [row.changes for row in batch], start, start + n_most))
        for site, seen in see.items():
            stack.enter_context(put_on(read_hooks(model.sites.at(site), _without_sources(seen, n_sources))))
        if keep_resid or not are_equal:
            stack.enter_context(put_on(read_hooks(model.sites.at("resid_post"), ends.see)))
        output = read_behind(model, ids, cache, gaps)
    logits = output.logits[:, -1] if are_equal else model.adapter.logits(model.model, ends.kept[-1])
    read_to = 0 if cache is None else start + n_most
    after = replace(beginning, start=read_to, cache=cache, gaps=gaps and gaps.longer(n_most))
    resid = torch.stack([rows.to(ids.device) for rows in ends.kept], 1) if keep_resid else None
    return Batch(slice(0, len(batch)), logits.float().to(ids.device), after, resid)


def read_behind(model: LoadedModel, ids: Tensor, cache: DynamicCache | None, places: Places | None) -> Any:
    """One pass of rows (row, position), the keys of their beginning apart where the attention takes them so."""
    if cache is None or not keeps_keys_apart(model):
        return forward(model.model, ids, cache, model.way.unasked, places=places)
    with keys_apart():
        return forward(model.model, ids, cache, model.way.unasked, places=places)


class _Ends:
    """Keeps the residual stream at each row's last token: after every layer, or after the last one alone."""

    def __init__(self, ends: Sequence[int], n_layers: int, every_layer: bool) -> None:
        self.kept: list[Tensor] = []
        self._ends, self._first = list(ends), 0 if every_layer else n_layers - 1

    def see(self, layer: int, rows: Tensor) -> None:
        """Note the rows (row, position, d_model) that leave a layer."""
        if layer >= self._first:
            self.kept.append(rows[range(len(self._ends)), self._ends])


def _without_sources(see: See, n_sources: int) -> See:
    return lambda layer, rows: see(layer, rows[n_sources:])
