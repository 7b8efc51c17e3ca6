"""What corrections did, as files of a session's directory: experiment.json, of further turns experiment-<i>.json."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.records import experiment_of
from llm_tracker.languages.texts import later, say

EXPERIMENT = "experiment.json"

NONE = later(
    "There is no experiment in {folder}. Make one with `llm-tracker experiment … --out DIR`, or export a conversation "
    "that has one."
)
NONE_ON_TURN = later(
    "There is no experiment on turn {turn} in {folder}. Make one with `llm-tracker experiment … --out DIR`, or export "
    "a conversation that has one."
)


def experiment_file(turns: Collection[int], turn: int) -> str:
    """The file of one of several turns' experiments."""
    return EXPERIMENT if turn == min(turns) else f"experiment-{turn}.json"


def experiment_records(folder: Path) -> list[dict[str, Any]]:
    """The records of a directory. Raises OSError, or ValueError for what is no JSON."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("experiment*.json"))]


def load_experiment(directory: str | Path, turn: int | None = None) -> Experiment:
    """The experiment of a directory, with or without the session beside it: on a turn's correction, or on the last.

    Raises InputError where there is none, or one that cannot be read.
    """
    folder = Path(directory)
    try:
        found = {each.turn: each for each in map(experiment_of, experiment_records(folder))}
    except (OSError, ValueError) as error:
        raise InputError(
            say("An experiment in {folder} cannot be read ({kind}).", folder=folder, kind=type(error).__name__)
        ) from error
    wanted = max(found, default=None) if turn is None else turn
    if wanted not in found:
        text = NONE if turn is None else NONE_ON_TURN
        raise InputError(say(text, turn=turn, folder=folder))
    return found[wanted]
