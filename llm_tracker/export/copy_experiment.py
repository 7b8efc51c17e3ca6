"""A view of an experiment as code: the lines of Python, and the commands, that give exactly this view again."""

from __future__ import annotations

import shlex
from typing import Any

from llm_tracker.experiments.values.conditions import AGAIN
from llm_tracker.experiments.values.experiment import Experiment, available
from llm_tracker.export.archive import without_paths
from llm_tracker.export.copy_as import FOLDER, is_remade, keyword_of, model_line, option, settings_of
from llm_tracker.tracing.session import Session

SETTINGS = ("--recipe", "--max-new-tokens", "--date", "--follow-template")
"""What `lt.experiment` can be told of how a conversation was made: its answers are greedy and without a thought."""

USUAL_ATTRIBUTION = "after"
"""The attribution that `lt.experiment_figure` draws unless another one is named."""


def experiment_python(session: Session, found: Experiment, view: str, name: str | None = None) -> str:
    """The lines of Python that make the experiment and the view; `name` tells which attribution is drawn."""
    lines = ["import llm_tracker as lt", ""]
    if _is_remade(session, found):
        arguments = ["model", repr(found.case.question)]
        arguments += [f"{keyword}={value!r}" for keyword, value in _keywords(session, found, view).items()]
        lines += [model_line(session), "experiment = lt.experiment(", *(f"    {each}," for each in arguments), ")"]
    else:
        lines += [f'session = lt.load_session("{FOLDER}")  # the folder of the exported archive']
        lines += [f"experiment = lt.experiment_of(session.experiments[{found.turn}])"]
    named = "" if name in (None, USUAL_ATTRIBUTION) else f', name="{name}"'
    lines += ["", f'figure = lt.experiment_figure(experiment, "{view}"{named})']
    return "\n".join([*lines, "figure.chart  # the numbers are in figure.frame"])


def experiment_command(session: Session, found: Experiment, view: str, name: str | None = None) -> str:
    """The commands that make the experiment and the view; `name` tells which attribution is drawn."""
    chart = ["llm-tracker", "chart", FOLDER, "--view", "correction", "--shows", view]
    chart += [] if name in (None, USUAL_ATTRIBUTION) else ["--name", str(name)]
    chart += ["--out", f"{view}.png"]
    if not _is_remade(session, found):
        comment = f"# Export this conversation, and unpack the archive to the folder {FOLDER}."
        return "\n".join([comment, shlex.join([*chart, "--turn", str(found.turn)])])
    return "\n".join([shlex.join(_making(session, found, view)), shlex.join(chart)])


def _is_remade(session: Session, found: Experiment) -> bool:
    """Whether a call of `lt.experiment` gives the same: of a question's first correction, its answer not sampled."""
    return found.turn == 1 and is_remade(session) and session.decoding.temperature is None


def _keywords(session: Session, found: Experiment, view: str) -> dict[str, Any]:
    """The keywords of `lt.experiment` that are not as they would be anyway."""
    case = found.case
    said = {
        "answer_aliases": list(case.answer_aliases),
        "foil_aliases": list(case.foil_aliases),
        "more_corrections": list(case.more),
        **{keyword_of(flag): value for flag, value in settings_of(session).items() if flag in SETTINGS},
        "n_wordings": _n_wordings(found),
        "window": _window(found, view),
        "only": ["grid"] if view == "grid" else None,
    }
    given = {"answer": case.answer, "foil": case.foil, "correction": case.correction}
    return {**given, **{keyword: value for keyword, value in said.items() if value}}


def _making(session: Session, found: Experiment, view: str) -> list[str]:
    """The words of the command that makes the experiment."""
    case = found.case
    is_flag_like = case.question.startswith("-")
    parts = ["llm-tracker", "experiment", *([] if is_flag_like else [case.question])]
    parts += [*option("--answer", "|".join(case.answers)), *option("--foil", "|".join(case.foils))]
    for flag, text in (("--correction", case.correction), *(("--also", each) for each in case.more)):
        parts += option(flag, text)
    parts += option("--model", without_paths(session).model.id)
    for flag, value in settings_of(session).items():
        if flag in (*SETTINGS, "--dtype"):
            parts += [flag] if value is True else option(flag, value)
    n_wordings, window = _n_wordings(found), _window(found, view)
    parts += [] if n_wordings is None else ["--wordings", str(n_wordings)]
    parts += [] if window is None else ["--window", *map(str, window)]
    parts += ["--only", "grid"] if view == "grid" else []
    return [*parts, "--out", FOLDER, *(["--", case.question] if is_flag_like else [])]


def _n_wordings(found: Experiment) -> int | None:
    """In how many ways each condition was asked, where these are not all."""
    n = sum(score.condition.name == "asked_again" for score in found.conditions)
    return n if 0 < n < len(AGAIN) else None


def _window(found: Experiment, view: str) -> tuple[int, int] | None:
    """The layers in which words were hidden, where these are not all; the grid is made without hiding any."""
    hidden = available(found.knock_outs)
    whole = (1, found.model.n_layers)
    return None if hidden is None or hidden.layers == whole or view == "grid" else hidden.layers
