"""Thoughts are found by what a model's own files say, and go back to its template as that takes them."""

from __future__ import annotations

import pytest
from thinking import TEMPLATES, thinking_tokenizer
from tiny_models import tiny_tokenizer

import llm_tracker as lt
from benchmarks.tinyllama_like import tinyllama_like_tokenizer
from llm_tracker.prompts.chat_template import TemplateUse, writes_date
from llm_tracker.prompts.finding_thoughts import reasoning_of
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.rendering import render_prompt
from llm_tracker.prompts.segments import DROPPED_ANSWERS, DROPPED_THOUGHTS
from llm_tracker.prompts.thoughts import Reasoning, ThinkingSwitch, ThoughtMarks, resolved_thinking

THINK = ("<think>\n", "\n</think>\n\n")
WRITTEN = "<think>\nA big one.\n</think>\n\n"
ASKED = Message("user", "Which?")


def conversation(thought: str) -> list[Message]:
    return [ASKED, Message("assistant", "A big one. Jupiter", thought), Message("user", "Sure?")]


def enabled(is_on: bool) -> ThinkingSwitch:
    return ThinkingSwitch("enable_thinking", on=True, is_on=is_on)


CHANNELS = ThoughtMarks(
    "<|channel|>analysis<|message|>",
    "<|end|><|start|>assistant<|channel|>final<|message|>",
    in_field=True,
    header="<|channel|>final<|message|>",
)
TIGHT = ThoughtMarks("<think>", "</think>", in_field=True)
SHOUTED = ThoughtMarks("<|START_THINKING|>", "<|END_THINKING|><|START_TEXT|>", in_field=True)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("switched", Reasoning(ThoughtMarks(*THINK, in_field=True), enabled(True), always=False)),
        ("kept", Reasoning(ThoughtMarks("<think>\n", "\n</think>\n"), enabled(True), always=False)),
        ("opened", Reasoning(ThoughtMarks(*THINK), None, always=True)),
        (
            "opened_switched",
            Reasoning(ThoughtMarks(*THINK), ThinkingSwitch("skip_reasoning", on=False, is_on=True), always=False),
        ),
        ("channels", Reasoning(CHANNELS, None, always=True)),
        ("sharing", Reasoning(TIGHT, ThinkingSwitch("thinking", on=True, is_on=False), always=False)),
        ("forgetting", Reasoning(ThoughtMarks(*THINK, in_field=True), None, always=True)),
        ("shouting", Reasoning(SHOUTED, ThinkingSwitch("thinking_disabled", on=False, is_on=True), always=False)),
        ("silent", Reasoning(ThoughtMarks(*THINK), None, always=True)),
        ("tagged", Reasoning(ThoughtMarks(*THINK), None, always=False)),
    ],
)
def test_marks_and_switch_are_found_in_the_template(kind: str, expected: Reasoning) -> None:
    assert reasoning_of(thinking_tokenizer(kind)) == expected


def test_a_model_that_only_answers_has_none(embedded: lt.LoadedModel) -> None:
    for tokenizer in (tiny_tokenizer(), tiny_tokenizer(chat=False), tinyllama_like_tokenizer(), embedded.tokenizer):
        assert reasoning_of(tokenizer) is None
        assert resolved_thinking(None, None, by_default=False) == (False, {})


@pytest.mark.parametrize(
    ("kind", "thinking", "by_default", "expected"),
    [
        ("switched", None, None, (True, {"enable_thinking": True})),
        ("switched", None, False, (False, {"enable_thinking": False})),
        ("switched", True, False, (True, {"enable_thinking": True})),
        ("opened_switched", False, None, (False, {"skip_reasoning": True})),
        ("opened", None, False, (True, {})),
        ("tagged", None, False, (True, {})),
        ("tagged", False, None, (False, {})),
        ("shouting", False, None, (False, {"thinking_disabled": True})),
    ],
)
def test_thoughts_are_turned_on_and_off_where_there_is_a_switch(
    kind: str, thinking: bool | None, by_default: bool | None, expected: tuple[bool, dict[str, bool]]
) -> None:
    assert resolved_thinking(reasoning_of(thinking_tokenizer(kind)), thinking, by_default) == expected


def test_what_cannot_be_had_is_refused_with_what_to_do() -> None:
    with pytest.raises(lt.InputError, match="know no thoughts"):
        resolved_thinking(None, True, by_default=None)
    with pytest.raises(lt.InputError, match="Give them a limit of 0 tokens"):
        resolved_thinking(reasoning_of(thinking_tokenizer("opened")), False, by_default=None)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_earlier_thought_is_dropped_or_kept_as_the_template_does_it(kind: str) -> None:
    tokenizer = thinking_tokenizer(kind)
    reasoning = reasoning_of(tokenizer)
    assert reasoning is not None
    marks = reasoning.marks
    thought = f"{marks.opening}A big one.{marks.closing}"
    prompt = render_prompt(tokenizer, "chat", conversation(thought), 0)
    said = "".join(word.text for word in prompt.words if word.role in ("user", "assistant", "thought"))
    in_text = kind in ("kept", "opened", "opened_switched", "silent", "tagged")
    given = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": f"{thought}A big one. Jupiter"}]
    if not in_text:
        given[1] |= {"content": "A big one. Jupiter", "reasoning_content": "A big one."}
    own = tokenizer.apply_chat_template(
        [*given, {"role": "user", "content": "Sure?"}], add_generation_prompt=True, return_dict=False
    )
    assert list(prompt.token_ids) == list(own), "what plain transformers reads"
    keeps = kind in ("kept", "tagged", "silent")
    assert (prompt.text.count("A big one.") == 2) is keeps
    assert (DROPPED_THOUGHTS in prompt.notices) is not keeps
    assert ("thought" in prompt.roles) is keeps
    assert "Jupiter" in said
    assert prompt.messages[1].thought == ""


def test_a_thought_that_is_read_again_from_its_own_field_has_its_role() -> None:
    tokenizer = thinking_tokenizer("switched")
    tokenizer.chat_template = str(tokenizer.chat_template).replace("loop.index0 > ns.last", "why")
    prompt = render_prompt(tokenizer, "chat", conversation(WRITTEN), 0)
    thought = "".join(word.text for word in prompt.words if word.role == "thought")
    assert thought.strip() == "A big one."
    assert prompt.messages[1] == Message("assistant", "A big one. Jupiter", "A big one.")


def test_an_answer_that_ends_in_a_mark_is_left_out_as_the_template_does_it_and_that_is_said() -> None:
    messages = [ASKED, Message("assistant", "Jupiter\n</think>"), Message("user", "Sure?")]
    prompt = render_prompt(thinking_tokenizer("opened"), "chat", messages, 0)
    assert "Jupiter" not in prompt.text
    assert prompt.messages[1].content == ""
    assert prompt.notices == (DROPPED_ANSWERS,)


def test_thoughts_that_are_turned_off_are_closed_before_they_begin() -> None:
    tokenizer = thinking_tokenizer("switched")
    off = render_prompt(tokenizer, "chat", [ASKED], 0, TemplateUse({"enable_thinking": False}))
    assert off.text.endswith("assistant\n<think>\n\n</think>\n\n")
    assert off.template_arguments == {"enable_thinking": False}
    assert off.thought_marks == ThoughtMarks(*THINK, in_field=True)
    assert not off.thought_marks.opened_by(off.text)


def test_a_prompt_that_closes_a_thought_without_opening_it_is_in_none() -> None:
    prompt = render_prompt(thinking_tokenizer("sharing"), "chat", [ASKED], 0)
    assert prompt.text.endswith("</think>")
    assert prompt.thought_marks == TIGHT
    assert not TIGHT.opened_by(prompt.text)


def test_a_template_that_leaves_it_to_the_model_is_told_nothing_unless_asked_for() -> None:
    open_switch = Reasoning(ThoughtMarks(*THINK), ThinkingSwitch("enable_thinking", on=True, is_on=None), always=False)
    assert resolved_thinking(open_switch, None, by_default=None) == (True, {})
    assert resolved_thinking(open_switch, None, by_default=False) == (False, {"enable_thinking": False})


def test_marks_keep_their_ids_beside_a_typed_control_token() -> None:
    tokenizer = thinking_tokenizer("opened")
    prompt = render_prompt(tokenizer, "chat", [Message("user", "What is <|end|>?")], 0)
    assert prompt.token_ids[-2:] == tuple(tokenizer("<think>\n")["input_ids"])
    assert prompt.token_ids.count(tokenizer.convert_tokens_to_ids("<|end|>")) == 1, "the template's own"


def test_raw_text_knows_no_thoughts() -> None:
    assert render_prompt(thinking_tokenizer("switched"), "raw", [ASKED], 0).thought_marks is None


def test_todays_date_is_the_one_that_is_kept() -> None:
    tokenizer = thinking_tokenizer("kept")
    assert writes_date(tokenizer)
    assert not writes_date(thinking_tokenizer("switched"))
    prompt = render_prompt(tokenizer, "chat", [ASKED], 0, TemplateUse(date="2025-01-02"))
    assert "Today: 02 January 2025\n" in prompt.text
    assert all(role == "template" for role, span in zip(prompt.roles, prompt.spans, strict=True) if span[1] < 40)
