"""Recorder: keeps the last row of every attention pattern and of the residual stream while the model generates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.attention_rows import RowRecorder, whole_row
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.sites import read_hooks
from llm_tracker.tracing.trace import FloatArray, Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

ATTENTION_BUDGET_BYTES = 256 * 2**20
"""A turn's attention rows by head; past it, later steps keep the mean over heads."""


class Recorder:
    """Collects one row a step; nothing of the size of a whole pattern or of the vocabulary is kept."""

    def __init__(self, model: LoadedModel, budget_bytes: int = ATTENTION_BUDGET_BYTES) -> None:
        self._model = model
        self._left_bytes = budget_bytes
        self._depth = len(model.layers) + 1
        self._is_recording = False
        self._rows: dict[int, Tensor] = {}  # of the step that is running: layer index -> (head, key)
        self._rows_recorder = RowRecorder(model.attentions, model.way.attention, self._rows.__setitem__)
        self._stream: list[Tensor] = []  # of the step that is running: depth -> (1, 1, d_model)
        self._patterns: list[FloatArray] = []  # step -> (layer, head, key)
        self._means: list[FloatArray] = []  # later step, past the budget -> (layer, key)
        self._resid: list[FloatArray] = []  # step -> (depth, d_model)

    def go_on_from(self, trace: Trace, n_steps: int) -> None:
        """Begin with the first steps of an earlier answer, as if they had just been recorded."""
        for step in range(n_steps):
            length = trace.prompt_length + step
            if step < len(trace.attention):
                self._patterns.append(trace.attention[step, ..., :length])
                self._left_bytes -= self._patterns[-1].nbytes
            elif trace.attention_mean is not None:
                self._left_bytes = 0
                self._means.append(trace.attention_mean[step, :, :length])
            self._resid.append(trace.resid[step])

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Within this context, forward passes of the model can be recorded: its layers have hooks.

        They stay for a whole answer, since putting them up anew for every token would take a hundredth of its time.
        """
        sites = self._model.sites
        entry = read_hooks(sites.at("resid_pre")[:1], self._see_entry)
        with put_on(entry), put_on(read_hooks(sites.at("resid_post"), self._see_layer)):
            yield

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within this context, what the layers' hooks see is recorded: another's passes in between are not ours."""
        self._is_recording = True
        try:
            with self._rows_recorder.recording():
                yield
        finally:
            self._is_recording = False

    def _see_entry(self, _layer: int, rows: Tensor) -> None:
        if self._is_recording and len(self._stream) % self._depth == 0:  # a shared first layer is entered again
            self._stream = [_last_row(rows)]

    def _see_layer(self, _layer: int, rows: Tensor) -> None:
        if self._is_recording:
            self._stream.append(_last_row(rows))

    def end_step(self, length: int) -> None:
        """Keep the rows of the forward pass that just ended; `length` is how many positions it could see.

        Raises ModelError where a layer gave nothing: whoever switched the model's attention or hooks since it was
        proved must not be shown zeros.
        """
        self._rows_recorder.deliver()
        self._require_all()
        rows = self._all_rows(length)
        self._resid.append(torch.cat(self._together(self._stream), 1)[0].float().cpu().numpy())
        if rows.nbytes <= self._left_bytes:
            self._left_bytes -= rows.nbytes
            self._patterns.append(rows)
        else:
            self._left_bytes = 0
            self._means.append(self._mean_over_heads(rows))
        self._rows.clear()

    def _all_rows(self, length: int) -> FloatArray:
        """The rows of this step (layer, head, key), zero where a layer has fewer heads or no pattern."""
        heads = self._model.architecture.heads
        ordered = [whole_row(self._rows[layer], length) for layer in range(len(heads)) if layer in self._rows]
        if len(ordered) == len(heads) and len(set(heads)) == 1:
            return torch.stack(self._together(ordered)).cpu().numpy()
        rows = np.zeros((len(heads), max(heads), length), dtype=np.float32)
        for layer, row in zip(sorted(self._rows), ordered, strict=True):
            rows[layer, : len(row)] = row.cpu().numpy()
        return rows

    def _together(self, rows: list[Tensor]) -> list[Tensor]:
        """Rows of all layers on one device: those of a split model are where their layer runs."""
        device = self._model.input_device
        return [row.to(device) for row in rows]

    def _mean_over_heads(self, rows: FloatArray) -> FloatArray:
        """Rows (layer, head, key) as (layer, key): a layer with fewer heads than others has zeros behind them."""
        n_heads = np.maximum(1, np.array(self._model.architecture.heads, dtype=np.float32))
        means: FloatArray = rows.sum(1) / n_heads[:, None]
        return means

    def _require_all(self) -> None:
        """Refuse a pass in which not every layer was seen once."""
        expected = {layer for layer, n_heads in enumerate(self._model.architecture.heads) if n_heads}
        if self._rows.keys() != expected or len(self._stream) != self._depth:
            raise ModelError(
                say(
                    "{n_rows} of {n_layers} layers gave their attention pattern, and the stream was seen at "
                    "{n_places} of {places} places: {model} was changed after it was proved (its attention switched, "
                    "perhaps). Load it again with load_model.",
                    n_rows=len(self._rows),
                    n_layers=len(expected),
                    n_places=len(self._stream),
                    places=self._depth,
                    model=self._model.id,
                )
            )

    def attention(self, length: int) -> tuple[FloatArray, FloatArray | None]:
        """Patterns (step, layer, head, key) of the first steps; the means (step, layer, key) if these are not all."""
        heads = self._model.architecture.heads
        patterns = _padded(self._patterns, (len(heads), max(heads)), length)
        if not self._means:
            return patterns, None
        means = [*map(self._mean_over_heads, self._patterns), *self._means]
        return patterns, _padded(means, (len(heads),), length)

    def resid(self) -> FloatArray:
        """The residual stream (step, depth, d_model)."""
        return np.stack(self._resid)


def _last_row(rows: Tensor) -> Tensor:
    """A copy of the last position's row of (1, position, d_model): what comes behind may write over it in place."""
    return rows[:, -1:].clone()


def _padded(rows: list[FloatArray], inner: tuple[int, ...], length: int) -> FloatArray:
    """Rows of growing length as one array, zero beyond each row's own length."""
    padded = np.zeros((len(rows), *inner, length), dtype=np.float32)
    for step, row in enumerate(rows):
        padded[step, ..., : row.shape[-1]] = row
    return padded
