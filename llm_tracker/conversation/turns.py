"""The turns of a session: begin one, run the next question or correction, and say what the model reads in it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.lenses import Purpose, require_step, several_words, with_lenses
from llm_tracker.conversation.template_use import template_use
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.continuation import continuation
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import Message, Recipe, recipe_messages
from llm_tracker.prompts.rendering import prompt_of_ids, render_prompt
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.prompts.typed_text import require_plain
from llm_tracker.several import several
from llm_tracker.tracing.answers import answer_word_of, word_named_in
from llm_tracker.tracing.provenance import model_info, require_same_weights, versions
from llm_tracker.tracing.run import TokenEvent, run_turn
from llm_tracker.tracing.session import Decoding, Session, Turn

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def begin_session(
    model: LoadedModel,
    recipe: Recipe = "one-word",
    decoding: Decoding | None = None,
    watch_words: Iterable[str] = (),
    follow_template: bool = False,
    thinking: bool | None = None,
    date: str | None = None,
) -> Session:
    """A session without a turn yet, its parameters as of `track`.

    Raises InputError for the name of a model in its place, an unknown recipe, an empty watch word, no date, or a
    thought that the model does not know or cannot be kept from.
    """
    if isinstance(model, str):
        raise InputError(say("“{model}” is a name. Load it first: lt.load_model(…).", model=model))
    name, messages = recipe_messages(recipe)
    watched = tuple(dict.fromkeys(word.strip() for word in several(watch_words)))
    require_plain(watched)
    if "" in watched:
        raise InputError(say("A watch word is empty. Type one."))
    return Session(
        model=model_info(model),
        recipe=name,
        recipe_messages=messages,
        decoding=decoding or Decoding(),
        watch_words=watched,
        versions=versions(),
        template=template_use(model, name, thinking, date, follow_template),
    )


def stream_turn(
    model: LoadedModel,
    session: Session,
    text: str | Sequence[int],
    stop: Callable[[], bool] = lambda: False,
    skip: Callable[[], bool] = lambda: False,
) -> Generator[TokenEvent, None, Session]:
    """Run the session's next turn, yielding tokens as they come, and return the session with it.

    The first text is the question, each later one a correction of the answer before it. The lens of every turn's
    answer step is computed, for all watch words; that of the first generated position, where answers are compared,
    once there are two (`with_step_lens` reads it before). Once `skip` says so, a thought is closed (`run_turn`).

    Raises InputError for text that the model can't be given; the session that was passed stays as it is.
    """
    require_same_weights(model, session)
    prompt = next_prompt(model, session, text)
    said = text if isinstance(text, str) else prompt.text
    question = session.turns[0].said if session.turns else said
    watched = several_words(session.watch_words, word_named_in(session, said))
    turn = yield from run_turn(model, prompt, session.decoding, said, question, watched, stop, skip)
    if not session.turns:
        watched = several_words((answer_word_of(turn, special_tokens(model.tokenizer)),), *watched)
    purpose: Purpose = "compared" if session.turns else "answered"
    return with_lenses(model, replace(session, turns=(*session.turns, turn)), purpose, watched)


def next_prompt(model: LoadedModel, session: Session, text: str | Sequence[int]) -> Prompt:
    """What the model reads in the session's next turn. Raises InputError for text that can't be used."""
    if not isinstance(text, str):
        if session.recipe != "raw" or session.turns:
            raise InputError(say("Token ids can only be a first question, with the recipe “raw”. Give text instead."))
        return prompt_of_ids(model.tokenizer, [int(token_id) for token_id in text])
    if not text.strip():
        raise InputError(
            say("The correction is empty. Type one.") if session.turns else say("The question is empty. Type one.")
        )
    if session.recipe == "raw" and session.turns:
        _require_typed(model, session.turns[0])
    messages = _next_messages(model, session, text)
    n_recipe = len(session.recipe_messages)
    return render_prompt(model.tokenizer, session.recipe, messages, n_recipe, session.template)


def _require_typed(model: LoadedModel, first: Turn) -> None:
    """Refuse to go on as text where the question was token ids that its text does not give back."""
    again = render_prompt(model.tokenizer, "raw", [Message("user", first.said)], 0)
    if again.token_ids != first.prompt.token_ids:
        raise InputError(
            say("A question of token ids cannot be corrected as text. Give the whole conversation as ids.")
        )


def _next_messages(model: LoadedModel, session: Session, text: str) -> list[Message]:
    """The conversation so far, as it was said (a folded system line is folded anew), and the new text."""
    messages = list(session.recipe_messages)
    for turn in session.turns:
        answer = _exact_answer(model, turn) if session.recipe == "raw" else turn.answer
        messages += [Message("user", turn.said), Message("assistant", answer, turn.thought_as_written)]
    return [*messages, Message("user", text)]


def _exact_answer(model: LoadedModel, turn: Turn) -> str:
    """The answer's text with its outer white space, without special tokens: how raw text goes on."""
    special = special_tokens(model.tokenizer)
    spoken = [int(token_id) for token_id in turn.trace.token_ids if token_id not in special]
    return continuation(model.tokenizer, turn.prompt.token_ids, spoken)[0]


def with_answer_step(session: Session, turn: int, step: int) -> Session:
    """The session with a turn's answer step chosen by hand. Raises InputError for a turn or step that is not there."""
    require_step(session, turn, step)
    turns = list(session.turns)
    turns[turn] = replace(turns[turn], answer_step=step)
    return replace(session, turns=tuple(turns))
