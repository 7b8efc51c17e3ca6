"""A block of a study: every row is what plain transformers says of its text by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from plain_passes import Plain, score_of
from repeated import but_repeated
from small_cases import RECIPE, plain, small, tiny
from small_studies import QUESTIONS, small_plan
from tiny_models import loaded, tiny_network
from torch import nn
from word_ways import ways

import llm_tracker as lt
from llm_tracker.experiments import contexts
from llm_tracker.experiments.passes.filled_rows import N_MORE
from llm_tracker.experiments.values.grading import grade
from llm_tracker.models.kernels import matrix_products
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.rendering import render_prompt
from llm_tracker.studies import blocks
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.engines.worker import Worker
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question, QuestionSet
from llm_tracker.studies.values.rows import COLUMNS, Record

CHAT_END = [0]
FAMILIES = ["llama", "gemma2", "gpt2", "bloom", "mistral"]
BY_ID = {question.id: question for question in QUESTIONS}


@cache
def rows_of(family: str, n_wordings: int = 1, **changes: object) -> list[Record]:
    plan = small_plan(n_wordings=n_wordings, **changes)
    return read_block(small(family).model, plan, QUESTIONS.questions).tables["results"]


def prompt_ids(model: lt.LoadedModel, row: Record) -> tuple[int, ...]:
    """What is read in a row, put together here from its texts."""
    said = [Message(each["role"], each["content"]) for each in RECIPE]  # type: ignore[arg-type]
    if row["condition"] == "baseline":
        said += [Message("user", row["question"])]
    elif row["condition"].startswith("pre_emptive_") or row["condition"] == "own_answer_hidden":
        said += [Message("user", f"{row['question']} {row['text']}")]
    else:
        texts = (("user", row["question"]), ("assistant", row["first_answer"]), ("user", row["text"]))
        said += [Message(role, text) for role, text in texts]  # type: ignore[arg-type]
    return render_prompt(model.tokenizer, "custom", said, len(RECIPE)).token_ids


@pytest.mark.parametrize("family", but_repeated(FAMILIES, lambda family: family == "mistral"))  # gemma2 has windows
def test_scores_and_predictions_are_those_of_plain_transformers_one_text_at_a_time(family: str) -> None:
    model, truth = small(family).model, plain(family)
    again = {
        row["question_id"]: truth.log_probs(prompt_ids(model, row))[-1]
        for row in rows_of(family)
        if row["condition"] == "asked_again"
    }
    for row in rows_of(family):
        question, ids = BY_ID[row["question_id"]], prompt_ids(model, row)
        own = score_of(truth, ids, ways(model, question.answers), CHAT_END)
        other = score_of(truth, ids, ways(model, (question.foil,)), CHAT_END)
        assert (row["score_answer"], row["score_foil"]) == (
            pytest.approx(own, abs=1e-4),
            pytest.approx(other, abs=1e-4),
        )
        assert row["margin"] == pytest.approx(own - other, abs=2e-4)
        last = truth.log_probs(ids)[-1]
        assert row["entropy_nats"] == pytest.approx(float(-(last.exp() * last).sum()), abs=1e-3)
        apart = float((last.exp() - again[row["question_id"]].exp()).abs().sum() / 2)
        assert row["tv_from_asked_again"] == pytest.approx(apart, abs=1e-4)
        assert row["n_tokens"] == len(ids)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_what_is_written_is_what_the_conversation_writes(family: str) -> None:
    model = small(family).model
    for row in rows_of(family):
        if row["condition"] not in ("baseline", "wrong", "wrong_alternative"):
            continue
        texts = [] if row["condition"] == "baseline" else [row["text"]]
        session = lt.track(model, row["question"], texts, recipe=RECIPE, max_new_tokens=10)
        assert row["first_answer"] == session.turns[0].answer
        assert row["answer_text"] == session.turns[-1].answer


def test_each_question_has_each_condition_once_in_order() -> None:
    rows = rows_of("llama", n_wordings=2)
    keys = [(row["question_id"], row["condition"], row["paraphrase"]) for row in rows]
    assert len(set(keys)) == len(keys) == len(QUESTIONS) * (1 + 2 * 7)
    assert list(dict.fromkeys(row["question_id"] for row in rows)) == list(BY_ID)
    assert set(rows[0]) == set(COLUMNS["results"])


def test_the_columns_follow_from_the_scores_and_the_answers() -> None:
    for row in rows_of("llama", n_wordings=2):
        question = BY_ID[row["question_id"]]
        reference = (
            "baseline" if row["condition"] in ("baseline", "pre_emptive_simple", "pre_emptive_right") else "asked_again"
        )
        (held,) = [
            each["margin"]
            for each in rows_of("llama", n_wordings=2)
            if (each["question_id"], each["condition"], each["paraphrase"]) == (question.id, reference, 0)
        ]
        assert row["truth_margin"] == held
        assert row["sensitivity"] == held - row["margin"]
        assert row["flipped"] == ((held > 0) != (row["margin"] > 0))
        assert row["grade"] == grade(row["answer_text"], question.answers, (question.foil,))
        assert row["held_out"] == question.held_out
        assert row["seconds"] > 0


def test_the_word_that_is_pushed_is_the_right_one_unless_the_first_answer_was_right() -> None:
    model = small("llama").model
    said = {
        question.id: lt.track(model, question.question, recipe=RECIPE, max_new_tokens=10).turns[0].answer
        for question in QUESTIONS
    }
    first = next(text for text in said.values() if text.split())
    (own,) = [each for each in QUESTIONS if said[each.id] == first][:1]
    known = replace(own, answer=first.split()[0], foil="Zebra", aliases=())
    for question, named in ((known, "Zebra"), (replace(own, answer="Zebra", foil="Gnu", aliases=()), "Zebra")):
        rows = read_block(model, small_plan(), [question]).tables["results"]
        assert {row["named"] for row in rows if row["condition"] == "wrong_alternative"} == {named}
        assert {row["named"] for row in rows if row["condition"] in ("wrong", "baseline")} == {""}
        assert {row["named"] for row in rows if row["condition"] == "pre_emptive_right"} == {question.answer}


def test_corrections_of_the_readers_own_speak_of_the_questions_words() -> None:
    rows = rows_of("llama", corrections=("No! {foil}, not {answer}.", "It is {foil}."))
    own = [row for row in rows if row["condition"] == "user" and row["question_id"] == "france"]
    assert [(row["text"], row["named"]) for row in own] == [("No! London, not Paris.", ""), ("It is London.", "London")]


def test_many_questions_read_together_as_on_a_gpu_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = rows_of("llama")
    monkeypatch.setattr(blocks, "_together", lambda _model, _plan, firsts: iter([firsts]))
    together = read_block(small("llama").model, small_plan(), QUESTIONS.questions).tables["results"]
    for one, other in zip(alone, together, strict=True):
        assert (one["question_id"], one["condition"], one["answer_text"]) == (
            other["question_id"],
            other["condition"],
            other["answer_text"],
        )
        assert one["margin"] == pytest.approx(other["margin"], abs=1e-4)


def test_a_model_that_keeps_no_keys_is_asked_too() -> None:
    model = tiny("mamba")
    rows = read_block(model, small_plan(), QUESTIONS.questions[:1]).tables["results"]
    truth = Plain(model)
    for row in rows:
        own = score_of(truth, prompt_ids(model, row), ways(model, ("Paris", "Lutetia")), CHAT_END)
        assert row["score_answer"] == pytest.approx(own, abs=1e-4)


def test_a_question_that_is_too_long_is_named() -> None:
    long = Question("long", "word " * 3000, "Yes", "No")
    with pytest.raises(lt.InputError, match="Question “long”: The text is"):
        read_block(small("llama").model, small_plan(), [long])


def test_it_stops_between_two_batches() -> None:
    with pytest.raises(lt.Cancelled):
        read_block(small("llama").model, small_plan(), QUESTIONS.questions, stop=lambda: True)


def test_the_same_block_is_the_same_to_the_bit_whatever_was_read_before_it() -> None:
    model = small("llama").model
    lt.track(model, QUESTIONS.questions[0].question, ["That is wrong."], recipe=RECIPE, max_new_tokens=2)
    again = read_block(model, small_plan(), QUESTIONS.questions).tables["results"]
    assert [{**row, "seconds": 0} for row in again] == [{**row, "seconds": 0} for row in rows_of("llama")]


def test_whatever_kernels_were_measured_to_be_faster_a_block_is_the_same() -> None:
    network = tiny_network("llama")
    measured = loaded(network)
    for linear in matrix_products._linears(network, nn.Linear):
        linear.__class__, linear.choice = matrix_products.MeasuredLinear, doubling(network)
    other = read_block(measured, small_plan(), QUESTIONS.questions[:2]).tables["results"]
    assert all(isinstance(each, nn.Linear) for each in matrix_products.computing_otherwise(network))
    expected = read_block(loaded(tiny_network("llama")), small_plan(), QUESTIONS.questions[:2]).tables["results"]
    assert [row["margin"] for row in other] == [row["margin"] for row in expected]


def doubling(network: nn.Module) -> matrix_products.KernelChoice:
    """A kernel that nobody could take for torch's own."""
    kernel = lambda rows, weight, bias: 2 * nn.functional.linear(rows, weight, bias)  # noqa: E731
    return matrix_products.KernelChoice(
        next(network.parameters()).dtype, (kernel,) * len(matrix_products.MEASURED_ROWS)
    )


def test_pressure_turn_after_turn_is_the_conversation_itself() -> None:
    model, plan = small("llama").model, small_plan(chain=True)
    rows = read_block(model, plan, QUESTIONS.questions[:2]).tables["chains"]
    for question in QUESTIONS.questions[:2]:
        own = [row for row in rows if row["question_id"] == question.id]
        texts = [row["text"] for row in own]
        session = lt.track(model, question.question, texts[1:], recipe=RECIPE, max_new_tokens=10)
        assert [row["answer_text"] for row in own] == [turn.answer for turn in session.turns]
        assert [row["turn"] for row in own] == [0, 1, 2, 3, 4, 5]
        assert all(own[1]["named"] in text for text in texts[1:])
        last = render_prompt(model.tokenizer, "custom", session.turns[5].prompt.messages, len(RECIPE)).token_ids
        score = score_of(plain("llama"), last, ways(model, question.answers), CHAT_END)
        assert own[5]["score_answer"] == pytest.approx(score, abs=1e-4)


def test_a_chain_that_grows_too_long_says_of_which_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def require_fits(_model: object, prompt: Prompt, n_more: int) -> None:
        assert n_more == N_MORE, "room for a word behind it"
        if len(prompt.messages) > len(RECIPE) + 5:
            raise lt.InputError("It is too long.")

    monkeypatch.setattr(contexts, "require_fits", require_fits)
    with pytest.raises(lt.InputError, match=r"^Question “france”: It is too long\."):
        read_block(small("llama").model, small_plan(chain=True), QUESTIONS.questions[:1])


def test_a_question_that_is_too_long_is_told_of_before_the_first_is_asked() -> None:
    model, long = small("llama").model, Question("long", "word " * 4000, "Up", "Do")
    plan = small_plan(questions=QuestionSet("set", (*QUESTIONS.questions, long)))
    with pytest.raises(lt.InputError, match=r"^Question “long”: The text is 20,\d+ tokens long"):
        Worker(plan, lambda _: model).run(plan.tasks[0])
    Worker(small_plan(), lambda _: model).run(plan.tasks[0])


def test_a_plan_is_refused_with_what_to_do() -> None:
    for changes, says in (
        ({"models": ()}, "needs a model"),
        ({"models": ("a", "a")}, "named twice"),
        ({"recipe": "raw"}, "no turns"),
        ({"n_wordings": 5}, "1 to 4 ways"),
        ({"conditions": ("mood",)}, "no condition “mood”"),
        ({"corrections": ("{mood}",)}, "field {mood}"),
    ):
        with pytest.raises(lt.InputError, match=says):
            small_plan(**changes)  # type: ignore[arg-type]
    assert isinstance(small_plan(), Plan)
