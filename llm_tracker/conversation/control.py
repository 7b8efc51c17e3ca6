"""The neutral control of a correction: the same conversation, merely asked again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.lenses import with_lenses
from llm_tracker.conversation.turns import next_prompt
from llm_tracker.errors import Cancelled, InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.recipes import CONTROL_TEXT
from llm_tracker.tracing.provenance import require_same_weights
from llm_tracker.tracing.run import TokenEvent, run_turn
from llm_tracker.tracing.session import Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def stream_control(
    model: LoadedModel, session: Session, turn: int, stop: Callable[[], bool] = lambda: False
) -> Generator[TokenEvent, None, Session]:
    """Run the neutral control of a corrected turn, and return the session with it.

    The conversation up to that turn is the same; in the correction's place stands "Answer the question again.".
    Raises InputError for a turn that is no correction; Cancelled where it is stopped before its end.
    """
    if not 0 < turn < len(session.turns):
        last = len(session.turns) - 1
        if last > 0:
            raise InputError(
                say("Turn {turn} has no control: corrections are turns 1 to {last}.", turn=turn, last=last)
            )
        raise InputError(say("Turn {turn} has no control: nothing has been corrected yet.", turn=turn))
    require_same_weights(model, session)
    earlier = replace(session, turns=session.turns[:turn])
    prompt = next_prompt(model, earlier, CONTROL_TEXT)
    question = session.turns[0].said
    control = yield from run_turn(model, prompt, session.decoding, CONTROL_TEXT, question, session.watch_words, stop)
    if control.ended == "stopped":
        # Half a control would be compared with a whole answer.
        raise Cancelled(say("The control was stopped before its end. The correction's own answer stays as it is."))
    return with_lenses(model, replace(session, controls={**session.controls, turn: control}), "compared")
