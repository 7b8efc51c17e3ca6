"""Going on behind texts of unlike length that were read as one batch.

Shorter texts are filled up at their ends. What follows is told its position and does not see the filling. A model that
counts positions in a way of its own would read something else; so one text is gone on from both ways first, and where
they differ texts are taken by length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from transformers import PreTrainedModel
from transformers.cache_utils import DynamicSlidingWindowLayer

from llm_tracker.experiments.passes.rows import Batch, Beginning, Row, read_rows
from llm_tracker.models.forward.forward_pass import takes_positions

FILLED_BOUND = 1e-4
"""Largest gap, in standard deviations of the logits, between a text that is filled up and the same by itself."""


N_MORE = 16
"""Tokens that may be read behind a text, those of an answer and of most words; a longer word says how many it has."""


@dataclass(frozen=True, eq=False)
class Together:
    """Texts of a batch that can be gone on from together."""

    rows: tuple[int, ...]
    """Which of the batch's."""
    beginning: Beginning
    """A branch for each row of the batch."""


def gone_on(batch: Batch, texts: Sequence[Sequence[int]], n_more: int = N_MORE) -> list[Together]:
    """The rows of a batch in groups that `n_more` tokens can be read behind: all at once, or by length."""
    lengths = [len(text) for text in texts]
    shortest = lengths.index(min(lengths))
    if len(set(lengths)) == 1 or _holds(batch, texts[shortest], shortest, n_more):
        return [Together(tuple(range(len(texts))), batch.after.of_lengths(lengths))]
    return [
        Together(tuple(at for at, each in enumerate(lengths) if each == length), batch.after.cut_to(length))
        for length in sorted(set(lengths))
    ]


def _holds(batch: Batch, text: Sequence[int], at: int, n_more: int) -> bool:
    """Whether a text that was filled up is gone on from as it is by itself; tried with its likeliest token."""
    after, model = batch.after, batch.after.model.model
    if after.cache is None or not takes_positions(model) or _window_ends(after, n_more):
        return False
    if model in _known:
        return _known[model]
    row, own = Row((*text, int(batch.logits[at].argmax()))), after.only(at)
    ways = own.cut_to(len(text)), own.of_lengths([len(text)])
    alone, filled = (next(read_rows(each, [row])).logits for each in ways)
    _known[model] = bool((filled - alone).abs().max() <= FILLED_BOUND * alone.std())
    return _known[model]


def _window_ends(beginning: Beginning, n_more: int) -> bool:
    """Whether some layer sees the latest tokens only, and fewer than a text may have: filling would push some out."""
    layers = [] if beginning.shared is None else beginning.shared.layers
    windows = [layer.sliding_window for layer in layers if isinstance(layer, DynamicSlidingWindowLayer)]
    return any(window < beginning.start + n_more for window in windows)


_known: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()
