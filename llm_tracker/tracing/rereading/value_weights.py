"""Attention weighed by what it carries: the length of what each position adds through a head (Kobayashi et al., 2020).

A head adds, for each position j that it looks at, the vector a_j v_j W_O to the residual stream: its attention times
the position's value, through the head's part of the output projection. A position with a small value carries little,
however much is looked at it; the first token is often such a one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.sites import Location, read_hooks
from llm_tracker.models.memory.split_weights import in_place
from llm_tracker.progress import ended
from llm_tracker.tracing.rereading.found import ValueWeights
from llm_tracker.tracing.rereading.text_chunks import text_chunks
from llm_tracker.tracing.session import Turn, require_unedited
from llm_tracker.tracing.steps import require_step_of

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def value_weights(model: LoadedModel, turn: Turn, step: int | None = None) -> ValueWeights:
    """How long the vector is that each head adds from each position, at one step: the answer's first unless given.

    Kobayashi et al., 2020 ("Attention is not only a weight"): the attention times the value there, through the output
    projection, without any norm behind it. The text is read once more for its values; the attention is the one that
    was kept. Raises InputError for a step that is not there or whose heads were not kept, ModelError where this model's
    values cannot be read.
    """
    return ended(stream_value_weights(model, turn, turn.first_step if step is None else step))


def stream_value_weights(
    model: LoadedModel, turn: Turn, step: int, stop: Callable[[], bool] = lambda: False
) -> Generator[float, None, ValueWeights]:
    """The value weights of one step of a turn, yielding the share that is done.

    The text is read once more for its values; the attention is the one that was kept. Any norm behind the output
    projection is left out. Raises InputError for a step that is not there or whose heads were not kept, ModelError
    where this model's values cannot be read, Cancelled where `stop` says so between two chunks.
    """
    require_unedited(turn)
    require_step_of(turn.trace, step)
    values, outputs = model.sites.at("v"), model.sites.at("z")
    if step >= len(turn.trace.attention):
        raise InputError(say("Of this long answer the heads were kept up to token {n}.", n=len(turn.trace.attention)))
    length = turn.trace.prompt_length + step
    rows = torch.tensor(turn.trace.attention[step, ..., :length])  # (layer, head, key)
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids[:step].tolist()]
    by_head, joint = torch.zeros(rows.shape), torch.zeros(rows.shape[0], length)
    span = slice(0)

    def see(layer: int, value: Tensor) -> None:
        place = outputs[layer]
        if place is not None:
            weights = rows[layer, : turn.trace.heads[layer], span].to(value.device)
            lengths, together = _lengths(weights, value[0].float(), output_matrix(place, weights.shape[0]))
            by_head[layer, : len(lengths), span] = lengths.cpu()
            joint[layer, span] = together.cpu()

    for chunk in text_chunks(model, ids, stop):
        span = chunk.span
        with model.running, torch.inference_mode(), put_on(read_hooks(values, see)):
            forward(model.model, chunk.token_ids, chunk.cache, model.way.unasked)
        yield span.stop / length
    return ValueWeights(by_head.numpy(), joint.numpy())


def output_matrix(place: Location, n_heads: int) -> Tensor:
    """What the output projection does to each head's part of z: (head, d_head, d_model), bias aside."""
    module: nn.Module = place.module
    with in_place(*module.modules()):
        if isinstance(module, nn.Linear):
            return module.weight.T.float().view(n_heads, -1, module.out_features) * place.scale
        weight = next(module.parameters())
    width = getattr(module, "in_features", None) or weight.shape[0]
    unit = torch.eye(width, dtype=weight.dtype, device=weight.device)
    mapped = (module(unit) - module(torch.zeros_like(unit[:1]))).float() * place.scale
    matrix: Tensor = mapped.view(n_heads, width // n_heads, -1)
    return matrix


def _lengths(weights: Tensor, values: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """The length of each head's addition (head, position) and of their sum (position).

    `weights` are (head, position), `values` (position, kv_head * d_head), `outputs` (head, d_head, d_model).
    """
    n_heads, d_head, _ = outputs.shape
    of_kv_heads = values.view(len(values), -1, d_head).transpose(0, 1)  # (kv_head, position, d_head)
    of_heads = of_kv_heads.repeat_interleave(n_heads // len(of_kv_heads), dim=0)
    weighted = of_heads * weights[..., None]
    gram = outputs @ outputs.mT  # (head, d_head, d_head): |x W|² = x (W Wᵀ) xᵀ
    squares = ((weighted @ gram) * weighted).sum(-1)
    together = torch.einsum("hpd,hdm->pm", weighted, outputs)
    return squares.clamp(min=0).sqrt(), together.norm(dim=-1)
