"""Rotary positions that change with a text's length: what was read of a short text does not hold in a long one.

LongRoPE (Ding et al., 2024) has one set of frequencies up to a length and another past it; dynamic NTK scaling goes on
changing them with every token past it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class RopeSwitch:
    """Where a model's rotary frequencies change."""

    length: int
    """The longest text, in tokens, that is read with the first ones."""
    goes_on: bool
    """Whether they change with every token past it."""
    factor: float = 1.0
    """How many times as long a text the frequencies that go on changing are stretched for."""

    def holds(self, n_read: int, n_wanted: int) -> bool:
        """Whether the keys of a text of `n_read` tokens, or of its beginning, can be used in one of `n_wanted`."""
        if self.goes_on:
            return max(n_read, n_wanted) <= self.length
        return (n_read > self.length) == (n_wanted > self.length)

    def piece_end(self, n_read: int, end: int, n_all: int) -> int:
        """Where to end a piece of a text of `n_all` tokens that begins behind `n_read` and would end at `end`.

        Past the switch where the whole text goes past it: a shorter piece would be read with the first frequencies.
        """
        if n_read > self.length or n_all <= self.length or end >= n_all:
            return end
        return n_all if self.goes_on else max(end, self.length + 1)


def rope_switch(model: PreTrainedModel) -> RopeSwitch | None:
    """Where a model's rotary frequencies change with the text's length; None where they do not."""
    if model not in _switches:
        _switches[model] = min(_switches_of(model), key=lambda switch: switch.length, default=None)
    return _switches[model]


_switches: WeakKeyDictionary[PreTrainedModel, RopeSwitch | None] = WeakKeyDictionary()


def _switches_of(model: PreTrainedModel) -> Iterator[RopeSwitch]:
    for module in _modules(model):
        kinds = getattr(module, "rope_type", None)
        for layer_type, kind in kinds.items() if isinstance(kinds, dict) else [("", kinds)]:
            if not isinstance(kind, str) or not ("dynamic" in kind or kind == "longrope"):
                continue
            settings = module.config.rope_parameters
            own = settings[layer_type] if layer_type else settings
            if "dynamic" in kind:
                yield RopeSwitch(int(module.original_max_seq_len), goes_on=True, factor=float(own.get("factor") or 1))
            else:
                yield RopeSwitch(int(own["original_max_position_embeddings"]), goes_on=False)


def begin_anew(model: PreTrainedModel) -> None:
    """Let frequencies that change with every token be those of a fresh model: they keep the longest text so far.

    Before each forward pass, and under the lock that the pass is run under.
    """
    switch = rope_switch(model)
    if switch is None or not switch.goes_on:
        return
    for module in _modules(model):
        if hasattr(module, "max_seq_len_cached") and hasattr(module, "original_inv_freq"):
            module.inv_freq = module.original_inv_freq.to(module.inv_freq.device)
            module.max_seq_len_cached = module.original_max_seq_len


def _modules(model: PreTrainedModel) -> list[Any]:
    return list(model.modules())
