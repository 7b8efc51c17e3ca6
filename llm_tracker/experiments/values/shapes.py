"""What the parts of an experiment have to have for its views: as many numbers as there are layers, and all controls."""

from __future__ import annotations

from collections.abc import Sized
from typing import get_args, get_type_hints

from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.experiments.values.experiment import Experiment, available
from llm_tracker.experiments.values.findings import Attribution, HandOver, KnockOuts, LensCurve

READ_BY_LAYER: frozenset[ConditionName] = frozenset(
    ("baseline", "asked_again", "user", "right", "wrong", "wrong_alternative")
)
"""The conditions that the lens is read under; of those that say the same as the correction, the correction alone."""

ATTRIBUTED: tuple[str, ...] = get_args(get_type_hints(Attribution)["name"])


def require_shapes(found: Experiment) -> None:
    """Raise ValueError where an experiment's parts do not fit together, or lack what they are measured by."""
    n_layers = found.model.n_layers
    _require(n_layers > 0, "the model has no layer")
    _require(
        not found.conditions or found.score("asked_again") is not None,
        "no condition merely asks again in its first wording",
    )
    for path in (available(found.hand_over), available(found.verdict)):
        if path is not None:
            _require_path(path, n_layers)
    for curve in available(found.lens) or ():
        _require_curve(curve, n_layers)
    if (hidden := available(found.knock_outs)) is not None:
        _require_window(hidden, n_layers)
    if (attributions := available(found.attributions)) is not None:
        names = tuple(each.name for each in attributions)
        _require(names == ATTRIBUTED, f"attributions of {', '.join(names)}, not of {', '.join(ATTRIBUTED)}")
        for each in attributions:
            _require_attribution(each, n_layers)


def _require(is_so: bool, why_not: str) -> None:
    if not is_so:
        raise ValueError(why_not)


def _require_length(of: str, several: Sized, n: int) -> None:
    _require(len(several) == n, f"{len(several)} {of} where {n} belong")


def _require_path(path: HandOver, n_layers: int) -> None:
    """A curve that has not come yet is empty."""
    _require(0 < path.n_word <= len(path.tokens), f"a word of {path.n_word} among {len(path.tokens)} tokens")
    for curve in filter(None, (path.named_word, path.between, path.answer_slot)):
        _require_length("depths of a hand-over", curve, n_layers + 1)
    if path.grid is not None:
        _require_length("depths of a grid", path.grid, n_layers + 1)
        for row in path.grid:
            _require_length("positions of a grid", row, len(path.tokens))


def _require_curve(curve: LensCurve, n_layers: int) -> None:
    _require(curve.condition.name in READ_BY_LAYER, f"the lens is not read under {curve.condition.name}")
    for numbers in (curve.lead, curve.kl_nats, curve.jsd_from_asked_again):
        _require_length("layers of a lens", numbers, n_layers)


def _require_window(found: KnockOuts, n_layers: int) -> None:
    first, last = found.layers
    _require(1 <= first <= last <= n_layers, f"words hidden in layers {first} to {last} of {n_layers}")


def _require_attribution(found: Attribution, n_layers: int) -> None:
    numbers = [layer.layer for layer in found.layers]
    _require(numbers == list(range(1, n_layers + 1)), f"an attribution's layers are not 1 to {n_layers}")
    if found.heads is not None:
        _require_length("layers of an attribution's heads", found.heads, n_layers)
    _require(bool(found.words) or not found.head_words, "an attribution's heads without its words")
    for head in found.head_words:
        _require_length("words of a head", head.words, len(found.words))
