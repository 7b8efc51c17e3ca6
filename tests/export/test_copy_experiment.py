"""Copied lines of Python, and copied commands, are run: they give an experiment's view again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from copied import model_of, read_csv, require_same, run_commands, run_python

import llm_tracker as lt
from llm_tracker.experiments.values.findings import KnockOuts
from llm_tracker.export.copy_as import FOLDER
from llm_tracker.export.copy_experiment import experiment_command, experiment_python
from llm_tracker.progress import ended

pytestmark = pytest.mark.usefixtures("loads")

QUESTION, CORRECTION = "Is Bonn the capital?", "No, it is Rome."
WINDOW = (2, 2)
CHAT = {"recipe": "chat"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "as it is by itself": ("llama", {}),
    "of a longer answer, to the letter of its template": (
        "llama",
        {**CHAT, "max_new_tokens": 20, "follow_template": True},
    ),
    "on another day": ("kept", {**CHAT, "thinking": False, "date": "2026-01-31"}),
    "with texts that look like options": ("llama", {"question": "-h", "correction": "-no", "more": ("--also", "-5")}),
    "with texts that a shell could take for code": ("llama", {"question": "It's `ls` $HOME\n?", "more": ('"; #',)}),
    "with other names of both words": ("llama", {**CHAT, "answers": ("-Bonn", "Old Bonn"), "foils": ("Rome", "-R")}),
    "sampled": ("llama", {**CHAT, "temperature": 0.9, "seed": 3}),
    "of a later correction": ("llama", {**CHAT, "turn": 2}),
}


@cache
def made(kind: str = "as it is by itself", only: tuple[str, ...] = ("conditions",)) -> tuple[lt.Session, lt.Experiment]:
    """A conversation, and an experiment on one of its corrections."""
    name, asked = KINDS[kind]
    usual: dict[str, Any] = {"question": QUESTION, "correction": CORRECTION, "turn": 1, "max_new_tokens": 2}
    asked = {**usual, "answers": ("Bonn",), "foils": ("Rome",), "more": (), **asked}
    question, correction, turn = (asked.pop(key) for key in ("question", "correction", "turn"))
    (answer, *others), (foil, *more_foils), more = (asked.pop(key) for key in ("answers", "foils", "more"))
    session = lt.track(model_of(name), question, [correction] * turn, **asked)
    own = session.turns[turn - 1]
    case = lt.Case(own.said, answer, foil, correction, own.answer, tuple(others), tuple(more_foils), more)
    found = ended(lt.stream_experiment(model_of(name), session, turn, case, only, 1, window=WINDOW))
    return lt.with_experiment(session, found), found


def require_given_again(session: lt.Session, found: lt.Experiment, view: str, name: str | None = None) -> None:
    """The view comes of the lines of Python, and of the commands."""
    wanted = lt.experiment_figure(found, view, name)
    figure = run_python(experiment_python(session, found, view, name))["figure"]
    require_same(figure.frame, wanted.frame)
    assert (figure.title, figure.sentence) == (wanted.title, wanted.sentence)
    run_commands(experiment_command(session, found, view, name).replace(f"--out {view}.png", f"--out {view}.csv"))
    require_same(read_csv(Path(f"{view}.csv"), wanted.frame), wanted.frame)


@pytest.mark.parametrize("kind", KINDS)
def test_the_view_of_an_experiment_is_given_again(kind: str, tmp_path: Path) -> None:
    session, found = made(kind)
    if kind in ("sampled", "of a later correction"):  # these have no call that makes them: they are kept in a folder
        lt.save_session(session, tmp_path / FOLDER)
    require_given_again(session, found, "margins")


@pytest.mark.parametrize("name", ["after", "difference"])
def test_the_attribution_that_is_on_screen_is_given_again(name: str) -> None:
    session, found = made(only=("attribution",))
    require_given_again(session, found, "attribution", name)
    assert (f'name="{name}"' in experiment_python(session, found, "attribution", name)) == (name != "after")


@pytest.mark.parametrize("view", ["hidden", "grid"])
def test_words_are_hidden_in_the_layers_that_they_were_hidden_in_and_the_grid_is_made(view: str) -> None:
    session, found = made("as it is by itself", ("hand_over", "knock_out", "grid"))
    assert isinstance(found.knock_outs, KnockOuts)
    assert found.knock_outs.layers == WINDOW
    require_given_again(session, found, view)


def test_what_is_as_it_would_be_anyway_is_not_said() -> None:
    session, found = made()
    usual = replace(session, decoding=lt.Decoding(), model=replace(session.model, id="embedded", dtype="float32"))
    whole = replace(found, conditions=())
    assert experiment_command(usual, whole, "hidden").splitlines()[0] == shlex.join(
        [
            *("llm-tracker", "experiment", QUESTION, "--answer", "Bonn", "--foil", "Rome"),
            *("--correction", CORRECTION, "--model", "embedded", "--out", FOLDER),
        ]
    )
    lines = experiment_python(usual, whole, "hidden").splitlines()
    assert lines[2:5] == ['model = lt.load_model("embedded")', "experiment = lt.experiment(", "    model,"]
    assert lines[5:10] == [
        f"    {QUESTION!r},",
        "    answer='Bonn',",
        "    foil='Rome',",
        f"    correction={CORRECTION!r},",
        ")",
    ]


def test_the_number_format_is_that_of_the_conversation(loads: list[tuple[str, str]]) -> None:
    session, found = made()
    other = replace(session, model=replace(session.model, dtype="bfloat16"))
    run_python(experiment_python(other, found, "margins"))
    assert loads == [("llama", "bfloat16")]
    assert "--dtype bfloat16" in experiment_command(other, found, "margins")


def test_an_experiment_that_is_kept_in_a_folder_is_read_without_a_model(
    loads: list[tuple[str, str]], tmp_path: Path
) -> None:
    session, found = made("sampled")
    lt.save_session(session, tmp_path / FOLDER)
    assert run_python(experiment_python(session, found, "margins"))["experiment"] == found
    assert loads == []
    assert experiment_command(session, found, "margins").startswith("# Export this conversation")
