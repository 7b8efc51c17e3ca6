"""What the proof of a model found out that a reader of its charts has to know, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from transformers import PreTrainedModel

from llm_tracker.models.attention import summarising_layers
from llm_tracker.models.forward import cache_keyword
from llm_tracker.models.proof import Proof


def proved_notices(proof: Proof, model: PreTrainedModel) -> Iterator[str]:
    """Layers without attention, learned sinks, the slower kind of attention, and a missing cache."""
    summarising = summarising_layers(model.config)
    if summarising:
        yield (
            f"{len(summarising)} of its {proof.n_layers} layers look back at summaries of several tokens: their shares "
            "stand for no single word, and are not drawn."
        )
    without = proof.heads.count(0) - len(summarising)
    if without == proof.n_layers:
        yield "This model has no attention to draw: it carries what it read in a state, not by looking back at words."
    elif without:
        yield (
            f"{without} of its {proof.n_layers} layers have no attention pattern: they carry what was read in a state "
            "instead of looking back at words."
        )
    if proof.has_sinks:
        yield "Its heads leave part of their 100 % to a learned sink, which stands for no word: it counts as parked."
    if proof.attention == "eager" and without < proof.n_layers:
        yield "It runs on eager attention: the faster kind does not honour all that this family asks for."
    if cache_keyword(model) is None:
        yield "It keeps nothing of what it has read: for every token the whole text is read again."
