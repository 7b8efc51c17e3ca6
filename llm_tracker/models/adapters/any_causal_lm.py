"""AnyCausalLM: the adapter of last resort. It finds the parts by probing, and then has to pass the same proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.errors import ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.models.adapters.contract import ModelAdapter, part
from llm_tracker.models.adapters.parts import Parts, Sublayer, at, beside, find_layers, find_parts, sublayer_in
from llm_tracker.models.adapters.unembedding import Tail, find_tail
from llm_tracker.models.forward.forward_pass import probe_tokens, put_on_eager, refused_if_it_fails
from llm_tracker.models.forward.module_calls import ModuleCall, RecordedCalls, record_calls
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.models.forward.sites import own_logits
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.models.memory.split_weights import input_device

OWN_END_BOUND = 1e-1
"""Largest gap between two sets of logits made of the same rows, in their deviations; the proof's own is stricter."""


class AnyCausalLM(ModelAdapter):
    """What was found in one model: a table of paths as every adapter is one, written by probing.

    Where the model's end can't be taken apart, rows are read by the model's own end, which runs all of it each time.
    """

    def __init__(self, parts: Parts, tail: Tail | None, n_unreached: int = 0) -> None:
        self.parts = parts
        self.tail = tail
        self.n_unreached = n_unreached

    @classmethod
    def probed(cls, model: PreTrainedModel) -> AnyCausalLM:
        """Run the model on a few tokens and find its parts.

        Raises ModelRefusedError where there are no layers to find, or the rows behind them do not tell the logits.
        """
        put_on_eager(model)
        token_ids = probe_tokens(model.config.get_text_config().vocab_size).to(input_device(model))
        with refused_if_it_fails(model), torch.inference_mode(), plain_kernels(model):
            recorded = record_calls(model, token_ids)
            parts = find_parts(model, recorded)
            last_layer = find_layers(model, recorded)[-1][1]
            tail = find_tail(model, token_ids, recorded, last_layer)
            if tail is None:
                _require_own_end(model, recorded, last_layer)
            layers = [part(model, path) for path in parts.layers]
            return cls(parts, tail, n_unreached=len(beside(model, layers)))

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """The decoder layers, first to last; one that is used several times stands there as often."""
        return [part(model, path) for path in self.parts.layers]

    def attention(self, layer: nn.Module) -> nn.Module | None:
        """The attention module, or None where the layer has no pattern that could be drawn."""
        return _part(layer, self.parts.attention)

    def q(self, _attention: nn.Module) -> nn.Module | None:
        """Not looked for: queries are rotated by position before they meet keys, so that no run tells who made them."""
        return None

    def k(self, _attention: nn.Module) -> nn.Module | None:
        """Not looked for, as `q`."""
        return None

    def v(self, attention: nn.Module) -> nn.Module | None:
        """What projects the values, with others or alone; None where the pattern weighs no module's output as it is."""
        return _within(attention, [(each.kind, each.v) for each in self.parts.values])

    def o(self, attention: nn.Module) -> nn.Module | None:
        """What takes the weighed values; None where the pattern weighs no module's output as it is."""
        return _within(attention, [(each.kind, each.o) for each in self.parts.values])

    def attention_norm(self, layer: nn.Module) -> nn.Module | None:
        """The norm whose output the attention reads as it is, if there is one."""
        return _norm(layer, self.parts.attention)

    def mlp(self, layer: nn.Module) -> nn.Module | None:
        """The last module with parts of its own beside the attention: in a layer of a state alone, the state's."""
        return _part(layer, self.parts.mlp)

    def mlp_norm(self, layer: nn.Module) -> nn.Module | None:
        """The norm whose output that module reads as it is, if there is one."""
        return _norm(layer, self.parts.mlp)

    def final_norm(self, model: nn.Module, resid: Tensor) -> Tensor:
        """All that happens to rows between the last layer and the output matrix; nothing where that can't be told."""
        return resid if self.tail is None else self.tail.normed(model, resid)

    def unembed(self, model: Any, normed: Tensor) -> Tensor:
        """The output matrix and what follows it; by the model's own end where it can't be taken apart."""
        if self.tail is None:
            return own_logits(model, self.layers(model)[-1], normed)
        return self.tail.logits(model, normed)

    def notices(self, config: Any) -> tuple[str, ...]:
        """That no adapter was written for this family, what that costs, and which parts no text reaches."""
        found = say("Its parts were found by probing, not from a table of its family.")
        if self.tail is None:
            end = say("Its end could not be taken apart, so each lens runs all of the model: slower, as exact.")
            found = f"{found} {end}"
        if self.n_unreached:
            unreached = say(
                "{n} more of its layers are reached by no text (pictures go there): left out.", n=self.n_unreached
            )
            return (found, unreached)
        return (found,)


def _require_own_end(model: PreTrainedModel, recorded: RecordedCalls, last_layer: ModuleCall) -> None:
    """Raise ModelRefusedError where the model's end makes other logits of the last layer's rows alone."""
    rows = cast("Tensor", last_layer.gave)[0]
    if not in_deviations(own_logits(model, last_layer.module, rows), recorded.logits) <= OWN_END_BOUND:
        raise ModelRefusedError(
            say(
                "{model} makes its logits of more than the rows after its last layer, so that no layer's row "
                "tells what it would predict. It cannot be read by a lens; choose another model.",
                model=type(model).__name__,
            )
        )


def _part(layer: nn.Module, sublayers: Sequence[Sublayer]) -> nn.Module | None:
    found = sublayer_in(layer, sublayers)
    return None if found is None else at(layer, found.path)


def _norm(layer: nn.Module, sublayers: Sequence[Sublayer]) -> nn.Module | None:
    found = sublayer_in(layer, sublayers)
    return None if found is None else at(layer, found.norm)


def _within(attention: nn.Module, paths: Sequence[tuple[type[nn.Module], str]]) -> nn.Module | None:
    """The submodule at the path that belongs to this kind of attention; None where it has none there."""
    known = dict(attention.named_modules())
    return next((known[path] for kind, path in paths if type(attention) is kind and path in known), None)
