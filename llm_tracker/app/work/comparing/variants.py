"""A model in a number format, and what came of one conversation on several of these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from llm_tracker.analysis.across_models.runs import ModelRun
from llm_tracker.load_options import DTYPES

MOST = 4
"""Models that are compared at once."""

KEPT_BESIDE = 4
"""Runs that are kept of a conversation besides those that are asked for now: the newest."""

FORMATS = tuple(dtype for dtype in DTYPES if dtype != "auto")


@dataclass(frozen=True)
class Variant:
    """A model, as the app loads it or in a number format of its own."""

    model_id: str
    """Or what was typed, which may be no model."""
    dtype: str = ""
    """One of `FORMATS`; "" as the app loads it."""

    def __str__(self) -> str:
        """As a choice among others: `embedded`, or `bfloat16 embedded`."""
        return f"{self.dtype} {self.model_id}" if self.dtype else self.model_id

    @classmethod
    def of(cls, text: str) -> Variant:
        """What was chosen or typed."""
        dtype, _, model_id = text.strip().partition(" ")
        return cls(model_id.strip(), dtype) if dtype in FORMATS and model_id.strip() else cls(text.strip())


@dataclass(frozen=True)
class Comparing:
    """What came of a conversation on several models, as far as it has come."""

    wanted: tuple[Variant, ...] = ()
    """Those that were asked for last, in their order."""
    words: tuple[str, ...] = ()
    """What is followed on all of them."""
    runs: Mapping[Variant, ModelRun] = field(default_factory=dict)
    """The newest last."""
    failures: Mapping[Variant, str] = field(default_factory=dict)
    """Why a model has no run, or not the one that was asked for last."""

    @property
    def n_bytes(self) -> int:
        """What its runs take."""
        return sum(run.n_bytes for run in self.runs.values())

    def missing(self, wanted: Sequence[Variant], words: Collection[str]) -> tuple[Variant, ...]:
        """Of some models those without a run in which these words were followed."""
        return tuple(
            each
            for each in wanted
            if each not in self.runs or not set(words) <= set(self.runs[each].session.watch_words)
        )

    @property
    def ahead(self) -> tuple[Variant, ...]:
        """What is still to be run: neither there nor failed."""
        return tuple(each for each in self.missing(self.wanted, self.words) if each not in self.failures)

    def asked_for(self, wanted: Sequence[Variant], words: Sequence[str]) -> Comparing:
        """The same, with others asked for: what failed before is tried again."""
        return replace(self, wanted=tuple(wanted), words=tuple(words), failures={})

    def with_run(self, variant: Variant, run: ModelRun) -> Comparing:
        """The same with one run more; of those that are not asked for now only the newest stay."""
        runs = {**{each: known for each, known in self.runs.items() if each != variant}, variant: run}
        others = [each for each in runs if each not in self.wanted and each != variant]
        for oldest in others[: max(0, len(others) - KEPT_BESIDE)]:
            del runs[oldest]
        return replace(self, runs=runs)

    def with_failure(self, variant: Variant, why: str) -> Comparing:
        """The same with the reason why a model has no run."""
        return replace(self, failures={**self.failures, variant: why})
