"""Run an experiment: part after part, so that each can be shown as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_tracker.errors import InputError, ModelError
from llm_tracker.experiments.attribution import Name, attribution
from llm_tracker.experiments.contexts import Setting, setting_of
from llm_tracker.experiments.frozen_route import frozen_route
from llm_tracker.experiments.hand_over import Patching, stream_grid, stream_hand_over
from llm_tracker.experiments.head_patches import heads_of
from llm_tracker.experiments.knock_out import knock_outs
from llm_tracker.experiments.minimal_pairs import named_pair, read_pair, verdict_pair
from llm_tracker.experiments.probe import probe_of
from llm_tracker.experiments.scored_conditions import ConditionScores, in_order, lens_curves
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import Condition, conditions_of
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.findings import Attribution, ExactCheck, Pair, Unavailable
from llm_tracker.experiments.values.parts import USUAL, PartName, require_layers, require_parts
from llm_tracker.experiments.values.shapes import READ_BY_LAYER
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import TokensRead, counting
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.provenance import is_of, model_info, versions
from llm_tracker.tracing.session import Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_WORDINGS = 4


@dataclass(frozen=True, eq=False)
class Progress:
    """An experiment as far as it has come."""

    found: Experiment
    part: PartName
    """What is being run."""
    share: float
    """Of the whole that is done, in [0, 1]."""
    begins: bool
    """Whether the part has just begun: what was found is whole."""


def stream_experiment(
    model: LoadedModel,
    session: Session,
    turn: int,
    case: Case,
    only: Collection[str] = USUAL,
    n_wordings: int = N_WORDINGS,
    stop: Callable[[], bool] = lambda: False,
    begun: Experiment | None = None,
    window: Span | None = None,
) -> Generator[Progress, None, Experiment]:
    """What the correction of a session's turn did, yielded part by part.

    `only` names the parts to run; with fewer `n_wordings` each condition is asked in fewer ways. With an experiment on
    the same case that was `begun`, the parts are added to it. `window` are the layers, first and last, in which words
    are hidden (all unless given). Raises InputError for an unknown part and where no experiment can be made of this
    session; Cancelled where `stop` says so.
    """
    parts = require_parts(only)
    if window is not None:
        require_layers(len(model.layers), window)
    run = _Run(model, setting_of(model, session, turn), case, n_wordings, stop, window)
    found = Experiment(model_info(model), session.recipe, case, turn, versions())
    if begun is not None:
        _require_same(model, begun, found)
        found = begun
    found = replace(found, text_length=len(run.setting.prompt(case.correction).token_ids))
    began, counter = time.monotonic() - found.seconds, TokensRead(found.tokens_read)
    for at, name in enumerate(parts):
        yield Progress(found, name, at / len(parts), True)
        steps = run.part(name, found)
        while True:
            with counting(counter):
                change = next(steps, None)
            if change is None:
                break
            found = replace(found, **change, tokens_read=counter.n, seconds=time.monotonic() - began)
            yield Progress(found, name, at / len(parts), False)
    return replace(found, seconds=time.monotonic() - began)


def _require_same(model: LoadedModel, begun: Experiment, new: Experiment) -> None:
    """Raise InputError where the experiment that was begun is another one than would be made now."""
    if not is_of(model, begun.model):
        raise InputError(say("The experiment that was begun was made with other weights. Begin a new one."))
    if (begun.case, begun.turn, begun.recipe) != (new.case, new.turn, new.recipe):
        raise InputError(
            say("The experiment that was begun is about another correction or other words. Begin a new one.")
        )


Changes = Iterator[dict[str, Any]]
"""What is new in an experiment: fields of it."""


@dataclass(eq=False)
class _Run:
    """What the parts of one experiment share."""

    model: LoadedModel
    setting: Setting
    case: Case
    n_wordings: int
    stop: Callable[[], bool]
    window: Span | None = None
    patchings: dict[Pair, Patching] = field(default_factory=dict)
    scores: ConditionScores | None = None

    def part(self, name: PartName, found: Experiment) -> Changes:
        """Run one part; a part that is not to be had says why in its place."""
        try:
            yield from _PARTS[name](self, found)
        except (InputError, ModelError) as error:
            if _FIELDS.get(name) is None:
                raise
            yield {_FIELDS[name]: Unavailable(str(error))}

    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of the case, in all their wordings."""
        return conditions_of(self.case, self.n_wordings)

    def patching(self, pair: Pair) -> Patching:
        """A pair that is read with states of the one in the other."""
        if pair not in self.patchings:
            self.patchings[pair] = Patching(self.model, read_pair(self.setting, self.case, pair), self.stop)
        return self.patchings[pair]


def _hand_over(run: _Run, found: Experiment) -> Changes:
    yield from _path(run, found, named_pair(run.case), "hand_over")


def _verdict(run: _Run, found: Experiment) -> Changes:
    yield from _path(run, found, verdict_pair(), "verdict")


def _path(run: _Run, found: Experiment, pair: Pair, name: str) -> Changes:
    patching = run.patching(pair)
    if (too_small := patching.too_small()) is not None:
        yield {name: too_small}
        return
    steps = stream_hand_over(patching)
    while True:
        try:
            yield {name: next(steps)}
        except StopIteration as ended:
            yield _checked(found, name, ended.value)
            return


def _conditions(run: _Run, found: Experiment) -> Changes:
    run.scores = ConditionScores(run.setting, run.case)
    yield from _scored(found, run.scores, [each for each in run.conditions() if _is_first(each)], run.stop)


def _is_first(condition: Condition) -> bool:
    """Whether it is the first wording of a condition, or one of the reader's own."""
    return condition.paraphrase == 0 or condition.name == "user"


def _paraphrases(run: _Run, found: Experiment) -> Changes:
    scores = run.scores or ConditionScores(run.setting, run.case)
    conditions = [each for each in run.conditions() if not _is_first(each) or run.scores is None]
    if conditions:
        yield from _scored(found, scores, conditions, run.stop)


def _scored(
    found: Experiment, scores: ConditionScores, conditions: Sequence[Condition], stop: Callable[[], bool]
) -> Changes:
    """Conditions scored; those that were found before in other wordings stay."""
    for _ in scores.score(conditions, stop=stop):
        pass
    new = scores.scores()
    asked = {each.condition for each in new}
    yield {"conditions": in_order([*new, *(each for each in found.conditions if each.condition not in asked)])}


def _lens(run: _Run, _found: Experiment) -> Changes:
    first = [each for each in run.conditions() if each.paraphrase == 0 and each.name in READ_BY_LAYER]
    said = {each.text for each in first if each.name == "user"}
    wanted = [each for each in first if each.name == "user" or each.text not in said]
    yield {"lens": lens_curves(run.setting, run.case, wanted, run.stop)}


def _knock_out(run: _Run, found: Experiment) -> Changes:
    prompt = run.setting.prompt(run.case.correction)
    probe = probe_of(run.model, prompt, run.case)
    yield _checked(found, "knock_outs", knock_outs(run.model, prompt, probe, run.window, run.stop))


def _heads(run: _Run, found: Experiment) -> Changes:
    patching = run.patching(named_pair(run.case))
    too_small = patching.too_small()
    yield {"heads": too_small} if too_small else _checked(found, "heads", heads_of(run.model, patching, stop=run.stop))


def _frozen(run: _Run, found: Experiment) -> Changes:
    prompt = run.setting.prompt(run.case.correction)
    yield _checked(found, "frozen_route", frozen_route(run.model, prompt, probe_of(run.model, prompt, run.case)))


def _checked(found: Experiment, name: str, part: Any) -> dict[str, Any]:
    """A part with its checks, or why it cannot be had: what does not pass them is not shown."""
    if isinstance(part, Unavailable):
        return {name: part}
    value, checks = part
    if failed := next((check for check in checks if not check.ok), None):
        value = Unavailable(
            say(
                "What has to hold exactly does not hold in this family ({name}: off by {gap}, allowed "
                "{bound}), so that its numbers would say something else.",
                name=say(failed.name),
                gap=number(failed.gap, ".2g"),
                bound=number(failed.bound, "g"),
            )
        )
    return {name: value, "checks": _with_checks(found, checks)}


def _with_checks(found: Experiment, checks: Sequence[ExactCheck]) -> tuple[ExactCheck, ...]:
    """All checks, with new ones in the place of earlier ones of the same name."""
    names = {check.name for check in checks}
    return (*(check for check in found.checks if check.name not in names), *checks)


def _attribution(run: _Run, found: Experiment) -> Changes:
    texts: dict[Name, Condition] = {
        "before": Condition("baseline", ""),
        "asked_again": next(each for each in run.conditions() if each.name == "asked_again"),
        "after": Condition("user", run.case.correction),
    }
    several: list[Attribution] = []
    checks: list[ExactCheck] = []
    for name, condition in texts.items():
        prompt = run.setting.prompt_of(condition)
        probe = probe_of(run.model, prompt, run.case)
        part = attribution(run.model, name, prompt, probe, with_words=name == "after", stop=run.stop)
        if isinstance(part, Unavailable):
            yield {"attributions": part}
            return
        several.append(part[0])
        checks += part[1]
    yield {"attributions": tuple(several), "checks": _with_checks(found, checks)}


def _grid(run: _Run, found: Experiment) -> Changes:
    path = found.hand_over
    if path is None or isinstance(path, Unavailable):
        return
    steps = stream_grid(run.patching(path.pair))
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            yield {"hand_over": replace(path, grid=ended.value)}
            return


_PARTS: dict[PartName, Callable[[_Run, Experiment], Changes]] = {
    "hand_over": _hand_over,
    "conditions": _conditions,
    "knock_out": _knock_out,
    "heads": _heads,
    "lens": _lens,
    "attribution": _attribution,
    "frozen_route": _frozen,
    "verdict": _verdict,
    "paraphrases": _paraphrases,
    "grid": _grid,
}

_FIELDS: dict[PartName, str] = {
    "hand_over": "hand_over",
    "knock_out": "knock_outs",
    "heads": "heads",
    "lens": "lens",
    "attribution": "attributions",
    "frozen_route": "frozen_route",
    "verdict": "verdict",
}
"""Where a part says why it cannot be had; without the conditions there is no experiment."""
