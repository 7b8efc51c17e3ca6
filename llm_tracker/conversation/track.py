"""A whole conversation in one call: ask, correct, control, and read every lens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llm_tracker.conversation.control import stream_control
from llm_tracker.conversation.lenses import with_all_lenses
from llm_tracker.conversation.turns import begin_session, stream_turn
from llm_tracker.conversation.whole_words import with_word_scores
from llm_tracker.progress import ended
from llm_tracker.prompts.recipes import Recipe
from llm_tracker.several import several
from llm_tracker.tracing.session import Decoding, Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def track(
    model: LoadedModel,
    question: str | Sequence[int],
    corrections: Iterable[str] = (),
    recipe: Recipe = "one-word",
    max_new_tokens: int = 16,
    temperature: float | None = None,
    top_p: float = 1.0,
    seed: int = 0,
    watch_words: Iterable[str] = (),
    control: bool = False,
    follow_template: bool = False,
    thinking: bool | None = None,
    max_thought_tokens: int = 256,
    date: str | None = None,
) -> Session:
    """Ask a question, correct the answer (each correction is a further turn), and return all of it as a session.

    `question` is text, or token ids with the recipe "raw". `recipe` is "one-word" (a system line and five worked
    examples), "chat", "raw" (the text as typed), or the messages that go in front. Without a temperature the decoding
    is greedy. `watch_words` are followed through all layers whether said or not, besides the first answer and the
    word that a correction names. With `control`, each corrected turn is run once more with the neutral "Answer the
    question again." in the correction's place: what changes there too, the correction is not needed for. The lens of
    every step is computed, so that the session can be saved, and the score of every watch word as a whole.

    Where a chat template writes no beginning token and the tokenizer puts one in front of plain text, the text begins
    with it, as it did in training; with `follow_template` it is the template's, to the letter.

    Where a chat template has a switch for thoughts, `thinking` sets it: off for one-word answers unless given, and else
    as the template has it. A thought of `max_thought_tokens` is closed for the model, and its answer of up to
    `max_new_tokens` follows. A template that writes today's date writes `date` instead, where one is given.

    Raises InputError for text that the model can't be given, or for a thought that it does not know or cannot be kept
    from.
    """
    decoding = Decoding(max_new_tokens, temperature, top_p, seed, max_thought_tokens).require_used()
    session = begin_session(model, recipe, decoding, watch_words, follow_template, thinking, date)
    for text in (question, *several(corrections)):
        session = ended(stream_turn(model, session, text))
    for turn in range(len(session.turns)):
        if control and session.lacks_control(turn):
            session = ended(stream_control(model, session, turn))
    return with_word_scores(model, with_all_lenses(model, session))
