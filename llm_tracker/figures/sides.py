"""The sides of a view, by the numbers of their turns and steps."""

from __future__ import annotations

from llm_tracker.analysis.compare import Side
from llm_tracker.errors import InputError
from llm_tracker.tracing.session import Session, Turn


def sides_for(
    session: Session,
    turn: int,
    against: int | Turn | None,
    step: int | None = None,
    against_step: int | None = None,
    control: bool = False,
) -> tuple[Side, ...]:
    """The sides of a view: one answer, or another one before it, and the control of the later where it belongs."""
    at = _turn_at(session, turn)
    if control and not at:
        raise InputError("The first answer has no control: nothing was corrected yet.")
    if control and at not in session.controls:
        raise InputError(f"Turn {at} has no control: ask with control=True (--control), and it has one.")
    own = session.controls[at] if control else session.turns[at]
    if against is None:
        return (Side("before", own, _step_of(own, step, own.answer_step)),)
    other = against if isinstance(against, Turn) else session.turns[_turn_at(session, against)]
    sides = [
        Side("before", other, _step_of(other, against_step, other.first_step)),
        Side("after", own, _step_of(own, step, own.first_step)),
    ]
    neutral = session.controls.get(at)
    if neutral is not None and not control and (step, against_step) == (None, None):
        sides.append(Side("again", neutral, neutral.first_step))
    return tuple(sides)


def _turn_at(session: Session, turn: int) -> int:
    n_turns = len(session.turns)
    if not -n_turns <= turn < n_turns:
        raise InputError(f"There is no turn {turn}: the session has turns 0 to {n_turns - 1}.")
    return turn % n_turns


def _step_of(turn: Turn, wanted: int | None, default: int) -> int:
    if wanted is not None and not 0 <= wanted < turn.trace.n_steps:
        raise InputError(f"There is no step {wanted}: this answer has steps 0 to {turn.trace.n_steps - 1}.")
    return default if wanted is None else wanted
