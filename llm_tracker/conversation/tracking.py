"""Ask, correct, and keep what happened: the functions that page, command line and notebook share."""

from __future__ import annotations

import platform
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from llm_tracker.analysis.lens.tables import with_lens
from llm_tracker.errors import Cancelled, InputError
from llm_tracker.progress import ended
from llm_tracker.prompts.continuation import continuation
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import CONTROL_TEXT, Message, Recipe, recipe_messages
from llm_tracker.prompts.rendering import prompt_of_ids, render_prompt, require_plain
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.tracing.answers import answer_word_of, word_named_in
from llm_tracker.tracing.run import TokenEvent, run_turn
from llm_tracker.tracing.session import Decoding, ModelInfo, Session, Turn
from llm_tracker.tracing.trace import Trace

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
) -> Session:
    """Ask a question, correct the answer (each correction is a further turn), and return all of it as a session.

    `question` is text, or token ids with the recipe "raw". `recipe` is "one-word" (a system line and five worked
    examples), "chat", "raw" (the text as typed), or the messages that go in front. Without a temperature the decoding
    is greedy. `watch_words` are followed through all layers whether said or not, besides the first answer and the
    word that a correction names. With `control`, each corrected turn is run once more with the neutral "Answer the
    question again." in the correction's place: what changes there too, the correction is not needed for. The lens of
    every step is computed, so that the session can be saved.

    Raises InputError for text that the model can't be given.
    """
    decoding = Decoding(max_new_tokens, temperature, top_p, seed)
    session = begin_session(model, recipe, decoding, _several(watch_words))
    for text in (question, *_several(corrections)):
        session = ended(stream_turn(model, session, text))
    for turn in range(len(session.turns)):
        if control and session.lacks_control(turn):
            session = ended(stream_control(model, session, turn))
    return with_all_lenses(model, session)


def begin_session(
    model: LoadedModel, recipe: Recipe = "one-word", decoding: Decoding | None = None, watch_words: Iterable[str] = ()
) -> Session:
    """A session without a turn yet. Raises InputError for an unknown recipe."""
    name, messages = recipe_messages(recipe)
    watched = tuple(dict.fromkeys(watch_words))
    require_plain(watched)
    return Session(
        model=model_info(model),
        recipe=name,
        recipe_messages=messages,
        decoding=decoding or Decoding(),
        watch_words=watched,
        versions=versions(),
    )


def stream_turn(
    model: LoadedModel, session: Session, text: str | Sequence[int], stop: Callable[[], bool] = lambda: False
) -> Generator[TokenEvent, None, Session]:
    """Run the session's next turn, yielding tokens as they come, and return the session with it.

    The first text is the question, each later one a correction of the answer before it. The lens of every turn's
    answer step is computed, for all watch words; that of the first generated position, where answers are compared,
    once there are two (`with_step_lens` reads it before).

    Raises InputError for text that the model can't be given; the session that was passed stays as it is.
    """
    require_same_weights(model, session)
    prompt = next_prompt(model, session, text)
    said = text if isinstance(text, str) else prompt.text
    question = session.turns[0].said if session.turns else said
    watched = _with_words(session.watch_words, word_named_in(session, said))
    turn = yield from run_turn(model, prompt, session.decoding, said, question, watched, stop)
    if session.turns:
        return _watching(model, replace(session, turns=(*session.turns, turn)), watched)
    watched = _with_words((answer_word_of(turn, special_tokens(model.tokenizer)),), *watched)
    read = replace(turn, trace=with_lens(model, turn.trace, [turn.answer_step], watched))
    return replace(session, turns=(read,), watch_words=watched)


def stream_control(
    model: LoadedModel, session: Session, turn: int, stop: Callable[[], bool] = lambda: False
) -> Generator[TokenEvent, None, Session]:
    """Run the neutral control of a corrected turn, and return the session with it.

    The conversation up to that turn is the same; in the correction's place stands "Answer the question again.".
    Raises InputError for a turn that is no correction; Cancelled where it is stopped before its end.
    """
    if not 0 < turn < len(session.turns):
        raise InputError(f"Turn {turn} has no control: corrections are turns 1 to {len(session.turns) - 1}.")
    require_same_weights(model, session)
    earlier = replace(session, turns=session.turns[:turn])
    prompt = next_prompt(model, earlier, CONTROL_TEXT)
    question = session.turns[0].said
    control = yield from run_turn(model, prompt, session.decoding, CONTROL_TEXT, question, session.watch_words, stop)
    if control.ended == "stopped":
        raise Cancelled("The control was stopped before its end. The correction's own answer stays as it is.")
    whole = replace(session, controls={**session.controls, turn: control})
    return _watching(model, whole, session.watch_words)


def next_prompt(model: LoadedModel, session: Session, text: str | Sequence[int]) -> Prompt:
    """What the model reads in the session's next turn. Raises InputError for text that can't be used."""
    if not isinstance(text, str):
        if session.recipe != "raw" or session.turns:
            raise InputError("Token ids can only be a first question, with the recipe “raw”. Give text instead.")
        return prompt_of_ids(model.tokenizer, [int(token_id) for token_id in text])
    if not text.strip():
        raise InputError("The correction is empty. Type one." if session.turns else "The question is empty. Type one.")
    if session.recipe == "raw" and session.turns:
        _require_typed(model, session.turns[0])
    messages = _next_messages(model, session, text)
    return render_prompt(model.tokenizer, session.recipe, messages, len(session.recipe_messages))


def _require_typed(model: LoadedModel, first: Turn) -> None:
    """Refuse to go on as text where the question was token ids that its text does not give back."""
    again = render_prompt(model.tokenizer, "raw", [Message("user", first.said)], 0)
    if again.token_ids != first.prompt.token_ids:
        raise InputError("A question of token ids cannot be corrected as text. Give the whole conversation as ids.")


def _next_messages(model: LoadedModel, session: Session, text: str) -> list[Message]:
    """The conversation so far, as it was said (a folded system line is folded anew), and the new text."""
    messages = list(session.recipe_messages)
    for turn in session.turns:
        answer = _exact_answer(model, turn) if session.recipe == "raw" else turn.answer
        messages += [Message("user", turn.said), Message("assistant", answer)]
    return [*messages, Message("user", text)]


def _exact_answer(model: LoadedModel, turn: Turn) -> str:
    """The answer's text with its outer white space, without special tokens: how raw text goes on."""
    special = special_tokens(model.tokenizer)
    spoken = [int(token_id) for token_id in turn.trace.token_ids if token_id not in special]
    return continuation(model.tokenizer, turn.prompt.token_ids, spoken)[0]


def with_answer_step(session: Session, turn: int, step: int) -> Session:
    """The session with a turn's answer step chosen by hand. Raises InputError for a step that is not there."""
    n_steps = session.turns[turn].trace.n_steps
    if not 0 <= step < n_steps:
        raise InputError(f"There is no step {step} in turn {turn}: its answer has steps 0 to {n_steps - 1}.")
    turns = list(session.turns)
    turns[turn] = replace(turns[turn], answer_step=step)
    return replace(session, turns=tuple(turns))


def with_watch_word(model: LoadedModel, session: Session, word: str) -> Session:
    """The session with one more word followed through every turn. Raises InputError for one without tokens."""
    if not word.strip():
        raise InputError("The watch word is empty. Type one.")
    require_plain([word])
    require_same_weights(model, session)
    return _watching(model, session, _with_words(session.watch_words, word.strip()))


def with_step_lens(model: LoadedModel, session: Session, turn: int, step: int) -> Session:
    """The session with the lens of one more step of a turn, as a view asks for it."""
    require_same_weights(model, session)
    turns = list(session.turns)
    trace = with_lens(model, turns[turn].trace, [step], session.watch_words)
    turns[turn] = replace(turns[turn], trace=trace)
    return replace(session, turns=tuple(turns))


def with_all_lenses(model: LoadedModel, session: Session) -> Session:
    """The session with the lens of every step of every turn, as saving needs it."""
    require_same_weights(model, session)
    words = session.watch_words
    return session.with_traces(lambda turn: with_lens(model, turn.trace, range(turn.trace.n_steps), words))


def _watching(model: LoadedModel, session: Session, words: Sequence[str]) -> Session:
    """The session with these words watched at the first position, the answer step, and wherever a lens was read."""
    watched = tuple(words)

    def viewed(turn: Turn) -> Trace:
        return with_lens(model, turn.trace, {0, turn.answer_step, *turn.trace.lens}, watched)

    return replace(session.with_traces(viewed), watch_words=watched)


def _with_words(words: Iterable[str | None], *more: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in (*words, *more) if word))


def _several(texts: Iterable[str]) -> Iterable[str]:
    """A single text given where several may be is one text, not its letters."""
    return (texts,) if isinstance(texts, str) else texts


def require_same_weights(model: LoadedModel, session: Session) -> None:
    """Refuse to read a session's answers, or to go on with them, with other weights than those that gave them.

    A name stays while what it stands for changes: a checkpoint that is trained on, a branch of the hub that moves.
    Raises InputError.
    """
    if session.turns and session.model.weights_sha256 != model.weights_sha256:
        raise InputError(
            f"These answers were given by other weights than those that are loaded now as {model.entry.title}. "
            "Ask the question again, and its answer can be looked into and corrected."
        )


def model_info(model: LoadedModel) -> ModelInfo:
    """The record of a loaded model that a session keeps."""
    architecture = model.architecture
    return ModelInfo(
        id=model.id,
        title=model.entry.title,
        path=str(model.directory) if model.directory else None,
        model_type=architecture.model_type,
        adapter=model.adapter.name,
        n_layers=architecture.n_layers,
        n_heads=architecture.n_heads,
        d_model=architecture.d_model,
        vocab_size=architecture.vocab_size,
        dtype=model.dtype,
        device=model.device,
        revision=model.revision,
        weights_sha256=model.weights_sha256,
        notices=model.notices,
        kernels=model.way.kernel_names,
    )


def versions() -> dict[str, str]:
    """What computed a session's numbers."""
    packages = {"llm_tracker": "llm-inference-tracker", "transformers": "transformers", "torch": "torch"}
    return {"python": platform.python_version()} | {key: _version_of(package) for key, package in packages.items()}


@cache
def _version_of(package: str) -> str:
    """An installed package's version; reading it takes milliseconds."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "from a checkout"
