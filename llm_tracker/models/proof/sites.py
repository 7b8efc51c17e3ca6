"""Finds the sites of a model's forward pass (`forward.sites`) and proves each: by sums, and put in its own place.

What attention and feed-forward add to the residual stream is told by the stream itself: of all that a layer's modules
give, `attn_out` is what lies between `resid_pre` and `resid_mid`, times a number where a family scales it. `v` and `z`
are told by the pattern, which makes the one of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import later
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.forward.attention_rows import put_on_attention
from llm_tracker.models.forward.attention_values import value_columns
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.module_calls import ModuleCall, RecordedCalls, record_calls
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.models.forward.pattern_edits import edited_patterns
from llm_tracker.models.forward.sites import (
    SITE_NAMES,
    Location,
    SiteName,
    Sites,
    input_of,
    output_of,
    pattern_of,
    replace_hooks,
)
from llm_tracker.models.forward.way import EAGER, Way
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.models.proof.checks import Bounds, Check, checked, largest

NOTES: Mapping[SiteName, str] = {
    "resid_pre": later("what enters each layer"),
    "resid_post": later("what leaves each layer"),
    "resid_mid": later("resid_pre + attn_out against what the feed-forward part reads"),
    "attn_out": later("resid_pre + attn_out against the stream behind attention"),
    "mlp_out": later("the stream behind attention + mlp_out against resid_post"),
    "z": later("pattern · v against what the output projection takes"),
    "v": later("pattern · v against what the output projection takes"),
}
"""How each is proved; that patterns are read exactly has checks of its own (`prove`)."""


REPLACED = later("put in its own place, and the logits")
OF_SUBLAYERS: tuple[SiteName, ...] = ("attn_out", "resid_mid", "mlp_out")
OF_VALUES: tuple[SiteName, ...] = ("v", "z")
NO_PATTERN = later("no layer has an attention pattern.")


@dataclass
class _Found:
    """What was found of one site, layer by layer."""

    locations: list[Location | None] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, location: Location | None, gap: float = 0.0, reason: str = "") -> None:
        """One more layer's."""
        self.locations.append(location)
        if location is not None:
            self.gaps.append(gap)
        elif reason:
            self.reasons.append(reason)


def prove_sites(
    model: PreTrainedModel, adapter: ModelAdapter, token_ids: Tensor, patterns: Mapping[int, Tensor], way: Way
) -> tuple[Sites, tuple[Check, ...]]:
    """The sites that hold in this model, and a check for each that was found; (layer) patterns of an eager run.

    `way` is how the model generates, and what it is left on.
    """
    bounds = Bounds.of(model.dtype)
    put_on_attention(model, EAGER)
    with plain_kernels(model):
        recorded = record_calls(model, token_ids)
        found = _found(adapter, model, recorded, patterns, bounds.sites)
        moved = _self_replacement_gaps(model, token_ids, found, bounds.sites)
    put_on_attention(model, way)
    if way.attention == "sdpa":
        moved["pattern"] = _self_edit_gap(model, token_ids, found["pattern"].locations)
    present = [name for name in SITE_NAMES if any(found[name].locations)]
    read = {
        name: checked(name, largest(found[name].gaps), bounds.sites, NOTES[name]) for name in present if name in NOTES
    }
    replaced = {
        name: checked(f"{name}, replaced", moved[name], bounds.live if name == "pattern" else bounds.sites, REPLACED)
        for name in present
        if name in moved
    }
    failed = {name: f"its proof is off by {check.gap:.2g}." for name, check in read.items() if not check.ok}
    missing = {name: _why_missing(each, failed.get(name, "")) for name, each in found.items()}
    missing = {name: reason for name, reason in missing.items() if reason}
    locations = {name: tuple(each.locations) for name, each in found.items() if name not in missing}
    read_only = frozenset(name for name in locations if name not in replaced or not replaced[name].ok)
    return Sites(locations, missing, read_only), (*read.values(), *replaced.values())


def _why_missing(found: _Found, failure: str) -> str:
    """Why a site can be used nowhere in the model; "" where it can."""
    if failure:
        return failure
    return "" if any(found.locations) else next(iter(found.reasons), later("no layer of this family has one."))


def _found(
    adapter: ModelAdapter,
    model: PreTrainedModel,
    recorded: RecordedCalls,
    patterns: Mapping[int, Tensor],
    bound: float,
) -> dict[SiteName, _Found]:
    found: dict[SiteName, _Found] = {name: _Found() for name in SITE_NAMES}
    for layer, (module, call) in enumerate(_layer_calls(adapter.layers(model), recorded)):
        if call is None:
            for each in found.values():
                each.add(None, reason=later("a layer of the adapter's list is reached by no text."))
            continue
        inside = [each for each in recorded.calls if call.holds(each)]
        found["resid_pre"].add(input_of(module))
        found["resid_post"].add(output_of(module))
        _find_stream(found, adapter, module, call, inside, bound)
        attention, pattern = adapter.attention(module), patterns.get(layer)
        if attention is None or pattern is None:
            found["pattern"].add(None, reason=NO_PATTERN)
        else:
            found["pattern"].add(pattern_of(attention))
        _find_values(found, adapter, attention, pattern, inside, bound)
    return found


def _layer_calls(layers: list[nn.Module], recorded: RecordedCalls) -> Iterator[tuple[nn.Module, ModuleCall | None]]:
    """Each layer with its call, in order; one that is used several times has a call for each, one in vain none."""
    calls = [call for call in recorded.calls if call.module in set(layers)]
    for layer in layers:
        call = next((each for each in calls if each.module is layer), None)
        if call is not None:
            calls = calls[calls.index(call) + 1 :]
        yield layer, call


def _find_stream(
    found: dict[SiteName, _Found],
    adapter: ModelAdapter,
    layer: nn.Module,
    call: ModuleCall,
    inside: list[ModuleCall],
    bound: float,
) -> None:
    """What attention and feed-forward add to the stream, and the stream between them."""
    attention, mlp = adapter.attention(layer), adapter.mlp(layer)
    reader = adapter.mlp_norm(layer) or mlp
    attended, fed, read = (_call_of(module, inside) for module in (attention, mlp, reader))
    if call.got is None or call.gave is None or attended is None or fed is None or read is None or read.got is None:
        for name in OF_SUBLAYERS:
            found[name].add(None, reason=later("its layers do not consist of attention and one feed-forward part."))
        return
    # A module that runs twice in a layer has two outputs: where it is, neither can be told from the other.
    n_calls = Counter(each.module for each in inside)
    alone = [each for each in inside if n_calls[each.module] == 1]
    between = [each for each in alone if each.entered >= attended.entered and each.left <= read.entered]
    behind = [each for each in alone if each.entered >= fed.entered]
    mid = read.got.view_as(call.got) if read.got.numel() == call.got.numel() else None
    by_turns = None if mid is None else _addend(between, call.got, mid, bound)
    if by_turns is not None and mid is not None:
        found["attn_out"].add(*by_turns)
        added, gap = by_turns
        found["resid_mid"].add(replace(added, onto=layer), gap)
        last = _addend(behind, mid, call.gave, bound)
    else:
        found["resid_mid"].add(None, reason=later("attention and feed-forward work side by side in each layer."))
        last = _add_side_by_side(found, call, attended, fed, bound)
    found["mlp_out"].add(
        *(last or (None, 0.0, later("no module gives what the feed-forward part adds to the stream.")))
    )


def _add_side_by_side(
    found: dict[SiteName, _Found], call: ModuleCall, attended: ModuleCall, fed: ModuleCall, bound: float
) -> tuple[Location, float] | None:
    """Attention's part of a layer whose parts both read what enters it; returns the feed-forward's."""
    rows = (call.got, attended.gave, fed.gave, call.gave)
    if all(each is not None and each.shape == rows[0].shape for each in rows if rows[0] is not None):
        got, one, other, gave = (each for each in rows if each is not None)
        gap = _relative(got + one + other, gave)
        if gap <= bound:
            found["attn_out"].add(output_of(attended.module), gap)
            return output_of(fed.module), gap
    found["attn_out"].add(None, reason=later("no module gives what attention adds to the stream."))
    return None


def _call_of(module: nn.Module | None, inside: list[ModuleCall]) -> ModuleCall | None:
    return next((call for call in inside if call.module is module), None) if module is not None else None


def _addend(calls: list[ModuleCall], rows: Tensor, total: Tensor, bound: float) -> tuple[Location, float] | None:
    """The module whose output, times a number, turns `rows` into `total`, and the gap that is left.

    If several do, the one that ends last: a norm behind attention rather than attention, that rather than its parts.
    """
    added = total.double() - rows.double()
    for call in sorted(calls, key=lambda each: each.left, reverse=True):
        if call.gave is None or call.gave.shape != added.shape:
            continue
        given = call.gave.double()
        scale = (added.flatten() @ given.flatten() / (given.flatten() @ given.flatten()).clamp(min=1e-30)).item()
        scale = 1.0 if abs(scale - 1) <= bound else scale
        gap = _relative(rows.double() + scale * given, total.double())
        if gap <= bound and scale:
            return Location(call.module, "output", scale=scale), gap
    return None


def _relative(found: Tensor, expected: Tensor) -> float:
    """The largest gap, relative to the largest number."""
    return ((found.float() - expected.float()).abs().max() / expected.float().abs().max().clamp(min=1e-30)).item()


def _find_values(
    found: dict[SiteName, _Found],
    adapter: ModelAdapter,
    attention: nn.Module | None,
    pattern: Tensor | None,
    inside: list[ModuleCall],
    bound: float,
) -> None:
    """The values, and their sums weighed by the pattern."""
    if attention is None or pattern is None:
        for name in OF_VALUES:
            found[name].add(None, reason=NO_PATTERN)
        return
    try:
        projections = adapter.v(attention), adapter.o(attention)
    except ModelError as error:
        for name in OF_VALUES:
            found[name].add(None, reason=str(error))
        return
    v, o = (_call_of(module, inside) for module in projections)
    weighed = _weighed(pattern, v, o, bound)
    reason = later("the pattern does not weigh what a projection of this family gives into what another takes.")
    if v is None or o is None or weighed is None:
        found["v"].add(None, reason=reason)
        found["z"].add(None, reason=reason)
        return
    columns, gap = weighed
    is_whole = v.gave is not None and len(columns) == v.gave.shape[-1]
    found["v"].add(Location(v.module, "output", None if is_whole else columns), gap)
    found["z"].add(input_of(o.module), gap)


def _weighed(pattern: Tensor, v: ModuleCall | None, o: ModuleCall | None, bound: float) -> tuple[Tensor, float] | None:
    if v is None or o is None or v.gave is None or o.got is None or v.gave.dim() != 3:
        return None
    return value_columns(pattern, v.gave, o.got, bound)


def _self_replacement_gaps(
    model: PreTrainedModel, token_ids: Tensor, found: Mapping[SiteName, _Found], bound: float
) -> dict[SiteName, float]:
    """What changes in the logits, in their sd, where the rows of sites are replaced by copies of themselves.

    All sites at once first: a pass for each is made only where that changes something.
    """
    plain = forward(model, token_ids, last_only=False).logits[0]

    def gap(*names: SiteName) -> float:
        hooks = (hook for name in names for hook in replace_hooks(found[name].locations, _copied))
        with put_on(hooks):
            return in_deviations(forward(model, token_ids, last_only=False).logits[0], plain)

    rows: list[SiteName] = [name for name in SITE_NAMES if name != "pattern" and any(found[name].locations)]
    together = gap(*rows)
    return dict.fromkeys(rows, together) if together <= bound else {name: gap(name) for name in rows}


def _copied(_layer: int, rows: Tensor) -> Tensor:
    return rows.clone()


def _self_edit_gap(model: PreTrainedModel, token_ids: Tensor, locations: list[Location | None]) -> float:
    """What changes in the logits, in their sd, where each pattern is made anew and used as it is."""
    plain = forward(model, token_ids, last_only=False).logits[0]
    with edited_patterns([None if each is None else each.module for each in locations], lambda _layer, own: own):
        return in_deviations(forward(model, token_ids, last_only=False).logits[0], plain)
