"""Direct logit attribution at the answer slot (Elhage et al., 2021): by layer, by head, and by head and source word.

The final norm's scale is held as it was; then the difference of two logits is a sum over what was written into the
residual stream. A direct effect only: what a component does through later layers is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from llm_tracker.errors import ModelError
from llm_tracker.experiments.frozen_norm import frozen_norm
from llm_tracker.experiments.passes.rows import behind
from llm_tracker.experiments.passes.slot_attention import slot_attention
from llm_tracker.experiments.probe import Probe
from llm_tracker.experiments.text_parts import covering_words
from llm_tracker.experiments.values.findings import (
    Attribution,
    Contribution,
    ExactCheck,
    HeadWords,
    LayerParts,
    Unavailable,
)
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.sites import Location, SiteName, read_hooks
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.models.memory.split_weights import in_place
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.rereading.text_chunks import text_chunks
from llm_tracker.tracing.rereading.value_weights import output_matrix

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

SUM_BOUND = 1e-4
"""Largest gap between the sum of all parts and the difference of the two logits, relative to the largest part."""

N_HEADS = 8
"""Heads whose words are kept."""

Name = Literal["before", "asked_again", "after"]


@torch.inference_mode()
def attribution(
    model: LoadedModel,
    name: Name,
    prompt: Prompt,
    probe: Probe,
    with_words: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Attribution, tuple[ExactCheck, ...]] | Unavailable:
    """What every part of the model adds to the difference of two logits at the answer slot.

    Unavailable where the parts cannot be read in this model, or do not sum to what the model says. Raises Cancelled
    where `stop` says so.
    """
    with model.running:  # the norms are tried: no pass of another thread may come between
        return _taken_apart(model, name, prompt, probe, with_words, stop)


def _taken_apart(
    model: LoadedModel, name: Name, prompt: Prompt, probe: Probe, with_words: bool, stop: Callable[[], bool]
) -> tuple[Attribution, tuple[ExactCheck, ...]] | Unavailable:
    text = probe.text(prompt)
    try:
        rows = _slot_rows(model, text)
        direction = unembedding_direction(model, probe)
    except ModelError as error:
        return Unavailable(str(error))
    final = rows["resid_post"][len(model.layers) - 1]
    norm = frozen_norm(lambda resid: model.adapter.final_norm(model.model, resid).to(final.device), final)
    if norm is None:
        return Unavailable(say("The end of this model is no norm whose scale could be held as it was."))
    onto = norm.pulled_back(direction.slope)
    layers = tuple(
        LayerParts(layer, _dot(onto, attention), _dot(onto, mlp))
        for layer, (attention, mlp) in enumerate(
            zip(rows["attn_out"].values(), rows["mlp_out"].values(), strict=True), start=1
        )
    )
    found = Attribution(
        name=name,
        layers=layers,
        embedding=_dot(onto, rows["resid_pre"][0]),
        remainder=_dot(direction.slope, norm.shift) + direction.shift,
        logit_difference=_dot(direction.slope, norm.of(final)) + direction.shift,
        heads=None,
    )
    largest = max(1.0, *(max(abs(each.attention), abs(each.mlp)) for each in layers))
    check = ExactCheck(
        f"parts sum to the logit difference ({name})", abs(found.sum - found.logit_difference) / largest, SUM_BOUND
    )
    if not check.ok:
        return Unavailable(
            say(
                "What this model's parts add does not sum to its logits (off by {gap} of the largest part): "
                "something else is written into its residual stream.",
                gap=number(check.gap, ".2g"),
            )
        )
    return _with_heads(model, found, rows, onto, prompt, text, with_words, stop), (check,)


class _Direction:
    """The difference of two logits as a linear map of the normed row, before any soft cap."""

    def __init__(self, slope: Tensor, shift: float) -> None:
        self.slope, self.shift = slope, shift


def unembedding_direction(model: LoadedModel, probe: Probe) -> _Direction:
    """The slope (d_model) of the two logits' difference, taken at nothing: there no soft cap bends it.

    Raises ModelError where the output matrix cannot be reached by itself.
    """
    width = _normed_width(model)
    with model.running, plain_kernels(model.model), torch.inference_mode(False), torch.enable_grad():
        normed = torch.zeros(1, width, device=model.input_device, dtype=model.model.dtype, requires_grad=True)
        difference = probe.margins(model.adapter.unembed(model.model, normed))[0]
        if not difference.requires_grad:
            raise ModelError(say("This model's output matrix cannot be taken apart from the rest of its end."))
        (slope,) = torch.autograd.grad(difference, normed)
    return _Direction(slope[0].float(), float(difference.detach()))


def _normed_width(model: LoadedModel) -> int:
    with model.running, torch.inference_mode():
        row = torch.zeros(1, model.architecture.d_model, device=model.input_device, dtype=model.model.dtype)
        return int(model.adapter.final_norm(model.model, row).shape[-1])


def _dot(one: Tensor, other: Tensor) -> float:
    return float(one.double() @ other.double())


SlotRows = dict[SiteName, dict[int, Tensor]]
"""By site and layer (from 0): the slot's row (width)."""

ADDED: tuple[SiteName, ...] = ("resid_pre", "attn_out", "mlp_out", "resid_post")


def _slot_rows(model: LoadedModel, text: Sequence[int]) -> SlotRows:
    """The slot's rows, the last of a text, in one pass. Raises ModelError for a site that is missing."""
    places = {name: _everywhere(model, name) for name in ADDED}
    with suppress(ModelError):  # layers can be told apart where heads cannot
        places["z"] = model.sites.at("z")
    return rows_at(model, text, places)


def _everywhere(model: LoadedModel, name: SiteName) -> Sequence[Location | None]:
    places = model.sites.at(name)
    if None in places:
        raise ModelError(say("“{name}” is not there in every layer of this model.", name=name))
    return places


def _with_heads(
    model: LoadedModel,
    found: Attribution,
    rows: SlotRows,
    onto: Tensor,
    prompt: Prompt,
    text: Sequence[int],
    with_words: bool,
    stop: Callable[[], bool],
) -> Attribution:
    """The same, taken apart by head and, if asked for, by source word; as it is where heads cannot be told apart."""
    try:
        readers = _head_readers(model, rows, onto)
    except ModelError:
        return found
    heads = tuple(tuple(each.direct.tolist()) if each is not None else () for each in readers)
    found = replace(found, heads=heads)
    if not with_words:
        return found
    by_position = _by_position(model, text, readers, stop)
    words = covering_words(prompt, len(text))
    total = torch.stack([each.sum(0) for each in by_position.values()]).sum(0)
    best = sorted(
        ((layer, head) for layer, several in enumerate(heads, 1) for head in range(1, len(several) + 1)),
        key=lambda each: -abs(heads[each[0] - 1][each[1] - 1]),
    )
    return replace(
        found,
        words=tuple(Contribution(w.text, w.role, w.tokens, float(total[slice(*w.tokens)].sum())) for w in words),
        head_words=tuple(
            HeadWords(
                layer,
                head,
                tuple(float(by_position[layer - 1][head - 1, slice(*word.tokens)].sum()) for word in words),
            )
            for layer, head in best[:N_HEADS]
        ),
    )


@dataclass(frozen=True, eq=False)
class _HeadReader:
    """One layer's heads: what each adds to the difference, and how a value row is read for it."""

    direct: Tensor
    """(head)."""
    slopes: Tensor
    """(head, d_head): the difference's slope of the weighed values."""


def _head_readers(model: LoadedModel, rows: SlotRows, onto: Tensor) -> list[_HeadReader | None]:
    """(layer), None where a layer has no heads. Raises ModelError where heads do not sum to what attention adds."""
    places, adds = model.sites.at("z"), model.sites.at("attn_out")
    z = rows["z"]
    readers: list[_HeadReader | None] = []
    for layer, (place, add) in enumerate(zip(places, adds, strict=True)):
        if place is None or add is None or layer not in z:
            readers.append(None)
            continue
        matrix = output_matrix(place, model.architecture.heads[layer]).to(onto.device)  # (head, d_head, d_model)
        weighed = z[layer].view(len(matrix), -1)
        with in_place(place.module):
            bias = getattr(place.module, "bias", None)
            bias = None if bias is None else bias.float().to(onto.device)
        whole = torch.einsum("hd,hdm->m", weighed, matrix)
        written = whole if bias is None else whole + bias
        slope = _slope_behind(model, add, place, written, onto)
        slopes = torch.einsum("hdm,m->hd", matrix, slope)
        reader = _HeadReader((weighed * slopes).sum(-1), slopes)
        rest = 0.0 if bias is None else _dot(slope, bias)
        gap = abs(float(reader.direct.sum()) + rest - _dot(onto, rows["attn_out"][layer]))
        if not gap <= SUM_BOUND * max(1.0, float(reader.direct.abs().max())):  # NaN is no sum
            raise ModelError(say("The heads of layer {layer} do not sum to what its attention adds.", layer=layer + 1))
        readers.append(reader)
    return readers


def _slope_behind(model: LoadedModel, add: Location, place: Location, written: Tensor, onto: Tensor) -> Tensor:
    """The difference's slope of what the output projection gives: through the norm behind it, where there is one."""
    scaled = onto * add.scale
    if add.module is place.module or any(each is place.module for each in add.module.modules()):
        return scaled
    norm = frozen_norm(lambda rows: add.module(rows.to(model.model.dtype)).float().to(rows.device), written)
    if norm is None or norm.shift.abs().max() > 0:
        raise ModelError(say("What stands behind this family's attention is no norm."))
    return norm.pulled_back(scaled)


def rows_at(
    model: LoadedModel,
    text: Sequence[int],
    places: Mapping[SiteName, Sequence[Location | None]],
    dtype: torch.dtype | None = torch.float32,
) -> SlotRows:
    """The last position's row at each site, of the layers that have it; with the dtype None: in its own."""
    kept: SlotRows = {name: {} for name in places}

    def keep(name: SiteName, layer: int, rows: Tensor) -> None:
        # a copy: later code may write over it
        kept[name][layer] = rows[0, -1].to(model.input_device, dtype or rows.dtype, copy=True)

    hooks = [each for name, several in places.items() for each in read_hooks(several, partial(keep, name))]
    own, cache = behind(model, text)
    with model.running, torch.inference_mode(), put_on(hooks):
        forward(model.model, torch.tensor([own], device=model.input_device), cache, model.way.unasked)
    return kept


def _by_position(
    model: LoadedModel, text: Sequence[int], readers: Sequence[_HeadReader | None], stop: Callable[[], bool]
) -> dict[int, Tensor]:
    """By layer (from 0): what each head brings from each position, (head, position). Reads the text once more."""
    attention = slot_attention(model, text)
    brought: dict[int, Tensor] = {}
    span = slice(0)

    def see(layer: int, rows: Tensor) -> None:
        reader = readers[layer]
        if reader is None:
            return
        n_heads, d_head = reader.slopes.shape
        values = rows[0].float().view(rows.shape[1], -1, d_head).transpose(0, 1)  # (kv_head, position, d_head)
        of_heads = values.repeat_interleave(n_heads // len(values), dim=0)
        read = torch.einsum("hpd,hd->hp", of_heads, reader.slopes.to(of_heads.device))
        kept = brought.setdefault(layer, torch.zeros(n_heads, len(text)))
        kept[:, span] = (attention[layer][:n_heads, span].to(read) * read).cpu()

    for chunk in text_chunks(model, text, stop):
        span = chunk.span
        with model.running, torch.inference_mode(), put_on(read_hooks(model.sites.at("v"), see)):
            forward(model.model, chunk.token_ids, chunk.cache, model.way.unasked)
    return brought
