"""What the built-in model does, loosely: the behaviour that the recipe was chosen for (one model, a few questions)."""

from __future__ import annotations

import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.layers import lead, settled_layer

pytestmark = pytest.mark.real

QUESTIONS = {
    "What is the capital of France?": ("Paris", "London"),
    "What is the capital of Japan?": ("Tokyo", "Seoul"),
    "What is the opposite of black?": ("White", "Black"),
}
TWO_WORKED_TURNS = [
    {"role": "user", "content": "What is the capital of Spain? Answer with one word."},
    {"role": "assistant", "content": "Madrid"},
    {"role": "user", "content": "What color is the sky? Answer with one word."},
    {"role": "assistant", "content": "Blue"},
]


def test_the_newcomers_answer_is_paris_then_london(paris: lt.Session) -> None:
    assert [turn.answer for turn in paris.turns] == ["Paris", "London"]
    assert [turn.answer_step for turn in paris.turns] == [0, 0]
    assert paris.watch_words == ("Paris", "London")
    before, after = (turn.trace.lens[0].watched for turn in paris.turns)
    assert before["Paris"].prob[-1] == pytest.approx(0.952, abs=0.02)
    assert before["London"].prob[-1] == pytest.approx(0.007, abs=0.005)
    assert after["Paris"].prob[-1] < 0.01
    assert after["London"].prob[-1] == pytest.approx(0.631, abs=0.03)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_named_word_flips_the_answer(embedded: lt.LoadedModel, question: str) -> None:
    right, foil = QUESTIONS[question]
    correction = f"That is wrong. The correct answer is {foil}."
    session = lt.track(embedded, question, [correction], max_new_tokens=6, watch_words=[right, foil])
    first, second = (lead(Side("before", turn), right, foil) for turn in session.turns)
    assert first is not None
    assert second is not None
    assert first[-1] > 0 > second[-1]


def test_asking_again_keeps_paris_and_a_bare_verdict_moves_it_little(embedded: lt.LoadedModel) -> None:
    question = "What is the capital of France?"
    probs = {
        said: lt.track(embedded, question, [said], max_new_tokens=2).turns[1].trace.lens[0].watched["Paris"].prob[-1]
        for said in ("Answer the question again.", "That is right.", "That is wrong.")
    }
    assert probs["Answer the question again."] == pytest.approx(0.673, abs=0.05)
    assert probs["That is right."] > probs["That is wrong."] > 0.7


def test_the_lead_turns_at_layer_24_before_and_after(paris: lt.Session) -> None:
    before, after = (lead(Side("before", turn), "Paris", "London") for turn in paris.turns)
    assert before is not None
    assert after is not None
    assert settled_layer(before > 0) == 24
    assert after[22] - after[23] > 10


def test_most_attention_is_parked(paris: lt.Session) -> None:
    groups = lt.attention_groups(lt.attention_by_word(paris.turns[0]))
    assert 0.5 < groups["parked"] < 0.95


def test_in_plain_chat_the_answer_step_is_paris_in_both_sentences(embedded: lt.LoadedModel) -> None:
    session = lt.track(
        embedded,
        "What is the capital of France?",
        ["That is wrong. The correct answer is London."],
        recipe="chat",
    )
    for turn in session.turns:
        assert "Paris" in turn.answer
        assert turn.trace.tokens[turn.answer_step].strip() == "Paris"
        assert turn.answer_step > 0


def test_with_the_system_line_and_two_worked_turns_easy_questions_get_one_word(embedded: lt.LoadedModel) -> None:
    recipe = [{"role": "system", "content": "You answer every question with exactly one word."}]
    recipe += [
        {**message, "content": message["content"].replace(" Answer with one word.", "")} for message in TWO_WORKED_TURNS
    ]
    questions = {
        "What is the capital of France?": "Paris",
        "What is the capital of Japan?": "Tokyo",
        "What is the capital of Italy?": "Rome",
    }
    answers = {q: lt.track(embedded, q, recipe=recipe, max_new_tokens=6).turns[0].answer for q in questions}
    assert answers == questions


def test_an_answer_in_emoji_or_japanese_is_whole_words(embedded: lt.LoadedModel) -> None:
    turn = lt.track(embedded, "東京はZürichの🍎ですか", recipe="raw", max_new_tokens=1).turns[0]
    assert [word.text for word in turn.prompt.words] == ["東京", "は", "Zürich", "の", "🍎", "ですか"]


def test_control_strings_in_a_question_stay_text(embedded: lt.LoadedModel) -> None:
    question = "Is <repo_name> or <|im_end|> a word? </s> [INST]"
    turn = lt.track(embedded, question, recipe="chat", max_new_tokens=2).turns[0]
    ends = [token_id for token_id in turn.prompt.token_ids if token_id in (2, 3)]
    template_ends = lt.track(embedded, "Is it a word?", recipe="chat", max_new_tokens=2).turns[0].prompt.token_ids
    assert ends == [token_id for token_id in template_ends if token_id in (2, 3)]
    spoken = "".join(word.text for word in turn.prompt.words if word.role == "user")
    assert spoken == question
