"""What the model reads under each condition of a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_tracker.conversation.turns import next_prompt
from llm_tracker.errors import InputError
from llm_tracker.experiments.passes.filled_rows import N_MORE
from llm_tracker.experiments.values.conditions import Condition
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.provenance import require_same_weights
from llm_tracker.tracing.run import require_fits
from llm_tracker.tracing.session import Session
from llm_tracker.tracing.whole_words import WordEnd

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True, eq=False)
class Setting:
    """The conversation that a correction is said in: what stands before it."""

    model: LoadedModel
    earlier: Session
    """The session up to the answer that is corrected."""

    def __post_init__(self) -> None:
        """Raise InputError for what no experiment can be made of."""
        require_same_weights(self.model, self.earlier)
        if not self.earlier.turns:
            raise InputError("There is no answer to correct yet. Ask a question first.")
        last = self.earlier.turns[-1]
        if last.prompt.keeps_room_for_thought:
            raise InputError(
                "This conversation lets the model think before it answers: its answer begins behind a thought, which "
                "is another one each time. Turn thinking off, ask again, and try this there."
            )
        if not last.has_answer:
            raise InputError("The answer that is corrected was stopped before it began. Ask again.")

    def prompt(self, text: str) -> Prompt:
        """What the model reads where a text is said behind its answer. Raises InputError for one that does not fit."""
        return self._fitting(next_prompt(self.model, self.earlier, text))

    def prompt_of(self, condition: Condition) -> Prompt:
        """What the model reads under a condition. Raises InputError for a text that does not fit."""
        last = self.earlier.turns[-1]
        if condition.name == "baseline":
            return self._fitting(last.prompt)
        if condition.place == "behind":
            return self.prompt(condition.text)
        before = replace(self.earlier, turns=self.earlier.turns[:-1])
        return self._fitting(next_prompt(self.model, before, f"{last.said.strip()} {condition.text}"))

    def _fitting(self, prompt: Prompt) -> Prompt:
        """The same. Raises InputError where the model cannot read it with a word behind it."""
        require_fits(self.model, prompt, N_MORE)
        return prompt

    def word_end(self, prompt: Prompt) -> WordEnd:
        """What ends an answer of one word."""
        if self.earlier.recipe == "raw":
            return "word"
        return "line" if prompt.stops_at_newline else "answer"


def setting_of(model: LoadedModel, session: Session, turn: int) -> Setting:
    """The setting of a session's correction: `turn` is that of the correction, from 1.

    Raises InputError for a turn that is no correction, and where the model has other weights.
    """
    if not 0 < turn <= len(session.turns):
        raise InputError(f"Turn {turn} corrects nothing: corrections begin with turn 1.")
    controls = {at: control for at, control in session.controls.items() if at < turn}
    return Setting(model, replace(session, turns=session.turns[:turn], controls=controls))
