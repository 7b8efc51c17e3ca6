"""What each word adds to the margin along the frozen routes: gradient times input of a network that is made linear.

Attention patterns, norm scales and the gates of gated MLPs are held as they were; what is left is linear in the
embeddings, and the difference of the two logits is the sum over all words of embedding times gradient (the LRP family:
Ali et al., 2022; Achtibat et al., 2024, AttnLRP). What holds for a family is not taken on trust: the sum has to come
out, or nothing is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llm_tracker.errors import ModelError, is_lack_of_memory
from llm_tracker.experiments.attribution import unembedding_direction
from llm_tracker.experiments.frozen_norm import frozen_norm
from llm_tracker.experiments.passes.frozen_patterns import frozen_patterns
from llm_tracker.experiments.probe import Probe
from llm_tracker.experiments.text_parts import covering_words
from llm_tracker.experiments.values.findings import Contribution, ExactCheck, FrozenRoute, Unavailable
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import ForwardHook, after, before, put_on
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.models.forward.residual_rows import hidden_state, side_by_side, taken_rows
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.models.memory.split_weights import is_offloaded
from llm_tracker.prompts.prompt import Prompt

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

SUM_BOUND = 1e-4
"""Largest gap between the sum over words and the difference of the two logits, relative where that is over 1."""

FORWARD_BOUND = 1e-4
"""Largest gap between the frozen network's logits and the model's, in their standard deviations."""

BUDGET_BYTES = 768 * 2**20
"""What is kept for the gradient, of all layers."""


def frozen_route(
    model: LoadedModel, prompt: Prompt, probe: Probe
) -> tuple[FrozenRoute, tuple[ExactCheck, ...]] | Unavailable:
    """What each word of a text adds to the margin; unavailable where that does not sum to it in this family."""
    text = probe.text(prompt)
    if is_offloaded(model.model):
        return Unavailable(
            say(
                "The gradient through all layers needs all weights in memory at once, and of this model some "
                "are fetched for each layer and let go again. Load it on one device to have this part."
            )
        )
    needed = _bytes_needed(model, len(text))
    if needed > BUDGET_BYTES and model.device == "cpu":
        return Unavailable(
            say(
                "The gradient through all layers of a text of {tokens} tokens would take {size} GB.",
                tokens=number(len(text), ","),
                size=number(needed / 2**30, ".1f"),
            )
        )
    try:
        with model.running:
            return _summed(model, prompt, probe, text)
    except ModelError as error:
        return Unavailable(str(error))
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        if is_lack_of_memory(error):
            return Unavailable(say("There is not enough memory for the gradient through all layers."))
        return Unavailable(
            say(
                "This family's forward pass has no gradient that could be followed ({kind}).", kind=type(error).__name__
            )
        )


def _bytes_needed(model: LoadedModel, n_positions: int) -> int:
    widths = getattr(model.config, "intermediate_size", None) or 4 * model.architecture.d_model
    width = max(widths) if isinstance(widths, (list, tuple)) else widths
    in_layer = n_positions * (
        4 * model.architecture.d_model + 2 * int(width) + 2 * model.architecture.n_heads * n_positions
    )
    return 4 * in_layer * model.architecture.n_layers


def _summed(
    model: LoadedModel, prompt: Prompt, probe: Probe, text: Sequence[int]
) -> tuple[FrozenRoute, tuple[ExactCheck, ...]] | Unavailable:
    direction = unembedding_direction(model, probe)
    ids = torch.tensor([list(text)], device=model.input_device)
    with plain_kernels(model.model), torch.inference_mode():
        expected = forward(model.model, ids, None, model.way.unasked).logits[:, -1].clone()
    ends, biases = _Ends(model.layers), _biases(model)
    with plain_kernels(model.model), torch.inference_mode(False), torch.enable_grad(), _followed(biases, model.model):
        with frozen_patterns(model.attentions, model.way) as added, put_on(ends.hooks()):
            logits = forward(model.model, ids.clone(), None, model.way.unasked).logits[:, -1]
        final = ends.final[0, -1].float().to(ids.device)
        norm = frozen_norm(
            lambda rows: model.adapter.final_norm(model.model, rows.to(model.model.dtype)).float().to(rows.device),
            final.detach(),
        )
        if norm is None:
            return Unavailable(say("The end of this model is no norm whose scale could be held as it was."))
        difference = direction.slope.clone() @ norm.of(final) + direction.shift
        leaves = [ends.embeddings, *biases, *added]
        gradients = torch.autograd.grad(difference, leaves, allow_unused=True)
    of_embeddings, *of_biases = (
        torch.zeros_like(leaf) if each is None else leaf.detach().double() * each.double()
        for leaf, each in zip(leaves, gradients, strict=True)
    )
    by_position = side_by_side(of_embeddings).sum(-1)
    at_the_end = float(direction.slope.double() @ norm.shift.double()) + direction.shift
    found = FrozenRoute(
        words=tuple(
            Contribution(word.text, word.role, word.tokens, float(by_position[0, slice(*word.tokens)].sum()))
            for word in covering_words(prompt, len(text))
        ),
        bias=sum(float(each.sum()) for each in of_biases) + at_the_end,
        margin=float(difference.detach()),
    )
    checks = (
        ExactCheck(
            later("words sum to the margin"), abs(found.sum - found.margin) / max(1.0, abs(found.margin)), SUM_BOUND
        ),
        ExactCheck(later("the frozen forward pass"), in_deviations(logits.detach(), expected), FORWARD_BOUND),
    )
    if failed := [check for check in checks if not check.ok]:
        return Unavailable(
            say(
                "Held at its patterns, scales and gates this family is not linear in its words ({name}: off by "
                "{gap}): what they add would not sum to the margin.",
                name=say(failed[0].name),
                gap=number(failed[0].gap, ".2g"),
            )
        )
    return found, checks


@contextmanager
def _followed(weights: Sequence[nn.Parameter], model: nn.Module) -> Iterator[None]:
    """Within this context a gradient is kept for these weights, and for no others of the model."""
    with ExitStack() as stack:
        for weight in model.parameters():
            stack.callback(weight.requires_grad_, weight.requires_grad)
            weight.requires_grad_(False)
        for weight in weights:
            weight.requires_grad_(True)
        yield


def _biases(model: LoadedModel) -> list[nn.Parameter]:
    """What is added within the layers, whatever the text: by the names that weights have."""
    named = (each for layer in dict.fromkeys(model.layers) for each in layer.named_parameters())
    return list(dict.fromkeys(weight for name, weight in named if name.endswith("bias")))


@dataclass(eq=False)
class _Ends:
    """What enters the first layer, as something that a gradient is taken by, and what leaves the last one."""

    layers: Sequence[nn.Module]
    embeddings: Tensor = field(init=False)
    """As the layer takes them."""
    final: Tensor = field(init=False)
    """(1, position, d_model), several streams side by side."""

    def hooks(self) -> Iterator[ForwardHook]:
        """All that keeps something."""
        yield before(self.layers[0], self._take_embeddings)
        yield after(self.layers[-1], self._take_final)

    def _take_embeddings(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rows = taken_rows(args, kwargs)
        if rows is None or hasattr(self, "embeddings"):
            return None
        self.embeddings = rows.detach().clone().requires_grad_()
        put = {id(rows): self.embeddings}
        return tuple(put.get(id(each), each) for each in args), {k: put.get(id(v), v) for k, v in kwargs.items()}

    def _take_final(self, _module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        self.final = hidden_state(output)
