"""A view of an experiment as code: the lines of Python, and the commands, that give exactly this view again."""

from __future__ import annotations

import json
import shlex

from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.export.archive import without_paths
from llm_tracker.export.copy_as import FOLDER, is_remade, session_python
from llm_tracker.tracing.session import Session


def experiment_python(session: Session, found: Experiment, view: str) -> str:
    """The lines of Python that make the experiment and the view."""
    case = found.case
    if found.turn == 1 and is_remade(session):
        words = [f"answer={case.answer!r}", f"foil={case.foil!r}"]
        named = {
            "answer_aliases": case.answer_aliases,
            "foil_aliases": case.foil_aliases,
            "more_corrections": case.more,
        }
        words += [f"{name}={list(value)!r}" for name, value in named.items() if value]
        words += [f"recipe={session.recipe!r}"] if session.recipe != "one-word" else []
        words += ['only=["hand_over", "grid"]'] if view == "grid" else []
        arguments = ["model", repr(case.question), *words, f"correction={case.correction!r}"]
        model = json.dumps(without_paths(session).model.id, ensure_ascii=False)
        lines = ["import llm_tracker as lt", "", f"model = lt.load_model({model})", "experiment = lt.experiment("]
        lines += [*(f"    {each}," for each in arguments), ")"]
    else:
        made = session_python(session)
        loaded = f'kept = lt.load_session("{FOLDER}")  # the folder of the exported archive'
        lines = [made, loaded, f"experiment = lt.experiment_of(kept.experiments[{found.turn}])"]
    lines += ["", f'figure = lt.experiment_figure(experiment, "{view}")']
    return "\n".join([*lines, "figure.chart  # the numbers are in figure.frame"])


def experiment_command(session: Session, found: Experiment, view: str) -> str:
    """The commands that make the experiment and the view."""
    chart = ["llm-tracker", "chart", FOLDER, "--view", "correction", "--shows", view, "--out", f"{view}.png"]
    case = found.case
    if found.turn != 1 or not is_remade(session):
        comment = f"# Export this conversation, and unpack the archive to the folder {FOLDER}."
        return "\n".join([comment, shlex.join([*chart, "--turn", str(found.turn)])])
    parts = ["llm-tracker", "experiment", case.question]
    parts += ["--answer", "|".join(case.answers), "--foil", "|".join(case.foils), "--correction", case.correction]
    for text in case.more:
        parts += ["--also", text]
    parts += ["--model", without_paths(session).model.id]
    parts += ["--recipe", session.recipe] if session.recipe != "one-word" else []
    parts += ["--only", "hand_over", "--only", "grid"] if view == "grid" else []
    return "\n".join([shlex.join([*parts, "--out", FOLDER]), shlex.join(chart)])
