"""Thoughts in a conversation: kept with it, read again as its template has it, asked of another model alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from thinking import thinking_model, writes

import llm_tracker as lt
from llm_tracker.conversation.template_use import like
from llm_tracker.prompts.segments import DROPPED_THOUGHTS
from llm_tracker.storage.records import session_record

BOUND = 1e-3

QUESTION, CORRECTION = "Which planet is the largest?", "No, Saturn."

WRITTEN = "<think>\nA big one.\n</think>\n\nThe largest is Jupiter.<|end|>"


@pytest.mark.parametrize("kind", ["kept", "opened", "switched"])
def test_a_thought_that_ended_with_the_answer_is_read_again_closed_or_not_at_all(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = thinking_model(kind)
    writes(monkeypatch, model, f"{'' if kind == 'opened' else '<think>'}\nA big one<|end|>")
    turn, corrected = lt.track(model, QUESTION, [CORRECTION], recipe="chat", max_new_tokens=2).turns
    assert (turn.ended, turn.has_answer) == ("end", False)
    ends = corrected.prompt.token_ids.count(model.tokenizer.eos_token_id)
    n_written = corrected.prompt.text.count("<|end|>")
    assert ends == n_written, "the end token is no text"
    if kind == "kept":
        assert "A big one\n</think>" in corrected.prompt.text
    else:
        assert "A big one" not in corrected.prompt.text
        assert DROPPED_THOUGHTS in corrected.prompt.notices


def test_a_correction_reads_the_answer_without_the_thought_where_the_template_drops_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = thinking_model("switched")
    writes(monkeypatch, model, WRITTEN, WRITTEN)
    session = lt.track(model, QUESTION, [CORRECTION], thinking=True, max_new_tokens=32)
    prompt = session.turns[1].prompt
    assert "The largest is Jupiter." in prompt.text
    assert "A big one." not in prompt.text
    assert DROPPED_THOUGHTS in prompt.notices


def test_a_session_keeps_its_thoughts_its_switch_and_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("kept", "smollm3", pad_token_id=2)
    writes(monkeypatch, model, WRITTEN, WRITTEN)
    session = lt.track(
        model, QUESTION, [CORRECTION], recipe="chat", watch_words=["Jupiter"], max_thought_tokens=99, date="2025-01-02"
    )
    record = session_record(session)
    n_steps = [turn.first_step for turn in session.turns]
    assert record["thinking"] == {"on": True, "limit": 99, "steps": [[0, n] for n in n_steps]}
    assert record["date"] == "2025-01-02T00:00:00"
    assert [turn["template_arguments"] for turn in record["turns"]] == [{"enable_thinking": True}] * 2
    assert "<think>" in record["turns"][1]["messages"][1]["content"]
    back = lt.load_session(lt.save_session(session, tmp_path / "session"))
    assert back.template == session.template
    assert back.decoding == session.decoding
    for turn, own in zip(back.turns, session.turns, strict=True):
        assert turn.thought == own.thought
        assert turn.prompt == own.prompt
        assert turn.scores == own.scores
        assert np.array_equal(turn.trace.token_ids, own.trace.token_ids)
    again = lt.track(model, QUESTION, recipe="chat", date=record["date"], max_new_tokens=1)
    assert again.turns[0].prompt.token_ids == session.turns[0].prompt.token_ids


def test_another_model_is_asked_alike_as_far_as_it_can_be() -> None:
    model = thinking_model("switched")
    off = lt.begin_session(model, "chat", thinking=False).template
    assert (like(model, "chat", off).thinks, dict(off.arguments)) == (False, {"enable_thinking": False})
    assert like(thinking_model("opened"), "one-word", off).thinks, "it cannot be kept from thinking"


def test_one_word_answers_come_without_a_thought_unless_asked_for() -> None:
    model = thinking_model("switched")
    assert not lt.begin_session(model).template.thinks
    assert lt.begin_session(model, thinking=True).template.thinks
    assert lt.begin_session(model, "chat").template.thinks
    assert not lt.begin_session(model, "raw").template.thinks


def test_a_text_that_leaves_no_room_for_a_thought_is_refused_with_the_figures() -> None:
    model = thinking_model("opened")
    short = replace(model, architecture=replace(model.architecture, context_length=100))
    with pytest.raises(lt.InputError, match=r"\d+ for a thought and 16 are kept for the answer; tiny reads 100.*limit"):
        lt.track(short, QUESTION, recipe="chat")
    off = thinking_model("switched")
    short = replace(off, architecture=replace(off.architecture, context_length=100))
    assert not lt.track(short, QUESTION, recipe="chat", thinking=False, max_new_tokens=2).template.thinks
