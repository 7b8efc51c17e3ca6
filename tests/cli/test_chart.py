"""`llm-tracker chart`: every view of a saved session in every format, and one line where it cannot be."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from copied import read_csv
from PIL import Image, ImageColor
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.cli.commands import chart
from llm_tracker.cli.main import main
from llm_tracker.export.theme import LOOKS
from llm_tracker.figures import views
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.loading import load as loading

Loads = list[tuple[str, LoadOptions]]
Draw = Callable[..., Path]

VIEWS = [view for view in chart.VIEWS if view != "correction"]  # which test_experiment draws


@pytest.fixture
def draw(folder: Path, loads: Loads, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Draw:
    """Runs the command, which has to succeed, and returns the file that it wrote."""

    def run(view: str, *options: str, name: str = "view.csv") -> Path:
        path = tmp_path / name
        assert main(["chart", str(folder), "--view", view, *options, "--out", str(path)]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        assert said.out.startswith(f"{path}: ")
        return path

    return run


@pytest.fixture
def drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same call in another format is not drawn anew."""
    known: dict[str, lt.Figure] = {}
    figure = views.figure

    def once(session: lt.Session, *given: Any, **options: Any) -> lt.Figure:
        key = f"{given} {options}"
        if key not in known:
            known[key] = figure(session, *given, **options)
        return known[key]

    monkeypatch.setattr(views, "figure", once)


def figure_of(saved: lt.Session, model: lt.LoadedModel, view: str, *given: Any, **options: Any) -> lt.Figure:
    needs = view in views.NEED_THE_MODEL or options.get("weighed")
    return lt.figure(saved, view, *given, model=model if needs else None, **options)


def require_same(opened: pd.DataFrame, frame: pd.DataFrame) -> None:
    """The same columns, texts to the letter, numbers to the last digit that a float32 has; nothing stays nothing."""
    assert list(opened.columns) == list(frame.columns)
    assert len(opened) == len(frame)
    for name in frame:
        if pd.api.types.is_numeric_dtype(frame[name]):
            values = pd.to_numeric(opened[name]).to_numpy(dtype=float)
            np.testing.assert_allclose(values, frame[name].to_numpy(dtype=float), rtol=1e-6, atol=1e-12)
        else:
            assert opened[name].tolist() == frame[name].tolist()


def json_of(path: Path) -> pd.DataFrame:
    records = json.loads(
        path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    return pd.DataFrame(records)


def specs_of(page: str) -> list[dict[str, Any]]:
    """The charts of a report."""
    start = page.index('type="application/json"')
    start = page.index(">", start) + 1
    specs: list[dict[str, Any]] = json.loads(page[start : page.index("</script>", start)])["specs"]
    return specs


def test_the_command_knows_every_view() -> None:
    assert set(VIEWS) == set(views.VIEWS)


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("view", VIEWS)
def test_its_data_opens_as_the_numbers_of_the_view(
    draw: Draw, saved: lt.Session, tiny_llama: lt.LoadedModel, view: str
) -> None:
    frame = figure_of(saved, tiny_llama, view, 1, 0).frame
    asked = ["--turn", "1", "--against", "0"]
    require_same(read_csv(draw(view, *asked, name="view.csv"), frame), frame)
    require_same(json_of(draw(view, *asked, name="view.json")), frame)
    opened = pd.read_parquet(draw(view, *asked, name="view.parquet"))
    pd.testing.assert_frame_equal(opened, frame.reset_index(drop=True), check_exact=True, check_dtype=False)


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("view", VIEWS)
def test_its_pictures_and_its_page_hold_the_chart(
    draw: Draw, saved: lt.Session, tiny_llama: lt.LoadedModel, view: str
) -> None:
    figure = figure_of(saved, tiny_llama, view)
    image = Image.open(draw(view, name="view.png"))
    assert (image.format, image.width) == ("PNG", 2 * 760)
    assert len(image.convert("RGB").getcolors(image.width * image.height) or []) > 30
    root = ElementTree.fromstring(draw(view, name="view.svg").read_text(encoding="utf-8"))
    said = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert len(said) > 3
    page = draw(view, name="view.html").read_text(encoding="utf-8")
    (spec,) = specs_of(page)
    drawn = [json.dumps(rows, sort_keys=True) for rows in spec["datasets"].values()]
    wanted = [json.dumps(rows, sort_keys=True) for rows in figure.chart.to_dict()["datasets"].values()]
    assert sorted(drawn) == sorted(wanted)
    assert html.escape(figure.title) in page
    assert saved.turns[1].said in page


@pytest.mark.parametrize(
    ("view", "options", "given"),
    [
        ("candidates", "--turn 1 --against 0 --difference", {"turn": 1, "against": 0, "difference": True}),
        ("candidates", "--turn -2 --step 2 --word zebra", {"turn": -2, "step": 2, "words": ["zebra"]}),
        ("candidates", "--word=", {"words": []}),
        ("layers", "--measure prob --word=", {"measure": "prob", "words": []}),
        ("layers", "--word zebra --over London", {"words": ["zebra"], "over": "London"}),
        ("attention", "--layer 2 --head 3 --control", {"layer": 2, "head": 3, "control": True}),
        ("tokens", "--against 0 --difference --measure entropy_nats", {"against": 0, "difference": True}),
        ("curves", "--against 0 --step 2 --against-step 1", {"against": 0, "step": 2, "against_step": 1}),
        (
            "heads",
            "--measure parked --against -2 --difference",
            {"measure": "parked", "against": -2, "difference": True},
        ),
        ("heads", "--weighed --word London", {"weighed": True, "words": ["London"]}),
        ("map", "--first 3 --site resid_mid", {"first": 3, "site": "resid_mid"}),
        ("map", "--against 0 --difference --first 0", {"against": 0, "difference": True, "first": 0}),
        ("pattern", "--by token --layer 1 --head 2 --first 9", {"by": "token", "layer": 1, "head": 2, "first": 9}),
    ],
)
def test_every_option_is_that_of_the_call(
    draw: Draw, saved: lt.Session, tiny_llama: lt.LoadedModel, view: str, options: str, given: dict[str, Any]
) -> None:
    frame = figure_of(saved, tiny_llama, view, **given).frame
    require_same(read_csv(draw(view, *options.split()), frame), frame)


def test_what_the_map_shows_may_have_spaces(draw: Draw, saved: lt.Session, tiny_llama: lt.LoadedModel) -> None:
    shows = "lead of London over zebra"
    frame = figure_of(saved, tiny_llama, "map", shows=shows).frame
    require_same(read_csv(draw("map", "--shows", shows), frame), frame)


def test_the_format_is_that_of_the_name_unless_it_is_given(draw: Draw) -> None:
    frame = pd.read_csv(draw("tokens", name="tokens.CSV"))
    assert len(frame) == 3
    assert draw("tokens", name="tokens.PNG").read_bytes().startswith(b"\x89PNG")
    assert len(json_of(draw("tokens", "--format", "json", name="tokens.csv"))) == 3
    assert draw("tokens", "--format", "svg", name="no-suffix").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_has_the_colours_of_its_theme(draw: Draw, theme: Any) -> None:
    image = Image.open(io.BytesIO(draw("tokens", "--theme", theme, name="tokens.png").read_bytes())).convert("RGB")
    assert image.getpixel((2, 2)) == ImageColor.getrgb(LOOKS[theme].background)
    svg = draw("tokens", "--theme", theme, name="tokens.svg").read_text(encoding="utf-8")
    assert LOOKS[theme].background in svg


def test_it_says_what_it_wrote_and_what_that_says(
    folder: Path, saved: lt.Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokens.csv"
    assert main(["chart", str(folder), "--view", "tokens", "--out", str(path)]) == 0
    figure = lt.figure(saved, "tokens")
    assert capsys.readouterr().out == f"{path}: {figure.title}. {figure.sentence}\n"


def test_only_what_reads_the_text_once_more_loads_the_model_and_in_the_sessions_own_way(
    draw: Draw, loads: Loads
) -> None:
    for view in sorted(set(VIEWS) - set(views.NEED_THE_MODEL)):
        draw(view)
    assert loads == []
    draw("map")
    draw("map", "--model", "another", "--dtype", "bfloat16", "--device", "cpu")
    draw("heads", "--weighed")
    assert [(name, options.dtype, options.device) for name, options in loads] == [
        ("tiny", "float32", "auto"), ("another", "bfloat16", "cpu"), ("tiny", "float32", "auto"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--view tokens --out x.txt", "“x.txt” does not say what to write. Give --format, one of: png, svg"),
        ("--view tokens --out x", "does not say what to write"),
        ("--view tokens --turn 2 --out x.csv", "There is no turn 2: the session has turns 0 to 1."),
        ("--view tokens --against 5 --out x.csv", "There is no turn 5"),
        ("--view tokens --step 3 --out x.csv", "There is no step 3: this answer has steps 0 to 2."),
        ("--view tokens --step -1 --out x.csv", "There is no step -1"),
        ("--view tokens --turn 0 --control --out x.csv", "The first answer has no control"),
        ("--view tokens --difference --out x.csv", "or another session is of two answers: say which stands before"),
        ("--view tokens --against-step 0 --out x.csv", "is of two answers: say which stands before this one"),
        ("--view tokens --measure lead --out x.csv", "There is no measure “lead” here. Choose one of: prob"),
        ("--view layers --word London --out x.csv", "A lead is of one word over another"),
        ("--view attention --layer 9 --out x.csv", "There is no layer 9: this model has layers 1 to 3."),
        ("--view attention --head 9 --out x.csv", "There is no head 9"),
        ("--view map --shows nonsense --out x.csv", "The map has no “nonsense”. It has: next_prob"),
        ("--view pattern --layer 0 --out x.csv", "There is no layer 0"),
        ("--view tokens --against 0 --against-session nowhere --out x.csv", "nowhere holds no complete session"),
        ("--view map --dtype float12 --out x.csv", "There is no number format “float12”"),
        ("--view map --allow-pickle --out x.csv", "go with --model"),
        ("--view tokens --out nowhere/x.csv", "nowhere/x.csv could not be written: No such file"),
        ("--view tokens --format csv --out .", ". could not be written: Is a directory"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_status_2(
    options: str,
    message: str,
    folder: Path,
    loads: Loads,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["chart", str(folder), *options.split()]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("llm-tracker: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "nothing was written"


@pytest.mark.parametrize(
    "options",
    ["", "--view tokens", "--view nothing --out x.csv", "--view tokens --format gif --out x", "--view map --site x",
     "--view pattern --by letter --out x.csv", "--view tokens --turn one --out x.csv", "--view tokens --theme blue",
     "--view map --cell 3 --out x.csv", "--view map --limits low,high --out x.csv"],
)  # fmt: skip
def test_arguments_that_are_off_are_one_line_and_status_2(
    options: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["chart", str(folder), *options.split()])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_without_a_session_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (tmp_path / "nowhere", tmp_path):
        assert main(["chart", str(place), "--view", "tokens", "--out", str(tmp_path / "x.csv")]) == 2
        said = capsys.readouterr().err
        assert f"{place} holds no complete session" in said
        assert said.count("\n") == 1


def test_other_weights_than_those_that_answered_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tiny_model("llama", num_hidden_layers=2)
    monkeypatch.setattr(loading, "load", lambda *_, **__: other)
    for view in (*views.NEED_THE_MODEL, "heads"):
        more = ["--weighed"] if view == "heads" else []
        assert main(["chart", str(folder), "--view", view, *more, "--out", str(tmp_path / "x.csv")]) == 2
        assert "given by other weights" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise lt.ModelNotFoundError("There is no model “tiny”. Type another.")

    monkeypatch.setattr(loading, "load", refuse)
    assert main(["chart", str(folder), "--view", "map", "--out", str(tmp_path / "x.csv")]) == 2
    assert capsys.readouterr().err == "llm-tracker: There is no model “tiny”. Type another.\n"


@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize("kind", chart.FORMATS)
def test_a_word_that_was_not_read_is_an_empty_view_in_every_format(draw: Draw, kind: str) -> None:
    assert draw("layers", "--measure", "prob", "--word", "Oslo", name=f"layers.{kind}").stat().st_size > 0
