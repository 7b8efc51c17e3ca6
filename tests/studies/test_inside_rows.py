"""What a study sees inside, question by question: the numbers of the experiment, exact ends, and reasons for gaps."""

from __future__ import annotations

import pytest
import torch
from small_cases import RECIPE, gap, small
from small_studies import QUESTIONS, small_plan

import llm_tracker as lt
from llm_tracker.experiments.values.findings import ExactCheck, Unavailable, WordEffect
from llm_tracker.studies import inside
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.values.questions import Question

POLE = Question("pole", "Up or down?", "Up", "Do")


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_what_is_seen_inside_is_what_the_experiment_sees(family: str) -> None:
    model = small(family).model
    question = POLE
    tables = read_block(model, small_plan(inside=True), [question]).tables
    text = next(row["text"] for row in tables["results"] if row["condition"] == "wrong_alternative")
    found = lt.experiment(
        model, question.question, question.answer, question.foil, text, recipe=RECIPE,
        only=("hand_over", "heads", "lens", "verdict", "knock_out"), max_new_tokens=10,
    )  # fmt: skip
    slots = [row["answer_slot"] for row in tables["paths"]]
    assert slots == pytest.approx(list(found.hand_over.answer_slot), abs=1e-4)
    shares = [row["share"] for row in tables["heads"] if not row["is_random"]]
    assert shares == pytest.approx([each.share for each in found.heads.shares[: len(shares)]], abs=1e-4)
    leads = {curve.condition.name: curve.lead for curve in found.lens}
    mine = [row["lead"] for row in tables["lens"] if row["condition"] == "wrong_alternative"]
    assert mine == pytest.approx(list(leads["user"]), abs=1e-3)
    assert [row["why_not"] for row in tables["verdict_paths"]] == [found.verdict.why_not]
    effects = {row["place"]: row["delta"] for row in tables["words"] if not row["is_segment"]}
    own = {word.tokens[0]: word.delta for word in found.knock_outs.words if not word.is_segment}
    assert effects == pytest.approx(own, abs=1e-4)
    assert {row["text"].strip() for row in tables["words"] if row["is_named"]} <= {"Up", "Do"}


def test_what_a_question_does_not_have_inside_says_why_and_whether_a_check_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = (object(), (ExactCheck("the same head put back", 0.5, 1e-4),))
    monkeypatch.setattr(inside, "heads_of", lambda *_, **__: Unavailable("its heads cannot be replaced."))
    monkeypatch.setattr(inside, "knock_outs", lambda *_: failed)
    tables = read_block(small("llama").model, small_plan(inside=True), [POLE]).tables
    said = {row["part"]: (row["why_not"], row["is_failed_check"]) for row in tables["left_out"]}
    assert said == {
        "heads": ("its heads cannot be replaced.", False),
        "words": ("the same head put back: off by 0.5, allowed 0.0001.", True),
    }
    assert tables["paths"]
    assert tables["lens"]
    assert tables["heads"] == tables["words"] == []


@pytest.mark.parametrize(
    ("name", "texts", "places"),
    [
        ("London", ["Is", "London", "right", "?", "No", ",", "London", "."], {6}),
        ("New York", ["Where", "?", "It", "is", "new", "York", "."], {4, 5}),
        ("Rome", ["Rome", "?", "No", "."], set()),
    ],
)
def test_the_named_word_is_marked_where_the_correction_has_it(name: str, texts: list[str], places: set[int]) -> None:
    words = [WordEffect(f" {text}", "user", (at, at + 1), False, 0.0, False, 0.0) for at, text in enumerate(texts)]
    correction = "".join(texts[texts.index("?") + 1 :]) if name != "New York" else "It is new York."
    correction = correction.replace(",", ", ")
    assert inside._named_places(words, correction, name) == places


def test_the_state_after_the_last_layer_hands_the_whole_effect_over() -> None:
    tables = read_block(small("llama").model, small_plan(inside=True), QUESTIONS.questions).tables
    for row in tables["paths"]:
        if row.get("depth") is not None:
            ends = {0: (1.0, 0.0), row["n_layers"]: (0.0, 1.0)}
            if row["depth"] in ends:
                assert (
                    gap(torch.tensor([row["named_word"], row["answer_slot"]]), torch.tensor(ends[row["depth"]])) < 1e-4
                )
