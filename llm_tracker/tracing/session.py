"""Turn and Session: a conversation with the traces of its answers, as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.chat_template import TemplateUse
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import CONTROL_TEXT, Message
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.prompts.words import Role, Span, Word, token_words
from llm_tracker.tracing.edit import Edit
from llm_tracker.tracing.trace import Trace
from llm_tracker.tracing.whole_words import Parting, Place, WordScore

Ending = Literal["end", "newline", "limit", "stopped"]

MAX_SEED = 2**63 - 1
MIN_TEMPERATURE = 0.01


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen. Without a temperature: greedy, always the best."""

    max_new_tokens: int = 16
    temperature: float | None = None
    top_p: float = 1.0
    seed: int = 0
    max_thought_tokens: int = 256
    """How long a model may think before its answer; then the thought is closed for it."""

    def __post_init__(self) -> None:
        """Refuse what cannot be decoded with. Raises InputError."""
        if self.max_thought_tokens < 0:
            raise InputError(
                say(
                    "A thought cannot have {n} tokens. Give 0 or more.",
                    n=self.max_thought_tokens,
                )
            )
        if self.max_new_tokens < 1:
            raise InputError(
                say(
                    "An answer needs at least one token; {n} were asked for.",
                    n=self.max_new_tokens,
                )
            )
        if self.temperature is not None and not MIN_TEMPERATURE <= self.temperature < float("inf"):
            raise InputError(
                say(
                    "The temperature must be at least {least}; it is {temperature}. Leave it out for greedy decoding.",
                    least=MIN_TEMPERATURE,
                    temperature=self.temperature,
                )
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(say("The seed must be from 0 to {most}; it is {seed}.", most=MAX_SEED, seed=self.seed))
        if not 0 < self.top_p <= 1:
            raise InputError(say("top-p must be above 0 and at most 1; it is {top_p}.", top_p=self.top_p))

    def require_used(self) -> Decoding:
        """Refuse a nucleus that greedy decoding would not heed; a stored session may have one. Raises InputError."""
        if self.temperature is None and self.top_p != 1.0:
            raise InputError(
                say("Greedy decoding does not heed top-p {top_p}. Give a temperature too, such as 1.", top_p=self.top_p)
            )
        return self

    @property
    def method(self) -> str:
        """`greedy` or `sample`."""
        return "greedy" if self.temperature is None else "sample"

    def as_dict(self) -> dict[str, Any]:
        """The record of session.json."""
        settings = {"temperature": self.temperature, "top_p": self.top_p, "seed": self.seed}
        return {
            "method": self.method,
            "max_new_tokens": self.max_new_tokens,
            **({} if self.temperature is None else settings),
        }


@dataclass(frozen=True)
class ModelInfo:
    """Which model answered: enough to name it, and to find it again."""

    id: str
    title: str
    path: str | None
    model_type: str
    adapter: str
    n_layers: int
    n_heads: int
    d_model: int
    vocab_size: int
    dtype: str
    device: str
    revision: str | None
    weights_sha256: str | None
    notices: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ()
    """What multiplied by its layers at each of `kernels.MEASURED_ROWS`, and its output matrix; empty: torch chose."""


@dataclass(frozen=True, eq=False)
class Turn:
    """One answer: what was said to the model, what it said, and what that did inside it."""

    said: str
    """The question or correction that this turn answers, as it was typed."""
    prompt: Prompt
    trace: Trace
    text: str
    """The answer as its tokens decode, special tokens included."""
    spans: tuple[Span, ...]
    """Of each answer token its characters in `text`."""
    answer: str
    """The answer without thought, special tokens and outer white space."""
    answer_step: int
    """The step that carries the answer; every view opens there."""
    ended: Ending = "end"
    """How it ended: by the model's end token, with its line, at the limit of tokens, or stopped by hand."""
    thought: Thought | None = None
    """What the model wrote before its answer, where it reasons first."""
    scores: Mapping[int, Mapping[str, WordScore]] = field(default_factory=dict)
    """By step, by word: the scores of whole words computed so far."""
    partings: Mapping[int, tuple[Parting, ...]] = field(default_factory=dict)
    """By step: where the scored words part that begin with the same tokens; a step that was not read is not there."""
    edit: Edit | None = None
    """What was changed in the model while it wrote this."""

    def __post_init__(self) -> None:
        """Make the mappings read-only."""
        by_step = {step: MappingProxyType(dict(words)) for step, words in self.scores.items()}
        object.__setattr__(self, "scores", MappingProxyType(by_step))
        object.__setattr__(self, "partings", MappingProxyType(dict(self.partings)))

    def score(self, word: str, step: int | None = None) -> WordScore | None:
        """How likely a whole word was at a step (the answer's first unless given), if it was computed."""
        return self.scores.get(self.first_step if step is None else step, {}).get(word)

    def parting(self, word: str, other: str, step: int) -> Parting | None:
        """Where two words part that begin with the same tokens at a step: behind all that they share."""
        both = [each for each in self.partings.get(step, ()) if {word, other} <= each.watched.keys()]
        unlike = [each for each in both if each.watched[word].token_id != each.watched[other].token_id]
        return unlike[0] if unlike else None

    @property
    def is_cut(self) -> bool:
        """Whether it would have gone on: cut at the limit of tokens, or stopped by hand."""
        return self.ended in ("limit", "stopped")

    @property
    def answer_steps(self) -> range:
        """The steps of the answer itself, behind the thought; none where no answer came."""
        return range(self.thought.n_steps if self.thought else 0, self.trace.n_steps)

    @property
    def first_step(self) -> int:
        """The step with which the answer begins; the last one where no answer came."""
        return min(self.answer_steps.start, self.trace.n_steps - 1)

    @property
    def has_answer(self) -> bool:
        """Whether an answer came behind the thought."""
        return bool(self.answer_steps)

    @property
    def thought_as_written(self) -> str:
        """The text of the thought with its marks and the white space behind them; closed where it has no end.

        Empty without a thought.
        """
        n_steps = self.answer_steps.start
        if not n_steps or self.thought is None or self.prompt.thought_marks is None:
            return ""
        end = self.spans[n_steps - 1][0 if self.ended == "end" and not self.has_answer else 1]
        return self.prompt.thought_marks.closed(self.text[:end])

    def step_at(self, place: Place) -> int:
        """The step at which words are scored."""
        return self.answer_step if place == "answer" else self.first_step

    def words_before(self, step: int) -> list[Word]:
        """The words of everything in front of a step's token: the prompt's, and those of the answer so far."""
        spans = self.spans[:step]
        roles: list[Role] = ["thought" if at < self.answer_steps.start else "answer" for at in range(step)]
        so_far = token_words(self.text, spans, roles, first=len(self.prompt.token_ids))
        return [*self.prompt.words, *so_far]


def require_unedited(turn: Turn) -> None:
    """Raise InputError for an answer that was written by a changed model: read again, its text says something else."""
    if turn.edit is not None:
        raise InputError(
            say(
                "While this answer was written, something in the model was changed. Read again without that, its "
                "text would show other numbers. Look at the untouched answer, or at what was kept of this one."
            )
        )


@dataclass(frozen=True)
class Parent:
    """Where a branch left the answer of another session: its last common token stands in front of this step."""

    turn: int
    step: int
    session: str = ""
    """The other session's id, where it is kept under one."""


@dataclass(frozen=True, eq=False)
class Session:
    """A conversation with one model: its turns, and the words that are watched through all of them."""

    model: ModelInfo
    recipe: str
    recipe_messages: tuple[Message, ...]
    decoding: Decoding
    turns: tuple[Turn, ...] = ()
    watch_words: tuple[str, ...] = ()
    """The first answer, the word that a correction named, and any that were added: followed whether said or not."""
    versions: dict[str, str] = field(default_factory=dict)
    template: TemplateUse = field(default_factory=TemplateUse)
    """What the chat template is given besides the messages, and the day that it writes as today's."""
    controls: Mapping[int, Turn] = field(default_factory=dict)
    """By turn: the same conversation up to there, merely asked again. What it changes, no correction is needed for."""
    parent: Parent | None = None
    """Of a branch: which answer it began as, and from which step on that was made to go on otherwise."""
    experiments: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """By turn: the record of what its correction did (`experiments.values.records`)."""

    def __post_init__(self) -> None:
        """Make the mappings read-only."""
        object.__setattr__(self, "controls", MappingProxyType(dict(sorted(self.controls.items()))))
        object.__setattr__(self, "experiments", MappingProxyType(dict(sorted(self.experiments.items()))))

    @property
    def all_turns(self) -> tuple[Turn, ...]:
        """Its turns, and its controls."""
        return (*self.turns, *self.controls.values())

    def lacks_control(self, turn: int) -> bool:
        """Whether a turn is a correction without its control.

        One that is the control's own text needs none, and neither does an answer that was made to say something else.
        """
        is_branch = self.parent is not None and self.parent.turn == turn
        return turn > 0 and turn not in self.controls and not self.is_control(turn) and not is_branch

    def is_control(self, turn: int) -> bool:
        """Whether what was said in a turn is the control's own text."""
        return self.turns[turn].said.strip() == CONTROL_TEXT

    def lacks_scores(self, turns: Iterable[int], words: Sequence[str], place: Place = "first") -> bool:
        """Whether a word has not been scored in one of these turns, or in its control, or not where words part."""
        both = [each for at in turns for each in (self.turns[at], self.controls.get(at)) if each is not None]
        answers = [(turn, turn.step_at(place)) for turn in both if turn.has_answer and turn.edit is None]
        return any(
            turn.score(word, step) is None or step not in turn.partings for turn, step in answers for word in words
        )

    def with_traces(self, change: Callable[[Turn], Trace]) -> Session:
        """The session with every trace changed: those of its turns, and those of its controls."""
        turns = tuple(replace(turn, trace=change(turn)) for turn in self.turns)
        controls = {at: replace(turn, trace=change(turn)) for at, turn in self.controls.items()}
        return replace(self, turns=turns, controls=controls)
