"""The figures of a whole session, as its report has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from llm_tracker.analysis.layers import lead
from llm_tracker.experiments.values.records import experiment_of
from llm_tracker.figures.correction.views import experiment_figures
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.sides import sides_for
from llm_tracker.figures.views import figure
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session


def overview(session: Session) -> list[Figure]:
    """For each correction the answer before it and the one after: candidates, layers, attention, tokens, heads.

    And what the correction did, where that was found out. Of a session with one answer, that alone. Nothing needs the
    model. What an answer has not is left out: attention, or of a very long one the heads of its later tokens.
    """
    if len(session.turns) == 1:
        return list(_views(session, 0, None))
    pairs = [
        (turn, each)
        for turn in range(1, len(session.turns))
        for each in (*_views(session, turn, turn - 1), *_found_out(session, turn))
    ]
    if len(session.turns) == 2:
        return [each for _, each in pairs]
    return [replace(each, title=say("Correction {n}: {title}", n=turn, title=each.title)) for turn, each in pairs]


def _found_out(session: Session, turn: int) -> list[Figure]:
    """What the correction of a turn did, where that was found out."""
    record = session.experiments.get(turn)
    return [] if record is None else experiment_figures(experiment_of(record))


def _views(session: Session, turn: int, against: int | None) -> Iterator[Figure]:
    yield figure(session, "candidates", turn, against)
    yield figure(session, "layers", turn, against, measure="lead" if _has_lead(session, turn, against) else "prob")
    yield figure(session, "curves", turn, against)
    answers = [side for side in sides_for(session, turn, against) if side.name != "again"]
    if answers[-1].turn.trace.attending_layers:
        yield figure(session, "attention", turn, against)
        if answers[-1].step < len(answers[-1].turn.trace.attention):
            yield figure(session, "heads", turn, against)
    yield figure(session, "tokens", turn, against)


def _has_lead(session: Session, turn: int, against: int | None) -> bool:
    """Whether the first two watch words can be told apart on all sides."""
    words, sides = session.watch_words, sides_for(session, turn, against)
    return len(words) > 1 and all(lead(side, words[0], words[1]) is not None for side in sides)
