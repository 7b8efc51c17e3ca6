"""The checks of a proof: what was compared, the gap that was found, and the largest gap that is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from llm_tracker.languages.spoken import ENGLISH, in_language
from llm_tracker.languages.texts import say
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.architecture import Architecture
from llm_tracker.models.forward.sites import Sites
from llm_tracker.models.forward.way import Way


@dataclass(frozen=True)
class Check:
    """One thing that was compared: the largest gap found, and the bound that it must not pass."""

    name: str
    ok: bool
    gap: float
    bound: float
    template: str
    """What was compared with what, marked to be said, with fields for what was counted."""
    counted: tuple[tuple[str, Any], ...] = ()
    """What is filled in there, by the name of the field."""

    @property
    def note(self) -> str:
        """What was compared with what, in the language that is spoken."""
        return say(self.template, **dict(self.counted))

    def as_dict(self) -> dict[str, Any]:
        """The record that `llm-tracker check --json` prints."""
        with in_language(ENGLISH):
            said = {"name": self.name, "ok": self.ok, "gap": self.gap, "bound": self.bound, "note": self.note}
        return {**said, "gap": json_number(self.gap)}


def checked(name: str, gap: float, bound: float, template: str, **counted: object) -> Check:
    """The check of a gap against its bound; NaN is no gap within a bound."""
    return Check(name, bool(gap <= bound), float(gap), float(bound), template, tuple(counted.items()))


@dataclass(frozen=True)
class Proof:
    """Whether a model is read exactly by its adapter; the parity badge shows it."""

    checks: tuple[Check, ...]
    """Each has to hold, or the model is refused."""
    sites: tuple[Check, ...] = ()
    """One for each site of the forward pass that was found (`forward.sites`); one that fails costs only that site."""

    @property
    def ok(self) -> bool:
        """Whether every check held."""
        return all(check.ok for check in self.checks)

    @property
    def tail_gap(self) -> float:
        """Largest gap between the adapter's logits and the model's, in standard deviations of the logits."""
        return self._gap("tail")

    @property
    def pattern_gap(self) -> float:
        """Largest gap between a live attention row and eager attention's."""
        return self._gap("live attention rows")

    def _gap(self, name: str) -> float:
        return max((check.gap for check in self.checks if check.name == name), default=float("nan"))


class Examination(NamedTuple):
    """What came of proving one adapter on one model: what it is, how it is run, whether it is read exactly, where."""

    architecture: Architecture
    way: Way
    proof: Proof
    sites: Sites

    def record(self, adapter: ModelAdapter) -> dict[str, Any]:
        """What `llm-tracker check --json` prints."""
        architecture, proof = self.architecture, self.proof
        return {
            "model_type": architecture.model_type,
            "adapter": adapter.name,
            "n_layers": architecture.n_layers,
            "ok": proof.ok,
            "tail_gap": json_number(proof.tail_gap),
            "pattern_gap": json_number(proof.pattern_gap),
            "attention": self.way.attention,
            "n_layers_with_attention": architecture.n_attention_layers,
            "has_sinks": architecture.has_sinks,
            "checks": [check.as_dict() for check in proof.checks],
            "sites": [check.as_dict() for check in proof.sites],
        }


@dataclass(frozen=True)
class Bounds:
    """Allowed gaps: rounding of the number format, no more (tried on real models, with margin)."""

    tail: float
    rows: float
    future: float
    live: float
    live_rows: float
    deep_rows: float
    kernels: float
    sites: float

    @classmethod
    def of(cls, dtype: torch.dtype) -> Bounds:
        """The bounds of a number format."""
        if dtype == torch.float32:
            return cls(
                tail=1e-4, rows=1e-5, future=1e-4, live=1e-3, live_rows=1e-4, deep_rows=1e-4, kernels=1e-4, sites=1e-4
            )
        return cls(
            tail=1e-2, rows=1e-2, future=1e-2, live=0.5, live_rows=1e-4, deep_rows=0.25, kernels=0.05, sites=5e-2
        )


def largest(gaps: Iterable[float]) -> float:
    """The largest gap, 0 of none; NaN where one is, which Python's own max would pass over."""
    return torch.tensor([0.0, *gaps]).max().item()


def json_number(gap: float) -> float | None:
    """A gap for JSON, which knows no infinity: None where the two could not even be compared."""
    return gap if math.isfinite(gap) else None
