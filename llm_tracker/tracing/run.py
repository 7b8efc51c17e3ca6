"""Run one turn: prompt -> tokens as they come -> Turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llm_tracker.errors import InputError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.continuation import Continuation
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.prompts.tokens import special_tokens, token_text
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.answers import answer_step_of, behind
from llm_tracker.tracing.beginnings import Beginning
from llm_tracker.tracing.decoding import Step, decode, end_token_ids
from llm_tracker.tracing.phases import Phase, Phases
from llm_tracker.tracing.recorder import Recorder
from llm_tracker.tracing.session import Decoding, Ending, Turn
from llm_tracker.tracing.trace import Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_CONTEXT_TOKENS = 8
"""Prompt tokens that `Trace.before` spans: enough to tokenise a word as the model would go on."""


@dataclass(frozen=True)
class TokenEvent:
    """A token, as soon as it is there."""

    step: int
    token: str
    prob: float
    text: str
    """The answer so far, special tokens included."""
    is_end: bool
    """Whether the model ended its answer with it."""
    thought: str = ""
    """The thought so far, without its marks."""
    phase: Phase = "answer"
    """What is being written: a thought, or the answer."""
    n_thought: int = 0
    """Tokens of the thought so far, its marks included."""


def run_turn(
    model: LoadedModel,
    prompt: Prompt,
    decoding: Decoding,
    said: str,
    question: str,
    watch_words: Collection[str] = (),
    stop: Callable[[], bool] = lambda: False,
    skip: Callable[[], bool] = lambda: False,
    beginning: Beginning | None = None,
) -> Generator[TokenEvent, None, Turn]:
    """Generate the answer to a prompt, yielding each token, and return the turn with its trace.

    `said` is the text that this turn answers, `question` the session's first one, and `watch_words` the words to look
    for in the answer: the last two decide the answer step. `stop` is asked after every token, and before every
    layer while the prompt is read; `skip` before every token of a thought: once it says so, or at the thought's limit,
    the tokens that close a thought are written whatever the model would write. With a `beginning` the answer goes on
    from there. Raises Cancelled where `stop` says so before the first token, and InputError where the text is longer
    than the model can read.
    """
    answer = _Answer(model, prompt, decoding, skip)
    require_fits(model, prompt, decoding.max_new_tokens, answer.phases.reserved)
    recorder, begun = Recorder(model), [] if beginning is None else beginning.steps
    if beginning is not None:
        recorder.go_on_from(beginning.trace, len(begun))
    for step in begun:
        yield answer.wrote(step)
    if beginning is not None and beginning.closed_by:
        answer.phases.closed_by = beginning.closed_by
    if answer.ended == "limit" and not answer.is_full:
        ids = [*prompt.token_ids, *(step.token_id for step in begun)]
        n_most = decoding.max_new_tokens + answer.phases.reserved - len(begun)
        for step in decode(model, ids, decoding, recorder, stop, prompt.n_fixed, n_most, answer.phases.forced):
            yield answer.wrote(step)
            if answer.ended == "limit" and stop():
                answer.ended = "stopped"
            if answer.ended != "limit" or answer.is_full:
                break
    trace = _trace(model, prompt, answer.steps, recorder)
    thought = answer.phases.thought(
        answer.text, answer.spans, spoken(model, trace.token_ids.tolist()), answer.ended == "end"
    )
    return _turn(model, prompt, trace, answer.text, answer.spans, said, question, watch_words, answer.ended, thought)


class _Answer:
    """An answer while it is written: its tokens, its text, its phases, and whether it has ended."""

    def __init__(self, model: LoadedModel, prompt: Prompt, decoding: Decoding, skip: Callable[[], bool]) -> None:
        self.steps: list[Step] = []
        self.text, self.spans = "", list[Span]()
        self.ended: Ending = "limit"
        self.phases = Phases(model.tokenizer, prompt, decoding.max_thought_tokens, skip)
        self._model, self._prompt, self._most = model, prompt, decoding.max_new_tokens
        self._written = Continuation(model.tokenizer, prompt.token_ids)
        self._ends = end_token_ids(model)

    @property
    def is_full(self) -> bool:
        """Whether it has its most tokens."""
        return self.phases.is_full(self._most)

    def wrote(self, step: Step) -> TokenEvent:
        """Note one more token."""
        self.steps.append(step)
        self._written.add(step.token_id)
        self.text, self.spans = self._written.read()
        self.phases.wrote(step.token_id, self.text)
        if step.token_id in self._ends and not step.is_forced:
            self.ended = "end"
        elif self._prompt.stops_at_newline and "\n" in self.text.lstrip():
            self.ended = "newline"
        thought, answer = self.phases.split(self.text)
        name = token_text(self._model.tokenizer, step.token_id)
        place, is_end = len(self.steps) - 1, self.ended == "end"
        phases = self.phases
        return TokenEvent(place, name, step.prob, answer, is_end, thought, phases.phase, phases.n_thought)


def require_fits(model: LoadedModel, prompt: Prompt, max_new_tokens: int, for_thought: int = 0) -> None:
    """Raise InputError, with the figures, where prompt, thought and answer are longer than the model can read."""
    length, limit = len(prompt.token_ids), model.architecture.context_length
    if limit is not None and length + for_thought + max_new_tokens > limit:
        text = TOO_LONG_WITH_THOUGHT if for_thought else TOO_LONG
        raise InputError(
            say(
                text,
                n=number(length, ","),
                thought=number(for_thought, ","),
                answer=max_new_tokens,
                model=model.entry.title,
                most=number(limit, ","),
            )
        )


TOO_LONG = later(
    "The text is {n} tokens long with its template, and {answer} are kept for the answer; {model} reads {most} at "
    "most. Shorten the text."
)
TOO_LONG_WITH_THOUGHT = later(
    "The text is {n} tokens long with its template, and {thought} for a thought and {answer} are kept for the answer; "
    "{model} reads {most} at most. Shorten the text, or give thoughts a lower limit."
)


def _turn(
    model: LoadedModel,
    prompt: Prompt,
    trace: Trace,
    text: str,
    spans: list[Span],
    said: str,
    question: str,
    watch_words: Collection[str],
    ended: Ending,
    thought: Thought | None,
) -> Turn:
    ids, first = trace.token_ids.tolist(), thought.n_steps if thought else 0
    special = special_tokens(model.tokenizer)
    step = answer_step_of(*behind(text, spans, first), ids[first:], special, question, watch_words)
    return Turn(
        said=said,
        prompt=prompt,
        trace=trace,
        text=text,
        spans=tuple(spans),
        answer=spoken(model, ids[first:]),
        answer_step=min(first + step, len(ids) - 1),
        ended=ended,
        thought=thought,
    )


def spoken(model: LoadedModel, token_ids: list[int]) -> str:
    """What tokens say: as the tokenizer decodes them, without special tokens and outer white space."""
    decoded = model.tokenizer.decode(token_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(decoded).strip()


def _trace(model: LoadedModel, prompt: Prompt, steps: list[Step], recorder: Recorder) -> Trace:
    def text_of(token_id: int) -> str:
        return token_text(model.tokenizer, token_id)

    attention, attention_mean = recorder.attention(len(prompt.token_ids) + len(steps) - 1)
    return Trace(
        prompt_length=len(prompt.token_ids),
        before=end_of(model, prompt),
        token_ids=np.array([step.token_id for step in steps], dtype=np.int64),
        tokens=tuple(text_of(step.token_id) for step in steps),
        token_probs=np.array([step.prob for step in steps], dtype=np.float32),
        token_logits=np.array([step.logit for step in steps], dtype=np.float32),
        token_ranks=np.array([step.rank for step in steps], dtype=np.int64),
        top_token_ids=np.array([step.top_token_ids for step in steps], dtype=np.int64),
        top_tokens=tuple(tuple(text_of(each) for each in step.top_token_ids) for step in steps),
        top_logits=np.array([step.top_logits for step in steps], dtype=np.float32),
        top_probs=np.array([step.top_probs for step in steps], dtype=np.float32),
        attention=attention,
        attention_mean=attention_mean,
        resid=recorder.resid(),
        heads=model.architecture.heads,
        has_sinks=model.architecture.has_sinks,
        entropies=np.array([step.entropy for step in steps], dtype=np.float32),
    )


def end_of(model: LoadedModel, prompt: Prompt) -> str:
    """The text of the prompt's last few tokens, behind the last control token among them."""
    special = special_tokens(model.tokenizer)
    first = max(0, len(prompt.token_ids) - N_CONTEXT_TOKENS)
    controls = [at for at in range(first, len(prompt.token_ids)) if prompt.token_ids[at] in special]
    start = prompt.spans[controls[-1]][1] if controls else prompt.spans[first][0]
    return prompt.text[start:]
