"""One conversation as a model had it, and several of these with a name and a letter for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llm_tracker.analysis.compare import Side
from llm_tracker.tracing.session import Session

LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Parity:
    """That a model was read exactly when it was loaded: how many checks held, and the largest gap among them."""

    n_checks: int
    largest_gap: float


@dataclass(frozen=True, eq=False)
class ModelRun:
    """One conversation as one model had it. It needs no model: it stays when that is let go."""

    session: Session
    """Up to the later of the two answers that are compared, which is its last turn."""
    before: int | None = None
    """The turn that is compared with the last one; None of a question without a correction."""
    parity: Parity | None = None
    seconds: float = 0.0
    """What its answers took, loading left out."""
    word_tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By word: its tokens where the answer begins, as text."""

    @property
    def n_bytes(self) -> int:
        """What its traces take."""
        return sum(turn.trace.n_bytes for turn in self.session.all_turns)


@dataclass(frozen=True, eq=False)
class NamedRun:
    """A run among others."""

    letter: str
    """By which charts and sentences call it."""
    name: str
    """No two of the runs that are shown have the same."""
    run: ModelRun

    @property
    def n_layers(self) -> int:
        """Decoder layers of its model."""
        return self.run.session.model.n_layers

    @property
    def sides(self) -> list[Side]:
        """Its answers at their first tokens: before and after, and the control of the later one where it was run.

        One answer alone is `before`.
        """
        turns, last = self.run.session.turns, len(self.run.session.turns) - 1
        if self.run.before is None:
            return [Side("before", turns[last], turns[last].first_step, self.name)]
        before, after, control = turns[self.run.before], turns[last], self.run.session.controls.get(last)
        sides = [
            Side("before", before, before.first_step, self.name),
            Side("after", after, after.first_step, self.name),
        ]
        return sides if control is None else [*sides, Side("again", control, control.first_step, self.name)]

    def side(self, name: str) -> Side | None:
        """One of its sides; None where there is none of this name."""
        return next((side for side in self.sides if side.name == name), None)


def named(runs: Sequence[ModelRun]) -> tuple[NamedRun, ...]:
    """The runs with a letter each, and with names that tell them apart.

    A model is called by its title; one that runs in several number formats by its format too, and models that share a
    title by their ids. Runs that are alike in all of these are numbered. Raises ValueError for more runs than letters.
    """
    models = [run.session.model for run in runs]
    titles = Counter(title for title, _ in {(model.title, model.id) for model in models})
    formats = Counter(model.id for model in models)
    names = [
        f"{model.title}{f' ({model.id})' if titles[model.title] > 1 else ''}"
        f"{f', {model.dtype}' if formats[model.id] > 1 else ''}"
        for model in models
    ]
    numbers = [names[: at + 1].count(name) for at, name in enumerate(names)]
    told_apart = [name if number == 1 else f"{name} ({number})" for name, number in zip(names, numbers, strict=True)]
    return tuple(NamedRun(*each) for each in zip(LETTERS[: len(runs)], told_apart, runs, strict=True))


def format_pairs(runs: Sequence[NamedRun]) -> list[tuple[NamedRun, NamedRun]]:
    """Runs of one model in two number formats: each with the one that it is compared with.

    That is the one in float32, else the first; of two runs in one format there is nothing to compare.
    """
    pairs: list[tuple[NamedRun, NamedRun]] = []
    for model_id in dict.fromkeys(each.run.session.model.id for each in runs):
        own = [each for each in runs if each.run.session.model.id == model_id]
        reference = next((each for each in own if _dtype(each) == "float32"), own[0])
        pairs += [(each, reference) for each in own if _dtype(each) != _dtype(reference)]
    return pairs


def _dtype(named_run: NamedRun) -> str:
    return named_run.run.session.model.dtype
