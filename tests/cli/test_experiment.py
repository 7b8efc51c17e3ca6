"""`llm-tracker experiment`: the numbers of `lt.experiment`, its record, and one line where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.load_options import LoadOptions

Loads = list[tuple[str, LoadOptions]]

QUESTION, CORRECTION = "Is Paris the capital?", "No, it is London."
CALL = ["experiment", QUESTION, "--answer", "Paris", "--foil", "London", "--correction", CORRECTION, "--model", "tiny"]
SMALL = ["--recipe", "chat", "--wordings", "1"]


@pytest.fixture
def found(tiny_llama: lt.LoadedModel) -> lt.Experiment:
    return lt.experiment(tiny_llama, QUESTION, "Paris", "London", CORRECTION, recipe="chat", n_wordings=1)


def test_the_command_gives_the_numbers_of_python_and_writes_its_record(
    loads: Loads, found: lt.Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CALL, *SMALL, "--json", "--out", str(tmp_path / "out")]) == 0
    record = json.loads(capsys.readouterr().out)
    assert loads[0][0] == "tiny"
    assert record == json.loads((tmp_path / "out" / "experiment.json").read_text())
    again = lt.experiment_of(record)
    assert [score.margin for score in again.conditions] == pytest.approx(
        [score.margin for score in found.conditions], abs=1e-4
    )
    assert lt.load_experiment(tmp_path / "out") == again
    assert record["shift"]["total"] == pytest.approx(record["shift"]["asked_again"] + record["shift"]["correction"])
    assert {"baseline", "asked_again", "user", "wrong", "right", "mention", "negation", "authority"} <= {
        each["name"] for each in record["conditions"]
    }
    for key in ("knockout", "frozen_route", "hand_over", "heads", "random_heads", "attribution", "checks", "seconds"):
        assert key in record


def test_the_views_are_told_as_text_and_drawn_from_the_directory(
    loads: Loads, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CALL, *SMALL, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "merely asked again" in said
    assert "How much of it is the correction: " in said
    assert "OFF" not in said
    drawing = ["chart", str(tmp_path), "--view", "correction", "--shows", "margins", "--out", str(tmp_path / "x.csv")]
    assert main(drawing) == 0
    assert (tmp_path / "x.csv").read_text().startswith("condition,")


def test_only_the_parts_that_are_named_are_run(loads: Loads, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CALL, *SMALL, "--only", "conditions", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["conditions"]
    assert all(record[key] is None for key in ("knockout", "hand_over", "heads", "attribution", "frozen_route"))


def test_aliases_and_further_corrections_are_scored_too(loads: Loads, capsys: pytest.CaptureFixture[str]) -> None:
    call = [*CALL, "--recipe", "chat", "--wordings", "1", "--only", "conditions", "--json", "--also", "It is London!"]
    call[call.index("Paris")] = "Paris | Lutetia"
    assert main(call) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["answer_aliases"] == ["Lutetia"]
    own = [each["text"] for each in record["conditions"] if each["name"] == "user"]
    assert own == [CORRECTION, "It is London!"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--foil": "paris"}, "stands for both words"),
        ({"--answer": "|"}, "give a right word and another one"),
        ({"--correction": " "}, "The correction is empty"),
        ({"--only": "rollout"}, "There is no part “rollout”"),
        ({"--wordings": "9"}, "1 to 4 ways"),
        ({"--recipe": "cake"}, "There is no recipe “cake”"),
        ({"--max-new-tokens": "0"}, "at least one token"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_loaded(
    loads: Loads, changes: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = list(CALL)
    for flag, value in changes.items():
        if flag in call:
            call[call.index(flag) + 1] = value
        else:
            call += [flag, value]
    assert main(call) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert loads == []


def test_the_layers_in_which_words_are_hidden_go_from_a_first_to_a_last_one(
    loads: Loads, capsys: pytest.CaptureFixture[str]
) -> None:
    for window in (("0", "1"), ("2", "1")):
        assert main([*CALL, "--window", *window]) == 2
        assert f"{window[0]} and {window[1]} were given (--window)" in capsys.readouterr().err
    assert loads == []
    assert main([*CALL, *SMALL, "--only", "knock_out", "--window", "2", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["knockout_window"]["layers"] == [2, 2]


def test_the_grid_is_printed_where_it_is_asked_for_alone(loads: Loads, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["Bonn" if word == "Paris" else "Rome" if word == "London" else word for word in CALL]
    assert main([*call, *SMALL, "--only", "grid"]) == 0
    assert "Every position by itself: " in capsys.readouterr().out


def test_how_the_model_answers_is_as_it_is_asked_for(loads: Loads, capsys: pytest.CaptureFixture[str]) -> None:
    written = [
        json.loads(out)["own_answer"]
        for n in ("1", "9")
        if main([*CALL, *SMALL, "--only", "lens", "--json", "--follow-template", "--max-new-tokens", n]) == 0
        and (out := capsys.readouterr().out)
    ]
    assert len(written) == 2
    assert written[1].startswith(written[0])
    assert len(written[1]) > len(written[0])
    assert main([*CALL, *SMALL, "--only", "lens", "--date", "tomorrow"]) == 2
    assert "“tomorrow” is no date" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to_is_one_line_before_anything_is_loaded(
    loads: Loads, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "experiment.json").mkdir(parents=True)
    for folder in ("file", "file/below", "taken"):
        assert main([*CALL, "--out", str(tmp_path / folder)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "Choose another folder (--out)." in said.err
        assert said.err.count("\n") == 1
    assert loads == []


def test_an_attribution_is_drawn_by_its_name(loads: Loads, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CALL, *SMALL, "--only", "attribution", "--out", str(tmp_path)]) == 0
    drawing = [
        "chart",
        str(tmp_path),
        "--view",
        "correction",
        "--shows",
        "attribution",
        "--out",
        str(tmp_path / "x.csv"),
    ]
    written = []
    for name in ([], ["--name", "after"], ["--name", "difference"]):
        assert main([*drawing, *name]) == 0
        written.append((tmp_path / "x.csv").read_text())
    assert written[0] == written[1] != written[2]
    capsys.readouterr()
    for name in (["--name", "during"], ["--name", "after", "--shows", "margins"]):
        assert main([*drawing, *name]) == 2
        assert "A name goes with attribution: after, asked_again, before, difference" in capsys.readouterr().err


def test_a_directory_without_an_experiment_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chart", str(tmp_path), "--view", "correction", "--out", str(tmp_path / "x.png")]) == 2
    assert "llm-tracker experiment" in capsys.readouterr().err
