"""The same conversation on another model, or on the same one in another number format: asked anew, word for word."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING

from llm_tracker.analysis.across_models.runs import ModelRun, Parity
from llm_tracker.analysis.lens.watch_tokens import watch_token_ids
from llm_tracker.conversation.control import stream_control
from llm_tracker.conversation.lenses import several_words, with_lenses
from llm_tracker.conversation.turns import stream_turn
from llm_tracker.conversation.whole_words import with_word_scores
from llm_tracker.errors import Cancelled
from llm_tracker.languages.texts import say
from llm_tracker.progress import ended
from llm_tracker.prompts.tokens import token_text
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.tracing.session import Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

Stop = Callable[[], bool]


def stream_same_conversation(
    model: LoadedModel,
    begun: Session,
    said: Sequence[str],
    words: Iterable[str] = (),
    before: int | None = None,
    control: bool = False,
    stop: Stop = lambda: False,
) -> Generator[float, None, ModelRun]:
    """Ask a question and tell its corrections (`said`), yielding the share that is done; the last two are compared.

    `begun` is a session of this model without a turn yet (`branch.begun_like`). `words` are followed and scored beside
    those that the session watches by itself; `before` is the turn that is compared with the last one, whose neutral
    control is run with `control`. Raises InputError for text or words that the model can't be given, Cancelled where
    `stop` says so: half a conversation would be compared with whole ones.
    """
    followed = [word.strip() for word in words]
    require_plain(followed)
    session, n_parts = begun, len(said) + control + 1
    began, seconds = time.monotonic(), 0.0
    for at, text in enumerate(said):
        session = ended(stream_turn(model, session, text, stop))
        seconds = time.monotonic() - began
        if stop():
            raise Cancelled(say("Stopped before the whole conversation was had."))
        yield (at + 1) / n_parts
    last = len(said) - 1
    if control and session.lacks_control(last):
        session = ended(stream_control(model, session, last, stop))
        yield (n_parts - 1) / n_parts
    session = with_lenses(model, session, "compared", several_words(session.watch_words, *followed))
    compared = {last} if before is None else {before, last}
    session = with_word_scores(model, session, turns=compared, stop=stop)
    first = last if before is None else before
    tokens = {word: _tokens(model, session, first, word) for word in session.watch_words}
    return ModelRun(session, before, parity_of(model), seconds, tokens)


def parity_of(model: LoadedModel) -> Parity:
    """The proof that a model is read exactly, as a run keeps it."""
    checks = model.proof.checks
    return Parity(len(checks), max(check.gap for check in checks))


def _tokens(model: LoadedModel, session: Session, turn: int, word: str) -> tuple[str, ...]:
    """A word's tokens where the answer of a turn begins."""
    answered = session.turns[turn]
    ids = watch_token_ids(model, answered.trace, word, answered.first_step)
    return tuple(token_text(model.tokenizer, each) for each in ids)
