"""Small experiments: a tiny model's short conversation, and the case that its correction makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from plain_passes import Plain
from tiny_models import loaded, tiny_network

import llm_tracker as lt
from llm_tracker.experiments.contexts import Setting, setting_of
from llm_tracker.experiments.probe import Probe, probe_of
from llm_tracker.prompts.prompt import Prompt

RECIPE = [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "Blue"}]
QUESTION, CORRECTION = "What is the capital of France?", "No, it is Rome."

CHANGES: dict[str, dict[str, Any]] = {
    "mistral": {"sliding_window": 24},
    "gemma2": {"sliding_window": 24},
    "gemma3_text": {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
    "cohere": {"logit_scale": 0.0625},
}
FAMILIES = ["llama", "gemma2", "gemma3_text", "gpt2", "bloom", "mpt", "mistral", "cohere", "granite"]
"""Grouped heads, soft caps, windows shorter than the text, learned positions, ALiBi, scales of logits and residuals."""


@dataclass(frozen=True, eq=False)
class Small:
    """A model, its conversation and a case of it."""

    model: lt.LoadedModel
    session: lt.Session
    case: lt.Case

    @property
    def setting(self) -> Setting:
        """Where the correction is said."""
        return setting_of(self.model, self.session, 1)

    @property
    def prompt(self) -> Prompt:
        """What is read with the correction."""
        return self.setting.prompt(self.case.correction)

    @property
    def probe(self) -> Probe:
        """Where the two words part."""
        return probe_of(self.model, self.prompt, self.case)


def small_case(model: lt.LoadedModel, recipe: Any = RECIPE, **changes: Any) -> Small:
    """A question that a model was asked, and a correction that names the foil."""
    session = lt.track(model, QUESTION, recipe=recipe, max_new_tokens=2)
    words = {"answer": "Bonn", "foil": "Rome", "correction": CORRECTION, "own_answer": session.turns[0].answer}
    return Small(model, session, lt.Case(QUESTION, **{**words, **changes}))


def tiny(family: str, chat: bool = True, **changes: Any) -> lt.LoadedModel:
    """A random model of a family, its caps, scales and windows on, its norms and biases no ones and zeros."""
    network = tiny_network(family, **{**CHANGES.get(family, {}), **changes})
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() == 1:
                weight += 0.2 * torch.randn(weight.shape, generator=generator)
    return loaded(network, chat=chat)


@cache
def small(family: str) -> Small:
    """The case of a tiny model that no test changes."""
    return small_case(tiny(family))


@cache
def plain(family: str) -> Plain:
    """The same model as plain transformers has it."""
    return Plain(small(family).model)


def own_chat_ids(model: lt.LoadedModel, said: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """The ids of a conversation in the tiny tokenizer's template, written out here."""
    text = "".join(f"<|start|>{role}\n{content}<|end|>\n" for role, content in said)
    return tuple(model.tokenizer(text + "<|start|>assistant\n", add_special_tokens=False)["input_ids"])


def gap(one: Any, other: Any) -> float:
    """The largest difference of two lists of numbers."""
    return float((torch.as_tensor(one).double() - torch.as_tensor(other).double()).abs().max())
