"""Recorder: keeps the last row of every attention pattern and of the residual stream while the model generates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from llm_tracker.errors import ModelError
from llm_tracker.models.adapter import hidden_input, hidden_state
from llm_tracker.models.attention import observe_rows, once_each, whole_row
from llm_tracker.tracing.trace import FloatArray

if TYPE_CHECKING:
    from llm_tracker.models.loading import LoadedModel

ATTENTION_BUDGET_BYTES = 256 * 2**20
"""A turn's attention rows by head; past it, later steps keep the mean over heads."""


class Recorder:
    """Collects one row a step; nothing of the size of a whole pattern or of the vocabulary is kept."""

    def __init__(self, model: LoadedModel, budget_bytes: int = ATTENTION_BUDGET_BYTES) -> None:
        self._model = model
        self._left_bytes = budget_bytes
        self._depth = len(model.layers) + 1
        self._rows: dict[int, Tensor] = {}  # of the step that is running: layer index -> (head, key)
        self._stream: list[Tensor] = []  # of the step that is running: depth -> (d_model)
        self._patterns: list[FloatArray] = []  # step -> (layer, head, key)
        self._means: list[FloatArray] = []  # step -> (layer, key)
        self._resid: list[FloatArray] = []  # step -> (depth, d_model)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this context, forward passes of the model are recorded."""
        layers = self._model.layers
        with ExitStack() as stack:
            stack.enter_context(
                observe_rows(self._model.attentions, self._model.proof.attention, self._rows.__setitem__)
            )
            entry = layers[0].register_forward_pre_hook(self._see_entry, with_kwargs=True)
            stack.callback(entry.remove)
            for layer in once_each(layers):
                stack.callback(layer.register_forward_hook(self._see_layer).remove)
            yield

    def _see_entry(self, _layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        entering = hidden_input(args, kwargs)
        if entering is not None and len(self._stream) % self._depth == 0:  # a shared first layer is entered again
            self._stream = [entering[0, -1].clone()]

    def _see_layer(self, _layer: Any, _args: Any, output: Any) -> None:
        self._stream.append(hidden_state(output)[0, -1].clone())  # a view would hold all positions

    def end_step(self, length: int) -> None:
        """Keep the rows of the forward pass that just ended; `length` is how many positions it could see.

        Raises ModelError where a layer gave nothing: whoever switched the model's attention or hooks since it was
        proved must not be shown zeros.
        """
        self._require_all()
        heads = self._model.proof.heads
        rows = np.zeros((len(heads), max(heads), length), dtype=np.float32)
        means = np.zeros((len(heads), length), dtype=np.float32)
        for layer, row in self._rows.items():
            whole = whole_row(row, length).cpu().numpy()
            rows[layer, : len(whole)] = whole
            means[layer] = whole.mean(0)
        self._resid.append(torch.stack(self._stream).float().cpu().numpy())
        self._means.append(means)
        if rows.nbytes <= self._left_bytes:
            self._left_bytes -= rows.nbytes
            self._patterns.append(rows)
        else:
            self._left_bytes = 0
        self._rows.clear()

    def _require_all(self) -> None:
        """Refuse a pass in which not every layer was seen once."""
        expected = {layer for layer, n_heads in enumerate(self._model.proof.heads) if n_heads}
        if self._rows.keys() != expected or len(self._stream) != self._depth:
            raise ModelError(
                f"{len(self._rows)} of {len(expected)} layers gave their attention pattern, and the stream was seen at "
                f"{len(self._stream)} of {self._depth} places: {self._model.id} was changed after it was proved (its "
                "attention switched, perhaps). Load it again with load_model."
            )

    def attention(self, length: int) -> tuple[FloatArray, FloatArray | None]:
        """Patterns (step, layer, head, key) of the first steps; the means (step, layer, key) if these are not all."""
        heads = self._model.proof.heads
        patterns = _padded(self._patterns, (len(heads), max(heads)), length)
        whole = len(self._patterns) == len(self._means)
        return patterns, None if whole else _padded(self._means, (len(heads),), length)

    def resid(self) -> FloatArray:
        """The residual stream (step, depth, d_model)."""
        return np.stack(self._resid)


def _padded(rows: list[FloatArray], inner: tuple[int, ...], length: int) -> FloatArray:
    """Rows of growing length as one array, zero beyond each row's own length."""
    padded = np.zeros((len(rows), *inner, length), dtype=np.float32)
    for step, row in enumerate(rows):
        padded[step, ..., : row.shape[-1]] = row
    return padded
