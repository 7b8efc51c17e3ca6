"""Wrong arguments of a command are told at once, with where to read about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_tracker.cli.main import main


def test_an_option_that_a_command_does_not_know_is_said_with_that_commands_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["chart", "session", "--view", "heads", "--out", "c.csv", "--words", "London"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "llm-tracker chart: unrecognized arguments: --words London. Try: llm-tracker chart --help\n"
    )


def test_a_file_in_the_way_of_the_session_is_told_before_the_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["track", "What is it?", "--model", "no such model", "--out", str(tmp_path / "notes.txt")]) == 2
    assert "notes.txt is a file. Choose a folder for the session (--out)." in capsys.readouterr().err
