"""The sides of a view, by the numbers of their turns and steps."""

from __future__ import annotations

from llm_tracker.analysis.compare import Side, model_names
from llm_tracker.analysis.paths import of_one_answer
from llm_tracker.errors import InputError
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.steps import require_step_of
from llm_tracker.tracing.whole_words import Place


def sides_for(
    session: Session,
    turn: int,
    against: int | None,
    step: int | None = None,
    against_step: int | None = None,
    control: bool = False,
    other: Session | None = None,
    compare_at: Place = "first",
) -> tuple[Side, ...]:
    """The sides of a view: one answer, or another one before it, and the control of the later where it belongs.

    The turn `against` is one of the `other` session, where that is given. Two answers are compared at their first
    tokens, or with `compare_at` “answer” at those that carry them, unless their steps are given: then no control is
    like them. Nor is it where the turn neither corrects the other one nor corrects the same answer.
    """
    at = _turn_at(session, turn)
    if control and not at:
        raise InputError("The first answer has no control: nothing was corrected yet.")
    if control and at not in session.controls:
        raise InputError(f"Turn {at} has no control: ask with control=True (--control), and it has one.")
    own = session.controls[at] if control else session.turns[at]
    if against is None:
        return (Side("before", own, _step_of(own, step, own.answer_step)),)
    earlier = session if other is None else other
    first = _turn_at(earlier, against)
    before = earlier.turns[first]
    names = model_names((earlier, session))
    sides = [
        Side("before", before, _step_of(before, against_step, before.step_at(compare_at)), names[0]),
        Side("after", own, _step_of(own, step, own.step_at(compare_at)), names[1]),
    ]
    neutral = session.controls.get(at)
    is_asked = not control and (step, against_step) == (None, None)
    if neutral is not None and is_asked and of_one_answer((earlier, session), (first, at)):
        sides.append(Side("again", neutral, neutral.step_at(compare_at)))
    return tuple(sides)


def _turn_at(session: Session, turn: int) -> int:
    n_turns = len(session.turns)
    if not -n_turns <= turn < n_turns:
        raise InputError(f"There is no turn {turn}: the session has turns 0 to {n_turns - 1}.")
    return turn % n_turns


def _step_of(turn: Turn, wanted: int | None, default: int) -> int:
    if wanted is None:
        return default
    require_step_of(turn.trace, wanted)
    return wanted
