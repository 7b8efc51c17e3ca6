"""What the model reads under each condition of a case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.turns import next_prompt
from llm_tracker.errors import InputError
from llm_tracker.experiments.passes.filled_rows import N_MORE
from llm_tracker.experiments.values.conditions import Condition
from llm_tracker.languages.texts import say
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.provenance import require_same_weights
from llm_tracker.tracing.run import require_fits
from llm_tracker.tracing.session import Session
from llm_tracker.tracing.whole_words import WordEnd

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


class Setting(ABC):
    """A question and a model's answer to it: what stands before a correction."""

    model: LoadedModel

    @abstractmethod
    def asked(self) -> Prompt:
        """What the model read when it was asked."""

    @abstractmethod
    def asked_with(self, text: str) -> Prompt:
        """What it reads where a text is said in the question itself, behind it."""

    @abstractmethod
    def answered_with(self, text: str) -> Prompt:
        """What it reads where a text is said behind its answer."""

    @property
    @abstractmethod
    def is_raw(self) -> bool:
        """Whether it reads plain text, without any turns."""

    def prompt(self, text: str) -> Prompt:
        """What the model reads where a text is said behind its answer. Raises InputError for one that does not fit."""
        return self._fitting(self.answered_with(text))

    def prompt_of(self, condition: Condition) -> Prompt:
        """What the model reads under a condition. Raises InputError for a text that does not fit."""
        if condition.name == "baseline":
            return self._fitting(self.asked())
        if condition.place == "behind":
            return self.prompt(condition.text)
        return self._fitting(self.asked_with(condition.text))

    def _fitting(self, prompt: Prompt) -> Prompt:
        """The same. Raises InputError where the model cannot read it with a word behind it."""
        require_fits(self.model, prompt, N_MORE)
        return prompt

    def word_end(self, prompt: Prompt) -> WordEnd:
        """What ends an answer of one word."""
        if self.is_raw:
            return "word"
        return "line" if prompt.stops_at_newline else "answer"


@dataclass(frozen=True, eq=False)
class SessionSetting(Setting):
    """The conversation of a session that a correction is said in."""

    model: LoadedModel
    earlier: Session
    """The session up to the answer that is corrected."""

    def __post_init__(self) -> None:
        """Raise InputError for what no experiment can be made of."""
        require_same_weights(self.model, self.earlier)
        if not self.earlier.turns:
            raise InputError(say("There is no answer to correct yet. Ask a question first."))
        last = self.earlier.turns[-1]
        if last.prompt.keeps_room_for_thought:
            raise InputError(
                say(
                    "This conversation lets the model think before it answers: its answer begins behind a "
                    "thought, which is another one each time. Turn thinking off, ask again, and try this there."
                )
            )
        if not last.has_answer:
            raise InputError(say("The answer that is corrected was stopped before it began. Ask again."))

    def asked(self) -> Prompt:
        """What the model read when it gave the answer that is corrected."""
        return self.earlier.turns[-1].prompt

    def asked_with(self, text: str) -> Prompt:
        """What it reads where a text is said behind what it answered there."""
        before = replace(self.earlier, turns=self.earlier.turns[:-1])
        return next_prompt(self.model, before, f"{self.earlier.turns[-1].said.strip()} {text}")

    def answered_with(self, text: str) -> Prompt:
        """What it reads in the session's next turn."""
        return next_prompt(self.model, self.earlier, text)

    @property
    def is_raw(self) -> bool:
        """Whether the session is plain text."""
        return self.earlier.recipe == "raw"


def setting_of(model: LoadedModel, session: Session, turn: int) -> SessionSetting:
    """The setting of a session's correction: `turn` is that of the correction, from 1.

    Raises InputError for a turn that is no correction, and where the model has other weights.
    """
    if not 0 < turn <= len(session.turns):
        raise InputError(say("Turn {turn} corrects nothing: corrections begin with turn 1.", turn=turn))
    controls = {at: control for at, control in session.controls.items() if at < turn}
    return SessionSetting(model, replace(session, turns=session.turns[:turn], controls=controls))
