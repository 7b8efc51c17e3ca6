"""The code that gives a view of the page again: lines of Python, and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_tracker.analysis.compare import Side
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.export.copy_as import ViewCall, as_command, as_python
from llm_tracker.figures.views import NEED_THE_MODEL

CopyTexts = tuple[str, str]
"""Lines of Python, and commands."""


def copy_texts(
    comparison: Comparison, sides: Sequence[Side], view: str, difference: bool = False, **options: Any
) -> CopyTexts:
    """What gives the view of these sides again; `options` are keywords of `lt.figure`."""
    answers = [side for side in sides if side.name != "again"]
    of_control = not answers
    own = answers[-1] if answers else sides[-1]
    at = len(comparison.refs) - 1 if own.name in ("after", "again") else 0
    session, turn = comparison.sessions[at], comparison.refs[at].turn
    is_pair = len(answers) > 1
    is_elsewhere = is_pair and comparison.refs[0].session != comparison.refs[1].session
    call = ViewCall(
        view,
        turn,
        comparison.refs[0].turn if is_pair else None,
        {**_steps(sides, answers, is_pair), "control": of_control, "difference": difference, **options},
        needs_model=view in NEED_THE_MODEL or bool(options.get("weighed")),
    )
    other = comparison.sessions[0] if is_elsewhere else None
    return as_python(session, call, other), as_command(session, call, other)


def _steps(sides: Sequence[Side], answers: Sequence[Side], is_pair: bool) -> dict[str, Any]:
    """What says which tokens are looked at, where they are not those that the view would take by itself."""
    if not is_pair:
        own = answers[-1] if answers else sides[-1]
        return {} if own.step == own.turn.answer_step else {"step": own.step}
    steps = [side.step for side in answers]
    # Where steps are given no control is drawn; where a place is said, it is, if the session has one.
    if any(side.name == "again" for side in sides):
        at_first = all(side.step == side.turn.first_step for side in sides)
        return {} if at_first else {"compare_at": "answer"}
    return {"step": steps[1], "against_step": steps[0]}
