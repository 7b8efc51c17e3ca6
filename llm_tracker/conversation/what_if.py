"""What if it had said something else: a branch of an answer, from another candidate on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.lenses import require_step, several_words, with_lenses
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.progress import ended
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.tracing.answers import answer_word_of
from llm_tracker.tracing.beginnings import beginning_with
from llm_tracker.tracing.provenance import model_info, require_same_weights, versions
from llm_tracker.tracing.run import TokenEvent, run_turn
from llm_tracker.tracing.session import Parent, Session, require_unedited

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def what_if(model: LoadedModel, session: Session, turn: int, step: int, token_id: int) -> Session:
    """The session up to a turn, whose answer says another token at a step and goes on from there.

    The turns before it stay, and its steps up to that token; from there on the model writes as it did before (its
    decoding is the session's). Raises InputError for a turn, step or token that is not there, for the token that was
    written anyway, and where the model has other weights than those that gave the answers.
    """
    return ended(stream_what_if(model, session, turn, step, token_id))


def stream_what_if(
    model: LoadedModel,
    session: Session,
    turn: int,
    step: int,
    token_id: int,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[TokenEvent, None, Session]:
    """Let an answer say another token at a step and go on from there, yielding its tokens, the earlier ones too.

    What comes back is a session of its own: the turns before, and the answer as it would have been, with `parent`
    saying where it left the other one. The steps up to the chosen token are those of the answer as it was given; from
    there on the model writes as it did before (its decoding is the session's). Raises InputError for a turn, step or
    token that is not there, and for the token that was written anyway.
    """
    require_same_weights(model, session)
    require_step(session, turn, step)
    own = session.turns[turn]
    require_unedited(own)
    if not 0 <= token_id < model.architecture.vocab_size:
        last = model.architecture.vocab_size - 1
        raise InputError(
            say("There is no token {token_id}: this model has tokens 0 to {last}.", token_id=token_id, last=last)
        )
    if token_id == int(own.trace.token_ids[step]):
        raise InputError(say("This is the token that was written. Choose another candidate."))
    branch = yield from run_turn(
        model,
        own.prompt,
        session.decoding,
        own.said,
        session.turns[0].said,
        session.watch_words,
        stop,
        beginning=beginning_with(model, own, step, token_id),
    )
    words = several_words(session.watch_words, answer_word_of(branch, special_tokens(model.tokenizer)))
    begun = replace(
        session,
        turns=(*session.turns[:turn], branch),
        controls={at: control for at, control in session.controls.items() if at < turn},
        experiments={at: record for at, record in session.experiments.items() if at < turn},
        parent=Parent(turn, step),
        model=model_info(model),
        versions=versions(),
    )
    return with_lenses(model, begun, "compared", words)
