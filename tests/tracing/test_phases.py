"""An answer has phases: a thought where the model reasons first, and the answer behind it, exact in both."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from recompute import largest_gaps, word_gap
from repeated import but_repeated, one_of_each
from thinking import TEMPLATES, thinking_model, writes
from tiny_models import FAMILIES, KINDS

import llm_tracker as lt
from llm_tracker.analysis.attention import attention_by_word
from llm_tracker.progress import ended
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.prompts.tokens import special_tokens
from llm_tracker.tracing.answers import answer_word_of
from llm_tracker.tracing.run import TokenEvent

BOUND = 1e-3
QUESTION, CORRECTION = "Which planet is the largest?", "No, Saturn."
WRITTEN = "<think>\nA big one.\n</think>\n\nThe largest is Jupiter.<|end|>"


def test_what_stands_in_the_templates_marks_is_the_thought_and_the_answer_lies_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = thinking_model("switched")
    writes(monkeypatch, model, WRITTEN)
    turn = lt.track(model, QUESTION, thinking=True, max_new_tokens=32).turns[0]
    thought = turn.thought
    assert thought is not None
    assert (thought.text, thought.closed_by) == ("A big one.", "model")
    assert (turn.answer, turn.ended) == ("The largest is Jupiter.", "end")
    assert turn.text[: turn.spans[thought.n_steps - 1][1]] == turn.thought_as_written
    assert turn.thought_as_written == "<think>\nA big one.\n</think>\n\n"
    assert turn.first_step == thought.n_steps
    behind = turn.text[turn.spans[turn.answer_step][0] :]
    assert behind.lstrip().startswith("Jupiter"), "words of the question are no answer"
    assert answer_word_of(turn, special_tokens(model.tokenizer)) == "Jupiter"
    roles = [word.role for word in turn.words_before(turn.trace.n_steps)[len(turn.prompt.words) :]]
    assert roles == sorted(roles, key=["thought", "answer"].index), "one phase, then the other"
    assert roles.count("answer") == len(["The", "largest", "is", "Jupiter", ".", "<|end|>"])
    groups = lt.attention_groups(attention_by_word(turn, turn.first_step + 1))
    assert list(groups.index[-2:]) == ["thought", "answer"]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_thought_without_an_end_is_closed_at_its_limit_and_the_answer_comes(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = thinking_model(kind)
    marks = lt.track(model, QUESTION, recipe="chat", thinking=True, max_new_tokens=1).turns[0].prompt.thought_marks
    assert marks is not None
    opened = (
        ""
        if marks.opened_by(lt.track(model, QUESTION, recipe="chat", thinking=True).turns[0].prompt.text)
        else marks.opening
    )
    writes(monkeypatch, model, f"{opened}{'a big one ' * 20}")
    turn = lt.track(model, QUESTION, recipe="chat", thinking=True, max_new_tokens=5, max_thought_tokens=12).turns[0]
    thought = turn.thought
    assert thought is not None
    assert thought.closed_by == "limit"
    assert thought.text.startswith("a big")
    assert turn.thought_as_written.rstrip().endswith(marks.closing.strip())
    assert turn.trace.n_steps - thought.n_steps == 5 or turn.ended == "end"
    assert turn.has_answer
    assert turn.first_step == thought.n_steps


@pytest.mark.parametrize("family", one_of_each(FAMILIES, KINDS))
def test_every_number_of_a_thought_and_of_the_answer_behind_it_is_that_of_plain_transformers(family: str) -> None:
    model = thinking_model("opened", family)
    session = lt.track(
        model, QUESTION, [CORRECTION], watch_words=["Jupiter"], max_new_tokens=3, max_thought_tokens=4, control=True
    )
    gaps = largest_gaps(model, session)
    assert {name: gap for name, gap in gaps.items() if gap > BOUND} == {}
    for turn in (*session.turns, *session.controls.values()):
        assert turn.thought is not None
        assert turn.thought.closed_by == "limit"
        assert set(turn.scores) == {turn.first_step}
        assert word_gap(model, turn, turn.first_step) < 1e-4


@pytest.mark.real
def test_the_real_models_thought_and_answer_are_those_of_plain_transformers(embedded: lt.LoadedModel) -> None:
    tokenizer = copy.deepcopy(embedded.tokenizer)
    tokenizer.chat_template = (
        TEMPLATES["opened_switched"].replace("<|start|>", "<|im_start|>").replace("<|end|>", "<|im_end|>")
    )
    session = lt.track(
        replace(embedded, tokenizer=tokenizer), QUESTION, thinking=True, max_thought_tokens=3, max_new_tokens=3
    )
    (turn,) = session.turns
    assert turn.thought is not None
    assert (turn.thought.text, turn.thought.closed_by) == ("The largest", "limit")
    gaps = largest_gaps(embedded, session)
    assert {name: gap for name, gap in gaps.items() if gap > BOUND} == {}


def test_a_channel_is_a_thought_too_and_its_end_no_end_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("channels", "llama")
    writes(
        monkeypatch,
        model,
        "<|channel|>analysis<|message|>A big one.<|end|><|start|>assistant<|channel|>final<|message|>Jupiter<|return|>",
    )
    turn = lt.track(model, QUESTION, watch_words=["Jupiter", "Saturn"]).turns[0]
    assert turn.thought is not None
    assert (turn.thought.text, turn.thought.closed_by) == ("A big one.", "model")
    assert (turn.answer, turn.ended, turn.answer_step) == ("Jupiter", "end", turn.thought.n_steps)
    assert turn.scores[turn.first_step]["Jupiter"].spellings[0].text == "Jupiter", "behind a mark no space is written"
    assert word_gap(model, turn, turn.first_step) < 1e-4


def test_an_answer_that_comes_in_its_channel_without_a_thought_is_just_that(monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("channels", "llama")
    writes(monkeypatch, model, "<|channel|>final<|message|>Jupiter<|return|>")
    turn, corrected = lt.track(model, QUESTION, [CORRECTION], max_new_tokens=16).turns
    assert (turn.answer, turn.ended) == ("Jupiter", "end")
    assert turn.thought == Thought(turn.first_step, "", "model", "finalJupiter")
    assert turn.thought_as_written == "<|channel|>final<|message|>"
    assert corrected.prompt.notices == (), "nothing was thought that could have been left out"


def test_a_mark_that_is_half_written_at_the_limit_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("channels", "llama")
    begun = "<|channel|>analysis<|message|>Big.<|end|>"
    writes(monkeypatch, model, begun)
    n_tokens = len(model.tokenizer(begun)["input_ids"])
    turn = lt.track(model, QUESTION, max_thought_tokens=n_tokens, max_new_tokens=2).turns[0]
    assert turn.thought is not None
    assert turn.thought.text == "Big."
    assert turn.thought_as_written == f"{begun}<|start|>assistant<|channel|>final<|message|>"


SHORT = [
    (kind, limit, most)
    for kind in ("switched", "channels", "opened", "shouting")
    for limit in (0, 3, 30)
    for most in (1, 2, 5)
]
EDGES = ((0, 1), (3, 2), (30, 1), (30, 5))
"""Nothing of the thought, its middle, all of it; and of the answer one token, or all that were asked for."""


@pytest.mark.parametrize(("kind", "limit", "most"), but_repeated(SHORT, lambda each: each[1:] not in EDGES))
def test_however_short_the_limits_are_an_answer_has_its_tokens(
    kind: str, limit: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = thinking_model(kind, "llama")
    marks = lt.track(model, QUESTION, thinking=True, max_new_tokens=1).turns[0].prompt.thought_marks
    assert marks is not None
    begun = "" if kind in ("opened", "shouting") else marks.opening
    writes(monkeypatch, model, f"{begun}big one{marks.closing}what is the capital of it all")
    turn = lt.track(model, QUESTION, thinking=True, max_new_tokens=most, max_thought_tokens=limit).turns[0]
    assert turn.thought is not None
    assert turn.has_answer
    assert turn.thought.closed_by in ("model", "limit")
    assert len(turn.answer_steps) == most or turn.ended == "end"


@pytest.mark.parametrize("first", ["\n", "<", "\n\n\n\n\n\n"])
def test_with_thoughts_off_an_answer_that_begins_like_a_mark_is_no_longer_than_asked_for(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = thinking_model("switched")
    writes(monkeypatch, model, first * 3)
    turn = lt.track(model, QUESTION, max_new_tokens=1).turns[0]
    assert (turn.trace.n_steps, turn.thought) == (1, None)


def test_a_closing_mark_that_holds_an_end_token_ends_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("channels", "llama")
    model.model.generation_config.eos_token_id = [0, model.tokenizer.eos_token_id]
    writes(monkeypatch, model, "<|channel|>analysis<|message|>big one big one")
    turn = lt.track(model, QUESTION, max_new_tokens=2, max_thought_tokens=8).turns[0]
    assert turn.thought is not None
    assert turn.thought.closed_by == "limit"
    assert turn.has_answer


def test_tags_around_an_answer_are_no_words_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = thinking_model("opened")
    writes(monkeypatch, model, "\n</think>\n\n<answer>\nJupiter\n</answer><|end|>")
    turn = lt.track(model, QUESTION, max_new_tokens=64).turns[0]
    assert answer_word_of(turn, special_tokens(model.tokenizer)) == "Jupiter"


def test_the_rest_of_a_thought_is_skipped_when_asked_for() -> None:
    model = thinking_model("opened")
    session = lt.begin_session(model, decoding=lt.Decoding(max_new_tokens=2))
    seen: list[TokenEvent] = []
    stream = lt.stream_turn(model, session, QUESTION, skip=lambda: len(seen) >= 3)
    turn = ended(stream, seen.append).turns[0]
    assert turn.thought is not None
    assert turn.thought.closed_by == "reader"
    assert [event.phase for event in seen[:3]] == ["thought"] * 3
    assert seen[2].text == ""
    assert turn.thought.text.startswith(seen[2].thought)
    assert turn.has_answer


def test_a_limit_of_no_tokens_closes_a_thought_as_it_begins() -> None:
    model = thinking_model("opened")
    turn = lt.track(model, QUESTION, max_thought_tokens=0, max_new_tokens=2).turns[0]
    assert turn.thought is not None
    assert turn.thought.text == ""
    assert turn.text.startswith("\n</think>\n\n")


def test_an_answer_that_is_stopped_in_its_thought_is_none_and_says_so() -> None:
    model = thinking_model("opened")
    session = lt.begin_session(model, decoding=lt.Decoding(max_new_tokens=2))
    seen: list[TokenEvent] = []
    session = ended(lt.stream_turn(model, session, QUESTION, stop=lambda: len(seen) >= 3), seen.append)
    turn = session.turns[0]
    assert turn.thought == Thought(turn.trace.n_steps, turn.text.strip(), "", turn.text.strip())
    assert not turn.has_answer
    assert (turn.answer, turn.ended, turn.first_step) == ("", "stopped", turn.trace.n_steps - 1)
    scored = lt.with_word_scores(model, session, ["Jupiter"])
    assert scored.turns[0].scores == {}
    assert not scored.lacks_scores([0], ["Jupiter"])
