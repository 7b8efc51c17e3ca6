"""Records the attention that the model itself computes: the pattern row of the last query, layer by layer.

Generation stays on SDPA, which returns no pattern. While a prompt is read, the function registered here lets SDPA
compute the output, and recomputes from the same query and key only the row of the last position, softmax(q·k·scaling +
mask) in float32: O(T) instead of O(T²). With a single query that row is the whole pattern, so the output is computed
from it: what is shown is what was used. On a GPU SDPA computes that output too, and the rows of all layers are made
together, of the same queries and keys, when the pass has ended (`deferred_rows`); the proof holds them against eager's,
and against each made alone. Families whose attention takes a keyword that SDPA would swallow or refuse run on eager
attention, where the row is read from the pattern that eager returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.deferred_rows import DeferredRow, can_wait, in_batches, stacked
from llm_tracker.models.forward.forward_pass import put_on_eager
from llm_tracker.models.forward.hooks import after, layers_in_turn, once_each, put_on
from llm_tracker.models.forward.pattern_edits import edit_of
from llm_tracker.models.forward.shared_beginning import attention_behind, shared_keys, with_beginning
from llm_tracker.models.forward.way import AttentionKind, Way

RECORDED_SDPA = "llm_tracker_sdpa"
"""The attention implementation's name in transformers' registry."""

RowObserver = Callable[[int, Tensor], None]
"""Is given the layer's index (0-based) and the last query's pattern row (head, key) in float32."""

HONOURED = frozenset(
    {"is_causal", "sliding_window", "position_ids", "cache_position", "use_cache", "output_attentions"}
)
"""Keywords that SDPA honours: by itself, through its mask, or because they do not touch the pattern."""

SUMMARISING = frozenset({"compressed_sparse_attention", "heavily_compressed_attention"})
"""transformers' types of layers whose keys are summaries of several tokens, beside the latest tokens themselves."""

_recorder: ContextVar[RowRecorder | None] = ContextVar("attention_rows", default=None)


def summarising_layers(config: Any) -> frozenset[int]:
    """The layers (0-based) that attend to summaries of several tokens: a share there belongs to no single word.

    They have no pattern to draw. A short text does not show it: where 128 tokens make a summary, fewer have none.
    """
    layer_types = getattr(config.get_text_config(), "layer_types", None) or ()
    return frozenset(index for index, kind in enumerate(layer_types) if kind in SUMMARISING)


class UnhonouredKeywordError(Exception):
    """An attention module passed a keyword that SDPA would ignore or refuse."""


def recorded_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """SDPA's output, with the last query's pattern row handed to the recorder of this context, if there is one.

    Shapes: query (batch, head, query, d_head), key and value (batch, kv_head, key, d_head).
    """
    for name, given in kwargs.items():
        if given is not None and name not in HONOURED:
            raise UnhonouredKeywordError(name)
    edit, recorder, shared = edit_of(module), _recorder.get(), shared_keys(key, value)
    if shared is not None and (edit is not None or recorder is not None):
        key, value = (with_beginning(own, each) for own, each in zip((key, value), shared, strict=True))
        shared = None
    if edit is not None:
        edited_output, pattern = edit.output(module, query, key, value, attention_mask, scaling)
        if recorder is not None:
            recorder.saw(module, pattern[0, :, -1])
        return edited_output, None
    if recorder is not None and can_wait(query, attention_mask):
        recorder.put_off(module, query, key, attention_mask, scaling)
    elif recorder is not None:
        row = last_row(query, key, attention_mask, scaling)
        recorder.saw(module, row)
        if query.shape[0] == query.shape[2] == 1:
            return weighed(row, value, query.dtype), None
    if shared is not None:
        return attention_behind(query, (key, value), shared, attention_mask, scaling), None
    output, _ = sdpa_attention_forward(
        module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
    )
    return output, None


def last_row(query: Tensor, key: Tensor, attention_mask: Tensor | None, scaling: float | None) -> Tensor:
    """The attention pattern of the last query of the first batch row: (head, key), float32, rows sum to 1."""
    kv_heads, n_keys, d_head = key.shape[1:]
    last, keys = query if len(query) == query.shape[2] == 1 else query[0, :, -1], key[0]
    if key.dtype != torch.float32:  # what is so already costs no call: of these a token makes a thousand
        last, keys = last.float(), keys.float()
    grouped = last.reshape(kv_heads, -1, d_head) * (d_head**-0.5 if scaling is None else scaling)
    scores = torch.bmm(grouped, keys.mT).view(-1, n_keys)
    if attention_mask is not None:
        mask = attention_mask[0, :, -1, :n_keys]
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask.float()
    return scores.softmax(-1)


def weighed(row: Tensor, value: Tensor, dtype: torch.dtype) -> Tensor:
    """The attention output of a pattern row (head, key): the values weighed by it, (1, 1, head, d_head)."""
    values = value[0]
    if values.dtype != torch.float32:
        values = values.float()
    output = torch.bmm(row.view(len(values), -1, row.shape[-1]), values).view(1, 1, len(row), -1)
    return output if dtype == torch.float32 else output.to(dtype)


def whole_row(row: Tensor, length: int) -> Tensor:
    """A row (head, key) over all positions so far: a sliding cache holds only the last ones, those before get 0.

    Raises ModelError for a row of more keys than positions.
    """
    missing = length - row.shape[-1]
    if missing < 0:
        raise ModelError(
            say(
                "An attention row has {n_keys} keys for {n_tokens} tokens: some stand for no one word.",
                n_keys=row.shape[-1],
                n_tokens=length,
            )
        )
    return functional.pad(row, (missing, 0)) if missing else row


def pattern_in(output: Any) -> Tensor | None:
    """The attention pattern (batch, head, query, key) in what an attention module returns, where it returns one."""
    several = output if isinstance(output, (tuple, list)) else ()
    found = (each for each in several if isinstance(each, Tensor) and each.dim() == 4 and each.is_floating_point())
    return next(found, None)


class RowRecorder:
    """Hands each attention module's last row to an observer, in every forward pass within `recording`.

    `attentions` has an entry a layer: None where the layer has no pattern, and the same module several times where
    layers share it.
    """

    def __init__(self, attentions: Sequence[nn.Module | None], kind: AttentionKind, observer: RowObserver) -> None:
        self._modules = once_each(attentions)
        self._layer_of = layers_in_turn(attentions)
        self._kind = kind
        self._observe = observer
        self._deferred: list[DeferredRow] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within this context the forward passes of this thread are observed, on eager attention those of all.

        Rows that were put off are delivered at its end at the latest.
        """
        with ExitStack() as stack:
            stack.callback(self._deferred.clear)
            if self._kind == "sdpa":
                stack.callback(_recorder.reset, _recorder.set(self))
            else:
                stack.enter_context(put_on(after(module, self._from_eager) for module in self._modules))
            yield
            self.deliver()

    def saw(self, module: nn.Module, row: Tensor) -> None:
        """Hand on a module's row (head, key)."""
        if id(module) in self._layer_of:
            self._observe(next(self._layer_of[id(module)]), row)

    def put_off(
        self, module: nn.Module, query: Tensor, key: Tensor, mask: Tensor | None, scaling: float | None
    ) -> None:
        """Note what a module's row is made of, for `deliver`."""
        if id(module) in self._layer_of:
            self._deferred.append(DeferredRow(next(self._layer_of[id(module)]), query, key, mask, scaling))

    def made_alone(self) -> dict[int, Tensor]:
        """By layer, each row that was put off and not yet delivered, made by itself."""
        return {row.layer: last_row(row.query, row.key, row.mask, row.scaling) for row in self._deferred}

    def deliver(self) -> None:
        """Make and hand on the rows that were put off. To be called before the cache takes another token."""
        for batch in in_batches(self._deferred):
            rows = last_row(*stacked(batch), batch[0].mask, batch[0].scaling)
            for deferred, row in zip(batch, rows.view(len(batch), -1, rows.shape[-1]), strict=True):
                self._observe(deferred.layer, row)
        self._deferred.clear()

    def _from_eager(self, module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        pattern = pattern_in(output)
        if pattern is not None:
            self._observe(next(self._layer_of[id(module)]), pattern[0, :, -1].float())


def put_on_attention(model: PreTrainedModel, way: Way) -> None:
    """Switch a model's attention to that of a way: SDPA whose rows can be recorded, or plain eager code."""
    if way.attention == "sdpa":
        model.set_attn_implementation(RECORDED_SDPA)
    else:
        put_on_eager(model)


AttentionInterface.register(RECORDED_SDPA, recorded_attention)
AttentionMaskInterface.register(RECORDED_SDPA, sdpa_mask)
