"""A text begins, and an answer ends, as the model was trained: whatever its files forgot to say."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import loaded, tiny_network, tiny_tokenizer

import llm_tracker as lt
from benchmarks.tinyllama_like import tinyllama_like_tokenizer, write_tinyllama_like
from llm_tracker.models.forward.hooks import after, put_on
from llm_tracker.prompts.chat_template import TemplateUse
from llm_tracker.prompts.form_notices import form_notices
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.rendering import render_prompt
from llm_tracker.prompts.trained_form import beginning_ids, turn_end_ids
from llm_tracker.storage.records import session_record
from llm_tracker.tracing.decoding import named_end_ids
from llm_tracker.tracing.provenance import model_notices

ASKED = [Message("user", "Who?")]

CHATML = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<pad>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
"""Ends a turn with a token that no file names as an end."""

CHANNELS = (
    "{% for m in messages %}<|start|>{{ m['role'] }}{% if m.get('thinking') %}think{{ m['thinking'] }}<pad>"
    "<|start|>{{ m['role'] }}{% endif %}say{{ m['content'] }}"
    "{% if loop.last and m['role'] == 'assistant' %}<|end|>{% else %}<pad>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
"""As gpt-oss writes: the same token ends a channel and an earlier turn."""


def with_template(template: str) -> Any:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = template
    return tokenizer


def named(tokenizer: Any, ids: frozenset[int]) -> set[str]:
    return {str(tokenizer.decode([token_id])) for token_id in ids}


def test_where_the_template_writes_no_beginning_token_the_tokenizers_stands_in_front_once() -> None:
    tokenizer = tinyllama_like_tokenizer()
    prompt = render_prompt(tokenizer, "chat", ASKED, 0)
    assert list(prompt.token_ids[:1]) == beginning_ids(tokenizer) == [tokenizer.bos_token_id]
    assert prompt.token_ids.count(tokenizer.bos_token_id) == 1
    assert (prompt.roles[0], prompt.spans[0], prompt.beginning_token) == ("template", (0, 0), "tokenizer")
    to_the_letter = render_prompt(tokenizer, "chat", ASKED, 0, TemplateUse(follow=True))
    assert to_the_letter.token_ids == prompt.token_ids[1:]
    assert to_the_letter.beginning_token == "none"
    (notice,) = form_notices(tokenizer, {tokenizer.eos_token_id})
    assert notice.startswith("Its chat template writes no beginning token: “<s>” is put in front")


def test_where_the_template_writes_it_no_second_one_is_put_in_front() -> None:
    tokenizer = copy.deepcopy(tinyllama_like_tokenizer())
    tokenizer.chat_template = "{{ bos_token }}" + str(tokenizer.chat_template)
    prompt = render_prompt(tokenizer, "chat", ASKED, 0)
    assert prompt.beginning_token == "template"
    assert prompt.token_ids.count(tokenizer.bos_token_id) == 1
    assert list(form_notices(tokenizer, {tokenizer.eos_token_id})) == []


def test_raw_text_begins_as_the_tokenizer_begins_it() -> None:
    assert render_prompt(tinyllama_like_tokenizer(), "raw", ASKED, 0).beginning_token == "tokenizer"
    assert render_prompt(tiny_tokenizer(), "raw", ASKED, 0).beginning_token == "none"
    assert render_prompt(tiny_tokenizer(), "chat", ASKED, 0).beginning_token == "template"


@pytest.mark.parametrize(
    ("template", "ends"),
    [
        (CHATML, {"<pad>"}),
        (CHANNELS, {"<|end|>"}),
        ("{% for m in messages %}{{ m['content'] }}\n{% endfor %}", set()),
        ("{{ raise_exception('no') }}", set()),
        (None, set()),
    ],
)
def test_what_the_template_writes_behind_an_answer_ends_it_unless_it_stands_inside_one(
    template: str | None, ends: set[str]
) -> None:
    tokenizer = with_template(template or "")
    assert named(tokenizer, turn_end_ids(tokenizer)) == ends


def test_an_answer_ends_at_its_templates_end_of_turn_also_where_the_checkpoint_names_another() -> None:
    model = replace(loaded(tiny_network("llama")), tokenizer=with_template(CHATML))
    end = model.tokenizer.convert_tokens_to_ids("<pad>")
    assert end not in named_end_ids(model)

    def wants_to_end(_module: object, _args: object, _kwargs: object, logits: torch.Tensor) -> torch.Tensor:
        logits[..., end] += 1000
        return logits

    with put_on([after(model.model.lm_head, wants_to_end)]):
        turn = lt.track(model, "Who?", recipe="chat", max_new_tokens=4).turns[0]
    assert (turn.trace.token_ids.tolist(), turn.ended, turn.answer) == ([end], "end", "")
    assert any("“<pad>” ends an answer too" in notice for notice in model_notices(model))


def test_a_session_says_how_its_text_began_and_keeps_following_the_template(tmp_path: Path) -> None:
    model = lt.load_model(str(write_tinyllama_like(tmp_path / "model")))
    for follows, began in ((False, "tokenizer"), (True, "none")):
        session = lt.track(model, "Who?", ["No."], max_new_tokens=1, control=True, follow_template=follows)
        back = lt.load_session(lt.save_session(session, tmp_path / began))
        assert back.template.follow is follows
        turns = (*back.turns, *back.controls.values())
        assert {turn.prompt.beginning_token for turn in turns} == {began}
        assert {record["beginning_token"] for record in session_record(session)["turns"]} == {began}


def test_what_a_checkpoint_asks_for_and_does_not_get_is_said() -> None:
    network = tiny_network("llama")
    network.generation_config.repetition_penalty = 1.3
    assert any("asks for a repetition penalty of 1.3. That is not applied" in each for each in loaded(network).notices)
