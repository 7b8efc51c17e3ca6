"""The logit lens of a session's answers: which steps are read, and for which words."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from llm_tracker.analysis.lens.tables import with_lens
from llm_tracker.errors import Cancelled, InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.tracing.provenance import require_same_weights
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.steps import require_step_of
from llm_tracker.tracing.trace import Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

Purpose = Literal["answered", "compared", "saved"]
"""What lenses are read for: to show an answer at once, to compare it with others, or to keep all of it."""


def lens_steps(turn: Turn, purpose: Purpose) -> set[int]:
    """The steps of a turn that get a lens. What a view asks for besides is read by `with_step_lens`.

    A first answer is waited for and has nothing to be compared with: only the step that carries it is read. Answers
    are compared at their first position; a step that was read before stays read, for new words too.
    """
    if purpose == "saved":
        return set(range(turn.trace.n_steps))
    if purpose == "answered":
        return {turn.answer_step}
    return {turn.first_step, turn.answer_step, *turn.trace.lens}


def with_lenses(
    model: LoadedModel, session: Session, purpose: Purpose, watch_words: Sequence[str] | None = None
) -> Session:
    """The session with the lenses that this purpose needs, in all turns and controls, for its watch words.

    `watch_words` take the place of the session's own. Raises InputError where the model has other weights than those
    that gave the answers.
    """
    require_same_weights(model, session)
    words = session.watch_words if watch_words is None else tuple(watch_words)

    def read(turn: Turn) -> Trace:
        return with_lens(model, turn.trace, lens_steps(turn, purpose), words)

    return replace(session.with_traces(read), watch_words=words)


def with_watch_word(model: LoadedModel, session: Session, word: str) -> Session:
    """The session with one more word followed through every turn. Raises InputError for one without tokens."""
    if not word.strip():
        raise InputError(say("The watch word is empty. Type one."))
    require_plain([word])
    return with_lenses(model, session, "compared", several_words(session.watch_words, word.strip()))


def with_step_lens(model: LoadedModel, session: Session, turn: int, step: int) -> Session:
    """The session with the lens of one more step of a turn. Raises InputError for a turn or step that is not there."""
    require_same_weights(model, session)
    require_step(session, turn, step)
    turns = list(session.turns)
    trace = with_lens(model, turns[turn].trace, [step], session.watch_words)
    turns[turn] = replace(turns[turn], trace=trace)
    return replace(session, turns=tuple(turns))


def require_step(session: Session, turn: int, step: int) -> None:
    """Raise InputError for a turn, or a step of its answer, that is not there; both are counted from 0."""
    if not 0 <= turn < len(session.turns):
        raise InputError(
            say("There is no turn {turn}: the session has turns 0 to {last}.", turn=turn, last=len(session.turns) - 1)
        )
    require_step_of(session.turns[turn].trace, step)


def with_all_lenses(model: LoadedModel, session: Session) -> Session:
    """The session with the lens of every step of every turn, as saving needs it."""
    return with_lenses(model, session, "saved")


STEPS_AT_ONCE = 8
"""Steps that are read between two looks at whether to stop."""


def stream_all_lenses(
    model: LoadedModel, session: Session, stop: Callable[[], bool] = lambda: False
) -> Generator[float, None, Session]:
    """The same, yielding the share that is done. Raises Cancelled where `stop` says so."""
    require_same_weights(model, session)
    n_all, n_done, traces = sum(turn.trace.n_steps for turn in session.all_turns), 0, dict[int, Trace]()
    for turn in session.all_turns:
        trace = turn.trace
        for first in range(0, trace.n_steps, STEPS_AT_ONCE):
            if stop():
                raise Cancelled(say("Stopped before all layers were read. Nothing was changed."))
            steps = range(first, min(first + STEPS_AT_ONCE, trace.n_steps))
            trace = with_lens(model, trace, steps, session.watch_words)
            n_done += len(steps)
            yield n_done / n_all
        traces[id(turn)] = trace
    return session.with_traces(lambda turn: traces[id(turn)])


def several_words(words: Iterable[str | None], *more: str | None) -> tuple[str, ...]:
    """All of the words that are there, each once, in their order."""
    return tuple(dict.fromkeys(word for word in (*words, *more) if word))
