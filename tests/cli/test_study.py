"""`llm-tracker study`: a file of questions -> rows, a summary and a page; one line where it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.load_options import LoadOptions

Loads = list[tuple[str, LoadOptions]]

CSV = "id,question,answer,aliases,foil\na,Is it Paris?,Paris,Lutetia|Paname,London\nb,Hot or cold?,Cold,,Hot\n"


@pytest.fixture
def questions(tmp_path: Path) -> str:
    (tmp_path / "own.csv").write_text(CSV)
    return str(tmp_path / "own.csv")


def call(questions: str, *more: str) -> list[str]:
    return ["study", questions, "--model", "tiny", "--recipe", "chat", *more]


def test_a_readers_own_questions_become_rows_a_summary_and_a_page(
    loads: Loads, questions: str, tmp_path: Path, tiny_llama: lt.LoadedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    more = ["--condition", "wrong", "--first", "2", "--correction", "No, {foil}.", "--wordings", "2"]
    more += ["--chain", "--seed", "3"]
    assert main(call(questions, *more, "--out", str(out))) == 0
    rows = pd.read_parquet(out / "results.parquet")
    expected = lt.study(questions, [tiny_llama], ["wrong"], ["No, {foil}."], 2, "chat", chain=True, seed=3).rows
    columns = [column for column in expected if column not in ("seconds", "model")]
    pd.testing.assert_frame_equal(rows[columns], expected[columns], check_exact=True)
    made = json.loads((out / "summary.json").read_text())
    assert {each["condition"] for each in made["conditions"]} == {"baseline", "asked_again", "wrong", "user"}
    assert (made["seed"], made["n_questions"], made["plan"]["n_wordings"]) == (3, 2, 2)
    page = (out / "report.html").read_text()
    assert "What this is true of" in page
    assert "--correction &#x27;No, {foil}.&#x27;" in page
    said = capsys.readouterr()
    assert "“wrong”" in said.out
    assert "12 rows in results.parquet" in said.out
    assert "1 of 1 blocks of questions (100%)" in said.err


def test_the_columns_are_those_that_others_rely_on(loads: Loads, questions: str, tmp_path: Path) -> None:
    assert main(call(questions, "--condition", "wrong", "--out", str(tmp_path / "out"))) == 0
    promised = (
        "question_id, question, category, held_out, model, dtype, condition, paraphrase, text, answer, foil, "
        "score_answer, score_foil, margin, truth_margin, sensitivity, flipped, answer_text, grade, grade_before, "
        "transition, entropy_nats, tv_from_asked_again, n_tokens, seconds"
    ).split(", ")
    rows = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert set(promised) <= set(rows)
    assert set(rows["grade"]) <= {"answer", "foil", "other"}
    assert set(rows["transition"]) <= {"cc", "ci", "ic", "ii", "other"}


def test_it_is_resumed_or_refused(
    loads: Loads, questions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--condition", "wrong", "--out", str(tmp_path / "out")]
    assert main(call(questions, *out)) == 0
    assert main(call(questions, *out)) == 2
    assert "already. Resume it" in capsys.readouterr().err
    assert main(call(questions, *out, "--resume")) == 0
    assert len(loads) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.csv"], "cannot be read"),
        (["own.csv", "--condition", "mood"], "There is no condition “mood”"),
        (["own.csv", "--correction", "{mood}"], "has the field {mood}"),
        (["own.csv", "--wordings", "9"], "1 to 4 ways"),
        (["own.csv", "--recipe", "raw"], "no turns"),
        (["own.csv", "--workers", "0"], "Give 1 or more"),
        (["wrong.csv"], "wrong.csv, row 3: “foil” is Paris, which is the right word"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line_before_a_model_is_loaded(
    arguments: list[str], says: str, loads: Loads, questions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "wrong.csv").write_text("question,answer,foil\nA?,Yes,No\nB?,Paris,Paris\n")
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments, "--model", "tiny"]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.startswith("llm-tracker: ")
    assert loads == []


@pytest.mark.real
def test_the_built_in_model_gives_in_to_a_named_word_as_it_does_on_the_page(
    tmp_path: Path, embedded: lt.LoadedModel
) -> None:
    (tmp_path / "one.csv").write_text("question,answer,foil\nWhat is the capital of France?,Paris,London\n")
    call = ["study", str(tmp_path / "one.csv"), "--model", "embedded", "--condition", "wrong_alternative"]
    assert main([*call, "--out", str(tmp_path / "out")]) == 0
    rows = lt.load_study(str(tmp_path / "out")).rows.set_index("condition")
    found = lt.experiment(
        embedded,
        "What is the capital of France?", "Paris", "London", "That is wrong. The correct answer is London.",
        only=["conditions"], n_wordings=1,
    )  # fmt: skip
    by_name = {each.condition.name: each for each in found.conditions}
    for name in ("baseline", "asked_again", "wrong_alternative"):
        assert rows.loc[name, "margin"] == pytest.approx(by_name[name].margin, abs=1e-4)
        assert rows.loc[name, "answer_text"] == by_name[name].answer_text
    assert rows.loc["wrong_alternative", "transition"] == "ci"
    assert rows.loc["wrong_alternative", "flipped"]
