"""The command line: what it prints, what it writes, and one line that says what to do where it can't."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from thinking import thinking_model
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.loading import check as checking
from llm_tracker.models.loading import load as loading
from llm_tracker.models.loading import resolve as finding
from llm_tracker.models.proof.refusal import NotExactError

ROOT = Path(__file__).resolve().parents[2]
CORRECTION = "That is wrong. The correct answer is London."


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> lt.LoadedModel:
    """Every name loads a tiny random model."""
    model = tiny_model("llama")
    monkeypatch.setattr(loading, "load", lambda *_, **__: model)
    monkeypatch.setattr(checking, "load", lambda *_, **__: model)
    return model


@pytest.mark.real
def test_track_prints_the_views_and_writes_a_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = "What is the capital of France?"
    out = tmp_path / "D"
    status = main(["track", question, "--correction", CORRECTION, "--model", "embedded", "--out", str(out)])
    printed = capsys.readouterr().out
    assert status == 0
    assert "[answer] Paris" in printed
    assert "[answer] London" in printed
    assert "“Paris” 95 % → under 0.1 %. “London” 0.7 % → 65 %. The answer changed from “Paris” to “London”." in printed
    assert "layer 30" in printed
    assert [turn.answer for turn in lt.load_session(out).turns] == ["Paris", "London"]


def test_track_prints_session_json(tiny: lt.LoadedModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", "Who?", "--model", "tiny", "--json", "--max-new-tokens", "2", "--watch", "zebra"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert len(record["turns"]) == 1
    assert "zebra" in record["watch_words"]


def test_a_thought_is_printed_in_short_and_turned_off_and_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = thinking_model("opened_switched")
    monkeypatch.setattr(loading, "load", lambda *_, **__: model)
    arguments = ["track", "Who?", "--model", "tiny", "--max-new-tokens", "2", "--max-thought-tokens", "4"]
    assert main(arguments) == 0
    assert "[thought" not in capsys.readouterr().out
    assert main([*arguments, "--thinking", "on"]) == 0
    assert "tokens with its marks, closed at its limit]" in capsys.readouterr().out
    assert main([*arguments, "--thinking", "on", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["thinking"]["on"], record["thinking"]["limit"]) == (True, 4)
    assert record["turns"][0]["template_arguments"] == {"skip_reasoning": False}
    assert main([*arguments, "--date", "yesterday"]) == 2
    assert "“yesterday” is no date" in capsys.readouterr().err
    assert main([*arguments[:-1], "-1"]) == 2
    assert "A thought cannot have -1 tokens" in capsys.readouterr().err


def test_the_control_is_run_beside_each_correction_and_printed(
    tiny: lt.LoadedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["track", "Who?", "--correction", "No, Ada.", "--model", "tiny", "--max-new-tokens", "2", "--control"]
    assert main([*arguments, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    (control,) = record["controls"]
    assert control["turn"] == 1
    assert control["messages"][-1] == {"role": "user", "content": "Answer the question again."}
    assert len(control["steps"]) == len(control["answer_token_ids"])
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "[control of correction 1: merely asked again] Answer the question again." in printed
    assert "(asked again: " in printed


def test_without_a_model_the_default_is_named_on_standard_error(
    tiny: lt.LoadedModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "default_model_id", lambda: "embedded")
    assert main(["track", "Who?", "--max-new-tokens", "1"]) == 0
    assert "using “embedded”" in capsys.readouterr().err


def test_sampling_can_be_asked_for(tiny: lt.LoadedModel, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["track", "Who?", "--model", "tiny", "--json", "--temperature", "0.7", "--seed", "5", "--top-p", "0.9"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["decoding"] == {
        "method": "sample",
        "max_new_tokens": 16,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 5,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["track", ""], "question is empty"),
        (["track", "  \n "], "question is empty"),
        (["track", "Who?", "--correction", " "], "correction is empty"),
        (["track", "Who?", "--control"], "--control goes with --correction"),
        (["track", "Who?", "--recipe", "haiku"], "no recipe “haiku”"),
        (["track", "Who?", "--max-new-tokens", "0"], "at least one token"),
        (["track", "Who?", "--temperature", "0"], "temperature"),
        (["track", "word " * 3000], "reads 2,048 at most"),
        (["track", "a\x00b"], "NUL"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    arguments: list[str], message: str, tiny: lt.LoadedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--model", "tiny"]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.strip().count("\n") == 0
    assert printed.out == ""


def test_arguments_that_are_off_are_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["track"], ["track", "Who?", "--seed", "x"], ["nonsense"], []):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_what_nobody_foresaw_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "load", lambda *_, **__: 1 / 0)
    assert main(["track", "Who?", "--model", "tiny"]) == 2
    assert (
        capsys.readouterr().err == "llm-tracker: Something unexpected happened (ZeroDivisionError: division by zero).\n"
    )


def test_bad_input_is_refused_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "load", lambda *_, **__: pytest.fail("a model was loaded"))
    for arguments in (["track", " "], ["track", "Who?", "--recipe", "haiku"], ["track", "Who?", "--seed", "-1"]):
        assert main([*arguments, "--model", "tiny"]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_cannot_be_written_costs_no_answer(
    tiny: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(loading, "load", lambda *_, **__: tiny)
    (tmp_path / "file").write_text("")
    assert main(["track", "Who?", "--model", "tiny", "--out", str(tmp_path / "file" / "session")]) == 2
    said = capsys.readouterr()
    assert "Who?" in said.out
    assert "could not be written" in said.err


@pytest.mark.parametrize("command", ["track Who? --model embedded", "check embedded"])
def test_trust_is_given_by_two_switches_and_each_warns_on_standard_error(
    command: str, tiny: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trusted: list[lt.Trust] = []

    def load(_name: str, options: LoadOptions, *_: object) -> lt.LoadedModel:
        trusted.append(options.trust)
        return tiny

    monkeypatch.setattr(loading, "load", load)
    monkeypatch.setattr(checking, "load", load)
    for switches in ([], ["--trust-remote-code"], ["--allow-pickle"], ["--trust-remote-code", "--allow-pickle"]):
        assert main([*command.split(), *switches]) == 0
        warned = capsys.readouterr().err.splitlines()
        assert [line.split(":")[2].strip() for line in warned] == switches
        assert all("may run with your rights" in line or "a format that can run code" in line for line in warned)
    assert trusted == [lt.Trust(), lt.Trust(remote_code=True), lt.Trust(pickle=True), lt.Trust(True, True)]


@pytest.mark.parametrize("command", ["track Who?", "app"])
def test_trust_without_a_model_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--allow-pickle"]) == 2
    assert "--trust-remote-code and --allow-pickle go with --model" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["track Who? --model nonsense", "check nonsense", "check tests", "check ~nouser/x"])
def test_an_unknown_model_or_an_empty_directory_is_one_sentence_and_status_2(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(command.split()) == 2
    require_one_sentence(capsys.readouterr().err)


def test_the_module_is_the_command_and_ends_with_its_status() -> None:
    command = [sys.executable, "-m", "llm_tracker", "check", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    require_one_sentence(done.stderr)


def require_one_sentence(said: str) -> None:
    assert said.startswith("llm-tracker: ")
    assert said.strip().count("\n") == 0
    assert "Traceback" not in said


def test_check_prints_the_proof(tiny: lt.LoadedModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["check", "tiny"]) == 0
    assert "read exactly" in capsys.readouterr().out


def test_check_of_a_model_that_is_not_read_exactly_ends_with_1(
    tiny: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    broken = replace(tiny.proof, checks=(replace(tiny.proof.checks[1], ok=False, gap=0.5),))

    def refuse(*_: object, **__: object) -> None:
        raise NotExactError("off", tiny.adapter, tiny.examination._replace(proof=broken))

    monkeypatch.setattr(checking, "load", refuse)
    assert main(["check", "tiny"]) == 1
    printed = capsys.readouterr().out
    assert "NOT read exactly" in printed
    assert "OVER" in printed


def test_check_of_what_could_not_even_be_compared_says_inf(
    tiny: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    apart = replace(tiny.proof, checks=(replace(tiny.proof.checks[1], ok=False, gap=float("inf")),))
    monkeypatch.setattr(checking, "load", lambda *_, **__: replace(tiny, proof=apart))
    assert main(["check", "tiny"]) == 1
    assert "OVER  tail  inf  bound" in capsys.readouterr().out
    assert main(["check", "tiny", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["checks"][0]["gap"] is None


def test_models_lists_catalogue_adapters_and_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {"tinyllama", "embedded"} <= {entry["id"] for entry in record["models"]}
    assert {"LlamaAdapter", "MistralAdapter"} <= {adapter["name"] for adapter in record["adapters"]}
    assert record["failures"] == []
    assert main(["models"]) == 0
    assert "download 2.2 GB" in capsys.readouterr().out


def test_help_needs_no_engine() -> None:
    code = (
        "import sys\nfrom llm_tracker.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "COMMAND" in done.stdout
    assert done.stdout.strip().endswith("False")


def test_a_reader_that_has_seen_enough_ends_a_command_without_a_word() -> None:
    code = "import sys\nfrom llm_tracker.cli.main import main\nsys.exit(main(['models', '--json']))"
    done = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout is not None
    done.stdout.close()
    _, said = done.communicate()
    assert (done.returncode, said) == (1, b"")
