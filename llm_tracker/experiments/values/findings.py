"""What an experiment found, as values: no model, no torch. `experiment.Experiment` holds them together.

Units: scores, margins and effects in nats (1 nat = odds times 2.72). Layers count from 1, depth 0 is the embeddings.
Arrays are tuples, their axes named beside each field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llm_tracker.experiments.values.conditions import Condition
from llm_tracker.prompts.words import Role, Span

Floats = tuple[float, ...]
Grade = Literal["answer", "foil", "other"]

SMALLEST_EFFECT_NATS = 0.05
"""Below this there is nothing to trace: shares of it would be shares of rounding."""


@dataclass(frozen=True)
class Unavailable:
    """A part that cannot be had of this model or this case, and why, in a sentence."""

    why_not: str


@dataclass(frozen=True)
class ExactCheck:
    """Something that has to hold whatever the model is: the largest gap found, and the bound."""

    name: str
    gap: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return self.gap <= self.bound


@dataclass(frozen=True)
class ConditionScore:
    """How likely each of the two words is as the whole answer, under one condition in one wording."""

    condition: Condition
    score_answer: float
    """log p of the right word with its end, in any of its spellings and aliases."""
    score_foil: float
    top: tuple[tuple[str, float], ...]
    """The likeliest first tokens, with their probabilities."""
    entropy_nats: float
    """Of the first token."""
    tv_from_asked_again: float
    """Total variation: half the summed differences of all first tokens' probabilities, against merely asking again."""
    jsd_from_asked_again: float
    """Jensen-Shannon divergence of the same two predictions, 0 to ln 2."""
    answer_text: str | None = None
    """What greedy decoding writes; None where it was not asked for."""
    grade: Grade | None = None
    """Which of the two words that is, if either."""

    @property
    def margin(self) -> float:
        """How far the right word is ahead of the foil."""
        return self.score_answer - self.score_foil


@dataclass(frozen=True)
class LensCurve:
    """The logit lens at the answer slot under one condition: (layer) each."""

    condition: Condition
    lead: Floats
    """The right word's logit over the foil's, at the first token in which they differ."""
    kl_nats: Floats
    """KL(final || layer): how far the read-out is from the model's own prediction."""
    jsd_from_asked_again: Floats
    """Between this condition's read-out and that of merely asking again."""


@dataclass(frozen=True)
class Pair:
    """A minimal pair: two corrections whose tokens differ in one word alone."""

    source: str
    """Whose states are put into the other's."""
    target: str
    source_word: str
    target_word: str


@dataclass(frozen=True)
class HandOver:
    """Where the difference of a minimal pair travels, by activation patching (Meng et al., 2022), depth by depth.

    Shares are of the whole effect: 0 is the target's margin, 1 the source's. They are not cut off at either.
    """

    pair: Pair
    effect: float
    """The source's margin minus the target's: of first differing tokens."""
    margins: tuple[float, float]
    """The source's, the target's."""
    tokens: tuple[str, ...]
    """(position) from the word in which the two differ to the answer slot, in the target."""
    first: int
    """The position of the first of them in the whole text."""
    n_word: int
    """How many of them are the word."""
    named_word: Floats
    """(depth 0..n_layers): all of the word's positions patched."""
    between: Floats
    """(depth): those between the word and the slot."""
    answer_slot: Floats
    """(depth): the position that writes the answer."""
    grid: tuple[Floats, ...] | None = None
    """(depth, position): each position by itself; None where it was not asked for."""

    @property
    def n_layers(self) -> int:
        """Decoder layers."""
        return len(self.answer_slot) - 1


@dataclass(frozen=True)
class WordEffect:
    """What one word of the text, or one segment of it, has to do with the margin."""

    text: str
    role: Role
    tokens: Span
    """First position and one past last."""
    is_segment: bool
    """Whether it is a whole message or the like, and not one word."""
    delta: float
    """The margin with it hidden from the answer slot, minus the margin."""
    out_of_distribution: bool
    """Whether the text's first token or the template's marks are hidden too, where attention is parked."""
    share: float
    """Of the slot's attention, mean over all heads and layers."""


@dataclass(frozen=True)
class KnockOuts:
    """Each word hidden from the answer slot, in a window of layers (Geva et al., 2023)."""

    layers: Span
    """The window: first and last layer, from 1."""
    margin: float
    """With nothing hidden."""
    words: tuple[WordEffect, ...]


@dataclass(frozen=True)
class Contribution:
    """What a word's embeddings add to the margin along the frozen routes."""

    text: str
    role: Role
    tokens: Span
    contribution: float


@dataclass(frozen=True)
class FrozenRoute:
    """Attention patterns, norm scales and gates held as they were: then the margin is a sum over the words.

    Gradient times input of that linear network (Ali et al., 2022; Achtibat et al., 2024, AttnLRP).
    """

    words: tuple[Contribution, ...]
    bias: float
    """What the model's own biases add."""
    margin: float
    """The difference of the two logits, before any soft cap."""

    @property
    def sum(self) -> float:
        """Of all words and the biases; the margin, but for rounding."""
        return sum(word.contribution for word in self.words) + self.bias


@dataclass(frozen=True)
class HeadShare:
    """One head's part in the effect: its output at the answer slot replaced by that of the source."""

    layer: int
    head: int
    share: float
    attention_to_word: float | None
    """Of the target's slot, to the word in which the two differ; None where its pattern cannot be read."""


@dataclass(frozen=True)
class HeadsTogether:
    """Several heads knocked out at once: their output at the answer slot set to zero."""

    heads: tuple[tuple[int, int], ...]
    """(layer, head)."""
    delta: float
    """The margin without them, minus the margin."""


@dataclass(frozen=True)
class Heads:
    """Who carried the difference of a minimal pair to the answer slot."""

    pair: Pair
    effect: float
    shares: tuple[HeadShare, ...]
    """Of every head, the largest first."""
    random: tuple[HeadShare, ...]
    """As many heads as are shown, chosen by chance."""
    knocked_out: tuple[HeadsTogether, ...]
    """The first 1, 2, 4 and 8 of `shares`."""
    knocked_out_random: tuple[HeadsTogether, ...]
    """As many heads by chance, several times each."""


@dataclass(frozen=True)
class LayerParts:
    """What one layer's attention and feed-forward part add to the difference of the two logits."""

    layer: int
    attention: float
    mlp: float


@dataclass(frozen=True)
class HeadWords:
    """What one head brings to the difference of the two logits from each word: (word)."""

    layer: int
    head: int
    words: Floats


@dataclass(frozen=True)
class Attribution:
    """Direct logit attribution at the answer slot (Elhage et al., 2021), of one answer.

    Each component of the residual stream through the final norm, its scale as it was, and the output matrix.
    """

    name: Literal["before", "asked_again", "after"]
    layers: tuple[LayerParts, ...]
    embedding: float
    """What the last position's own embedding adds."""
    remainder: float
    """What is in none of them: biases of the final norm and the output matrix, and rounding."""
    logit_difference: float
    """The right word's logit minus the foil's, before any soft cap."""
    heads: tuple[Floats, ...] | None
    """(layer, head); None where a model's heads cannot be told apart."""
    words: tuple[Contribution, ...] = ()
    """Over all heads: what is brought from each word; the words of `head_words` in their order."""
    head_words: tuple[HeadWords, ...] = ()
    """Of the heads that bring most."""

    @property
    def sum(self) -> float:
        """Of all parts; the logit difference, but for rounding."""
        return self.embedding + self.remainder + sum(layer.attention + layer.mlp for layer in self.layers)
