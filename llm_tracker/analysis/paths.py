"""What an answer follows from: which answers are the same, and whether one corrects the other."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.tracing.session import Session, Turn

Path = tuple[object, ...]


def path(session: Session, turn: int) -> Path:
    """What an answer follows from: two turns with the same path are the same answer."""
    made_by = (session.model.id, session.model.weights_sha256, *_how(session))
    so_far = session.turns[: turn + 1]
    return (made_by, *((each.said, _cut_by_hand(each), tuple(each.trace.token_ids.tolist())) for each in so_far))


def of_one_answer(sessions: Sequence[Session], turns: Sequence[int]) -> bool:
    """Whether the second turn corrects the first one, or both correct the same answer: each a turn of its session."""
    before, after = (path(session, turn) for session, turn in zip(sessions, turns, strict=True))
    return turns[1] > 0 and (before == after[:-1] or before[:-1] == after[:-1])


def told(session: Session, turn: int) -> Path:
    """What was said up to an answer, and how: whatever model it was said to."""
    return (*_how(session), *(each.said for each in session.turns[: turn + 1]))


def _cut_by_hand(turn: Turn) -> Path:
    """Where a visitor stopped an answer or its thought: the same question answers otherwise then."""
    thought = turn.thought
    return (
        turn.trace.n_steps if turn.ended == "stopped" else None,
        thought.n_steps if thought is not None and thought.closed_by == "reader" else None,
    )


def _how(session: Session) -> Path:
    return (session.recipe_messages, session.recipe, session.decoding, session.template.follow, session.template.thinks)
