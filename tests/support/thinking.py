"""Chat templates of models that reason first, one of each kind, written anew, and tiny models that use them."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from tiny_models import loaded, tiny_network, tiny_tokenizer
from transformers import PreTrainedTokenizerBase

import llm_tracker as lt
from llm_tracker.tracing import decoding

_HEAD = "<|start|>{{ m['role'] }}\n"
_USER = "{% if m['role'] != 'assistant' %}" + _HEAD + "{{ m['content'] }}<|end|>\n{% else %}"
_ANSWERS = "{% if add_generation_prompt %}<|start|>assistant\n"

SWITCHED = (  # Qwen 3's way: the model opens its thought; a field or a split; an empty thought turns it off
    "{% set ns = namespace(last=-1) %}{% for m in messages %}"
    "{% if m['role'] == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}"
    + _USER
    + "{% set text = m['content'].split('</think>')[-1].lstrip('\n') %}{% set why = m.get('reasoning_content') or '' %}"
    + _HEAD
    + "{% if loop.index0 > ns.last %}<think>\n{{ why.strip('\n') }}\n</think>\n\n{% endif %}{{ text }}<|end|>\n"
    "{% endif %}{% endfor %}"
    + _ANSWERS
    + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
KEPT = (  # SmolLM3's way: what was thought stays in the text; the system line names the mode, and the day
    "{% if enable_thinking is not defined %}{% set enable_thinking = true %}{% endif %}"
    "<|start|>system\nToday: {{ strftime_now('%d %B %Y') }}\n"
    "Reasoning: {{ 'on' if enable_thinking else 'off' }}<|end|>\n"
    "{% for m in messages %}"
    + _USER
    + _HEAD
    + "{% if not enable_thinking %}<think>\n\n</think>\n{% endif %}{{ m['content'].lstrip('\n') }}<|end|>\n"
    "{% endif %}{% endfor %}" + _ANSWERS + "{% if not enable_thinking %}<think>\n\n</think>\n{% endif %}{% endif %}"
)
OPENED = (  # DeepSeek-R1's way: the template opens the thought, and drops earlier ones
    "{% for m in messages %}"
    + _USER
    + _HEAD
    + "{{ m['content'].split('</think>')[-1].lstrip('\n') }}<|end|>\n{% endif %}{% endfor %}"
    + _ANSWERS
    + "<think>\n{% endif %}"
)
OPENED_SWITCHED = (  # Qwen 3.5's way: opened by the template, or closed by it
    OPENED.removesuffix("<think>\n{% endif %}") + "<think>\n{% if skip_reasoning %}\n</think>\n\n{% endif %}{% endif %}"
)
CHANNELS = (  # gpt-oss' way: control tokens around each, and the end of a thought is no end of an answer
    "{% for m in messages %}"
    "{% if m['role'] != 'assistant' %}<|start|>{{ m['role'] }}<|message|>{{ m['content'] }}<|end|>"
    "{% else %}{% if m.get('thinking') and loop.last %}<|start|>assistant<|channel|>analysis<|message|>"
    "{{ m['thinking'] }}<|end|>{% endif %}<|start|>assistant<|channel|>final<|message|>{{ m['content'] }}"
    "{% if loop.last %}<|return|>{% else %}<|end|>{% endif %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
SHARING = (  # DeepSeek V3.1's way, with a field: a prompt that closes a thought without opening it is the default
    "{% for m in messages %}"
    + _USER
    + _HEAD
    + "{% if loop.last %}<think>{{ m.get('reasoning_content') or '' }}{% endif %}</think>{{ m['content'] }}<|end|>\n"
    "{% endif %}{% endfor %}" + _ANSWERS + "{% if thinking %}<think>{% else %}</think>{% endif %}{% endif %}"
)
FORGETTING = (  # Kimi K2's way: a field that is read, and an empty thought in place of every earlier one
    "{% for m in messages %}"
    + _USER
    + _HEAD
    + "<think>{% if m.get('partial') %}{{ m['reasoning_content'] }}{% endif %}</think>{{ m['content'] }}<|end|>\n"
    "{% endif %}{% endfor %}" + _ANSWERS + "{% endif %}"
)
SHOUTING = (  # Cohere's way: tags that begin and end by their names, the thought opened by the prompt
    "{% for m in messages %}"
    + _USER
    + _HEAD
    + "{% if loop.last %}<|START_THINKING|>{{ m.get('thinking') or '' }}<|END_THINKING|>{% endif %}<|START_TEXT|>"
    "{{ m['content'] }}<|end|>\n{% endif %}{% endfor %}"
    + _ANSWERS
    + "<|START_THINKING|>{% if thinking_disabled %}<|END_THINKING|><|START_TEXT|>{% endif %}{% endif %}"
)
SILENT = (  # Olmo 3's way: only the prompt names a mark
    "{% for m in messages %}" + _HEAD + "{{ m['content'] }}<|end|>\n{% endfor %}" + _ANSWERS + "<think>{% endif %}"
)
TAGGED = (  # a fine-tune whose template knows nothing of the marks among its tokens
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    + _ANSWERS
    + "{% endif %}"
)
TEMPLATES = {
    "switched": SWITCHED,
    "kept": KEPT,
    "opened": OPENED,
    "opened_switched": OPENED_SWITCHED,
    "channels": CHANNELS,
    "sharing": SHARING,
    "forgetting": FORGETTING,
    "shouting": SHOUTING,
    "silent": SILENT,
    "tagged": TAGGED,
}


def thinking_tokenizer(kind: str) -> PreTrainedTokenizerBase:
    """The tiny tokenizer with the marks of a kind among its tokens."""
    tokenizer = copy.deepcopy(tiny_tokenizer())
    if kind == "channels":
        tokenizer.add_special_tokens({"additional_special_tokens": ["<|channel|>", "<|message|>"]})
        tokenizer.add_special_tokens({"eos_token": "<|return|>"})
    elif kind == "shouting":
        tokenizer.add_tokens(["<|START_THINKING|>", "<|END_THINKING|>", "<|START_TEXT|>"])
    else:
        tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = TEMPLATES[kind]
    return tokenizer


def thinking_model(kind: str, family: str = "qwen3", **changes: object) -> lt.LoadedModel:
    """A random model of a family that is asked through a template of this kind."""
    tokenizer = thinking_tokenizer(kind)
    ids = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id}
    return replace(loaded(tiny_network(family, **ids, **changes)), tokenizer=tokenizer)


def writes(monkeypatch: pytest.MonkeyPatch, model: lt.LoadedModel, *answers: str) -> None:
    """Let the model write these texts, one a turn; what closes a thought is written all the same."""
    scripts, left = iter([_ids(model, answer) for answer in answers]), dict[torch.Generator, list[int]]()
    choose = decoding._choose

    def scripted(
        logits: torch.Tensor, how: lt.Decoding, generator: torch.Generator, forced: int | None
    ) -> decoding.Step:
        if generator not in left:  # one an answer
            left[generator] = next(scripts, [])
        if forced is not None or not left[generator]:
            return choose(logits, how, generator, forced)
        return replace(choose(logits, how, generator, left[generator].pop(0)), is_forced=False)

    monkeypatch.setattr(decoding, "_choose", scripted)


def _ids(model: lt.LoadedModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False)["input_ids"])
