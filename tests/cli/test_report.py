"""`llm-tracker report`: a saved session as one page with all its figures, and one line where it cannot be."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.figures import overview
from llm_tracker.models.loading import load as loading


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "load", lambda *_, **__: pytest.fail("a model was loaded"))


def test_the_page_has_every_turn_and_every_figure_of_the_overview(
    folder: Path, saved: lt.Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    assert main(["report", str(folder), "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 2 turns of tiny\n"
    page = path.read_text(encoding="utf-8")
    for turn in (*saved.turns, *saved.controls.values()):
        assert html.escape(turn.said) in page
    figures = lt.overview(saved)
    start = page.index(">", page.index('type="application/json"')) + 1
    specs = json.loads(page[start : page.index("</script>", start)])["specs"]
    assert [spec["datasets"] for spec in specs] == [figure.chart.to_dict()["datasets"] for figure in figures]
    assert page.count('role="img"') == len(figures)
    assert "llm-tracker report session --out report.html" in page
    assert str(tmp_path) not in page, "nothing of this machine"


def test_a_session_with_one_turn_and_one_without_attention_have_a_page_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = lt.track(tiny_model("mamba"), "Who?", recipe="chat", max_new_tokens=1)
    folder = lt.save_session(session, tmp_path / "session")
    assert main(["report", str(folder), "--out", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count('role="img"') == 4


@pytest.mark.parametrize(
    ("place", "out", "message"),
    [
        ("nowhere", "x.html", "nowhere holds no complete session"),
        ("session", "nowhere/x.html", "nowhere/x.html could not be written: No such file"),
        ("session", ".", ". could not be written: Is a directory"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_line_and_status_2(
    place: str,
    out: str,
    message: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(overview, "overview", lambda _: [])
    assert main(["report", str(folder) if place == "session" else place, "--out", out]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"llm-tracker: {message}")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["session"], ["--out", "x.html"]])
def test_arguments_that_are_off_are_one_line_and_status_2(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["report", *options])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
