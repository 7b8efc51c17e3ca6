"""What several models said to the same, how likely two words were to each, and that each was read exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llm_tracker.analysis.across_models.relative_depth import read_alike
from llm_tracker.analysis.across_models.runs import NamedRun, Parity
from llm_tracker.analysis.compare import Side, WordChange, word_changes
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.prompts.words import folded_answer
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import named_answer, sentence_end
from llm_tracker.wording.formats import listed
from llm_tracker.wording.headline import likelihood
from llm_tracker.wording.labels import TURN_LABELS
from llm_tracker.wording.models import read_exactly


class Told(NamedTuple):
    """A cell of the table: what it says, and the lines that stand small below."""

    text: str
    notes: tuple[str, ...] = ()


def badge(parity: Parity | None, dtype: str) -> str:
    """The parity badge of a run, as it was when its model was loaded in a number format."""
    return say("not checked here") if parity is None else read_exactly(parity.n_checks, parity.largest_gap, dtype)


def answers_cell(run: NamedRun) -> Told:
    """What a model said before → after, and what when merely asked again."""
    said = {side.name: _said(side.turn) for side in run.sides}
    text = " → ".join(said[name] for name in ("before", "after") if name in said)
    return Told(text, (f"{say(TURN_LABELS['again'])}: {said['again']}",) if "again" in said else ())


def word_cell(run: NamedRun, word: str, reference: NamedRun | None = None) -> Told:
    """The probability of a whole word before → after, merely asked again, and against another number format."""
    change = _change(run.sides, word)
    if change is None:
        return Told(say("not scored"))
    told, has_after = likelihood(change), len(run.sides) > 1
    text = f"{told(change.before)} → {told(change.after)}" if has_after else told(change.before)
    again = "" if change.again is None else f"{say(TURN_LABELS['again'])}: {told(change.again)}"
    return Told(text, tuple(filter(None, (again, _against(run, change, word, reference, has_after)))))


def _change(sides: Sequence[Side], word: str) -> WordChange | None:
    """A word's probabilities; of one answer alone its probability twice. None where it was not scored."""
    if len(sides) > 1:
        return next(iter(word_changes(sides, [word])), None)
    score = sides[0].score(word)
    return None if score is None else WordChange(word, score.prob, score.prob, None)


def _against(run: NamedRun, change: WordChange, word: str, reference: NamedRun | None, has_after: bool) -> str:
    """How many points a probability is from what it is in another number format; "" where that is not known."""
    other = None if reference is None else _change(reference.sides, word)
    if reference is None or other is None:
        return ""
    dtype = reference.run.session.model.dtype
    if not has_after:
        return say("{points} points against {dtype}", points=_points(change.before - other.before), dtype=dtype)
    told = {
        "before": _points(change.before - other.before),
        "after": _points(change.after - other.after),
        "dtype": dtype,
    }
    if not all(read_alike(*each) for each in zip(run.sides[:2], reference.sides[:2], strict=True)):
        return say("{before} points against {dtype} before; then each reads another text", **told)
    return say("{before} → {after} points against {dtype}", **told)


def _points(more: float) -> str:
    text = f"{100 * more:+.1f}"
    return "0" if text in ("+0.0", "-0.0") else number(100 * more, "+.1f")


def answers_sentence(runs: Sequence[NamedRun]) -> str:
    """Which models say the same, before and after; of one alone, what it says. "" of none."""
    alike: dict[tuple[Compared, ...], list[NamedRun]] = {}
    for each in runs:
        alike.setdefault(tuple(map(_compared, _answers(each))), []).append(each)
    if not alike:
        return ""
    told = sentence_end(_who_says(list(alike.values())))
    if any(turn.is_cut for each in runs for turn in _answers(each)):
        return f"{told} {say('An answer was cut short.')}"
    return told


def _who_says(alike: Sequence[Sequence[NamedRun]]) -> str:
    """What is said, by those who say the same."""
    if len(alike) > 1:
        return say("They answer differently: {answers}", answers="; ".join(map(_group, alike)))
    (runs,) = alike
    if len(runs) == 1:
        return say("It says {answers}", answers=_in_turn(runs[0]))
    if len(runs) == 2:
        return say("Both say {answers}", answers=_in_turn(runs[0]))
    return say("All {n} say {answers}", n=len(runs), answers=_in_turn(runs[0]))


def _group(own: Sequence[NamedRun]) -> str:
    return say_n(
        "{models} says {answers}",
        "{models} say {answers}",
        len(own),
        models=listed([each.letter for each in own]),
        answers=_in_turn(own[0]),
    )


def _answers(run: NamedRun) -> list[Turn]:
    return [side.turn for side in run.sides if side.name != "again"]


Compared = tuple[bool, str]


def _compared(turn: Turn) -> Compared:
    """An answer as it is compared: whether it came, and its text; one that did not come is none that is empty."""
    return turn.has_answer, folded_answer(turn.answer)


def _said(turn: Turn) -> str:
    if not turn.has_answer:
        return say("no answer")
    return named_answer(turn).strip() or say("nothing")


def _in_turn(run: NamedRun) -> str:
    """Its answers: “Paris” and, after the correction, “London”."""
    before, *after = _answers(run)
    if not after:
        return _said(before)
    said = {"before": _said(before), "after": _said(after[0])}
    if _compared(before) == _compared(after[0]):
        return say("{before} and, after the correction, still {after}", **said)
    return say("{before} and, after the correction, {after}", **said)
