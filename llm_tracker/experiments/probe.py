"""The two tokens in which a right word and a foil part: what is read inside a pass, where whole words cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from torch import Tensor

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.case import Case
from llm_tracker.languages.texts import say
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.run import end_of
from llm_tracker.tracing.word_scoring import ways_to_write

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True)
class Probe:
    """The first tokens of two words that differ, and what both begin with: that is read behind the text first."""

    answer_id: int
    foil_id: int
    shared: tuple[int, ...] = ()

    def text(self, prompt: Prompt) -> tuple[int, ...]:
        """What is read: behind its last token the two words part. That position is the answer slot."""
        return (*prompt.token_ids, *self.shared)

    def margins(self, logits: Tensor) -> Tensor:
        """How far the right word's token is ahead, in nats: of logits (…, vocab_size)."""
        return logits[..., self.answer_id] - logits[..., self.foil_id]


def probe_of(model: LoadedModel, prompt: Prompt, case: Case) -> Probe:
    """Where the two words of a case part behind a prompt.

    Raises InputError for a word without tokens, and where one is the beginning of the other.
    """
    before = end_of(model, prompt)
    one, other = (next(iter(ways_to_write(model, before, word).values())) for word in (case.answer, case.foil))
    n_shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
    if n_shared == min(len(one), len(other)):
        raise InputError(
            say(
                "In this model's tokens “{answer}” and “{foil}” begin alike and one ends there: no token tells "
                "them apart. Choose other words.",
                answer=case.answer,
                foil=case.foil,
            )
        )
    return Probe(one[n_shared], other[n_shared], one[:n_shared])
