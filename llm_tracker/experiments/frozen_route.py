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
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from llm_tracker.errors import ModelError
from llm_tracker.experiments.attribution import unembedding_direction
from llm_tracker.experiments.frozen_norm import FrozenNorm, frozen_norm
from llm_tracker.experiments.probe import Probe
from llm_tracker.experiments.text_parts import covering_words
from llm_tracker.experiments.values.findings import Contribution, ExactCheck, FrozenRoute, Unavailable
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.frozen_patterns import frozen_patterns
from llm_tracker.models.forward.hooks import ForwardHook, after, before, put_on
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.models.forward.residual_rows import given_rows, taken_rows
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.prompts.prompt import Prompt

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

SUM_BOUND = 1e-3
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
    needed = _bytes_needed(model, len(text))
    if needed > BUDGET_BYTES and model.device == "cpu":
        return Unavailable(
            f"The gradient through all layers of a text of {len(text):,} tokens would take {needed / 2**30:.1f} GB."
        )
    try:
        with model.running:
            return _summed(model, prompt, probe, text)
    except ModelError as error:
        return Unavailable(str(error))
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        return Unavailable(
            f"This family's forward pass has no gradient that could be followed ({type(error).__name__})."
        )


def _bytes_needed(model: LoadedModel, n_positions: int) -> int:
    width = getattr(model.config, "intermediate_size", None) or 4 * model.architecture.d_model
    in_layer = n_positions * (
        4 * model.architecture.d_model + 2 * int(width) + 2 * model.architecture.n_heads * n_positions
    )
    return 4 * in_layer * model.architecture.n_layers


def _summed(
    model: LoadedModel, prompt: Prompt, probe: Probe, text: Sequence[int]
) -> tuple[FrozenRoute, tuple[ExactCheck, ...]] | Unavailable:
    direction = unembedding_direction(model, probe)
    ids = torch.tensor([list(text)], device=model.model.device)
    with plain_kernels(model.model), torch.inference_mode():
        expected = forward(model.model, ids, None, model.way.unasked).logits[:, -1].clone()
    with plain_kernels(model.model), torch.inference_mode(False), torch.enable_grad(), _weights_fixed(model.model):
        frozen = _Frozen(model)
        with frozen_patterns(model.model, model.attentions, model.way), put_on(frozen.hooks()):
            logits = forward(model.model, ids, None, model.way.unasked).logits[:, -1]
        final = frozen.final[0, -1].float()
        norm = frozen_norm(
            lambda rows: model.adapter.final_norm(model.model, rows.to(model.model.dtype)).float(), final.detach()
        )
        if norm is None:
            return Unavailable("The end of this model is no norm whose scale could be held as it was.")
        difference = direction.slope.clone() @ norm.of(final) + direction.shift
        leaves = [frozen.embeddings, *frozen.biases]
        gradients = torch.autograd.grad(difference, leaves, allow_unused=True)
    by_position, *of_biases = (
        torch.zeros(1) if each is None else (leaf.detach().double() * each.double()).sum(-1)
        for leaf, each in zip(leaves, gradients, strict=True)
    )
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
        ExactCheck("words sum to the margin", abs(found.sum - found.margin) / max(1.0, abs(found.margin)), SUM_BOUND),
        ExactCheck("the frozen forward pass", in_deviations(logits.detach(), expected), FORWARD_BOUND),
    )
    if failed := [check for check in checks if not check.ok]:
        return Unavailable(
            f"Held at its patterns, scales and gates this family is not linear in its words ({failed[0].name}: off by "
            f"{failed[0].gap:.2g}): what they add would not sum to the margin."
        )
    return found, checks


@contextmanager
def _weights_fixed(model: nn.Module) -> Iterator[None]:
    """Within this context no gradient is kept for the weights."""
    with ExitStack() as stack:
        for weight in model.parameters():
            if weight.requires_grad:
                stack.callback(weight.requires_grad_, True)
                weight.requires_grad_(False)
        yield


@dataclass(eq=False)
class _Frozen:
    """A pass whose norms and gates are held, and whose embeddings and biases are what the gradient is taken by."""

    model: LoadedModel
    biases: list[Tensor] = field(default_factory=list)
    _kinds: dict[nn.Module, FrozenNorm | None] = field(default_factory=dict)

    embeddings: Tensor = field(init=False)
    """(1, position, d_model), as they enter the first layer."""
    final: Tensor = field(init=False)
    """(1, position, d_model), as they leave the last one."""

    def hooks(self) -> Iterator[ForwardHook]:
        """All that holds or keeps something."""
        layers = self.model.layers
        yield before(layers[0], self._take_embeddings)
        yield after(layers[-1], self._take_final)
        for layer in dict.fromkeys(layers):
            for module in layer.modules():
                if isinstance(module, nn.Linear) and module.bias is not None:
                    yield after(module, self._with_own_bias)
                elif not list(module.children()) and all(weight.dim() < 2 for weight in module.parameters()):
                    yield after(module, self._hold)

    def _take_embeddings(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rows = taken_rows(args, kwargs)
        if rows is None or hasattr(self, "embeddings"):
            return None
        self.embeddings = rows.detach().clone().requires_grad_()
        put = {id(rows): self.embeddings}
        return tuple(put.get(id(each), each) for each in args), {k: put.get(id(v), v) for k, v in kwargs.items()}

    def _take_final(self, _module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        self.final = given_rows(output)

    def _with_own_bias(self, module: nn.Module, _args: Any, _kwargs: Any, output: Tensor) -> Tensor:
        bias = cast("Tensor", module.bias)
        return output - bias.detach() + self._leaf(bias)

    def _leaf(self, bias: Tensor) -> Tensor:
        self.biases.append(bias.detach().clone().requires_grad_())
        return self.biases[-1]

    def _hold(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Tensor | None:
        """Hold a norm's scale, or the output of what is neither a norm nor linear: an activation."""
        rows = taken_rows(args, kwargs)
        if rows is None or not isinstance(output, Tensor) or output.shape != rows.shape or not rows.requires_grad:
            return None
        if module not in self._kinds:
            one = rows.detach().reshape(-1, rows.shape[-1])[-1]
            self._kinds[module] = frozen_norm(module.forward, one)
        kind = self._kinds[module]
        if kind is None:
            return output.detach()
        centred = rows - rows.mean(-1, keepdim=True) if kind.is_centred else rows
        gain = ((output - kind.shift) / centred).masked_fill(centred == 0, 0.0).detach()
        held = centred * gain
        return held + self._leaf(kind.shift) if kind.shift.abs().max() > 0 else held
