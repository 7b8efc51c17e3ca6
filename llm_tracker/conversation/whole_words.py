"""The scores of whole words in a session's answers: which words, at which steps, and what ends them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.analysis.lens.partings import read_partings
from llm_tracker.several import several
from llm_tracker.tracing.provenance import require_same_weights
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.whole_words import Place, WordEnd
from llm_tracker.tracing.word_scoring import score_words

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def word_end(session: Session, turn: Turn, step: int) -> WordEnd:
    """What ends a word: the answer or its line where it is all of the answer; the word itself elsewhere."""
    if step != turn.first_step or session.recipe == "raw":
        return "word"
    return "line" if turn.prompt.stops_at_newline else "answer"


def with_word_scores(
    model: LoadedModel,
    session: Session,
    words: Sequence[str] | None = None,
    place: Place = "first",
    turns: Collection[int] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Session:
    """The session with the scores of whole words, and the lens where they part, in its turns and their controls.

    `words` are the session's watch words, and `turns` all of them, unless given. At the place "first" a word is scored
    as the whole answer, at "answer" as it could stand at the answer step; where a thought has no answer behind it, not
    at all; what is there is not read again. Raises InputError for a word without tokens or where the model has other
    weights than those that gave the answers, Cancelled where `stop` says so.
    """
    require_same_weights(model, session)
    wanted = session.watch_words if words is None else several(words)

    def scored(at: int, turn: Turn) -> Turn:
        step = turn.step_at(place)
        missing = [word for word in wanted if turn.score(word, step) is None]
        is_read = not missing and (step in turn.partings or not turn.scores.get(step))
        if is_read or not turn.has_answer or turn.edit or (turns is not None and at not in turns):
            return turn
        found = score_words(model, turn, missing, step, word_end(session, turn, step), stop)
        known = {**turn.scores.get(step, {}), **found}
        parted = read_partings(model, turn, list(known), step, stop)
        return replace(turn, scores={**turn.scores, step: known}, partings={**turn.partings, step: parted})

    return replace(
        session,
        turns=tuple(scored(at, turn) for at, turn in enumerate(session.turns)),
        controls={at: scored(at, turn) for at, turn in session.controls.items()},
    )
