"""One view of a saved experiment, for `llm-tracker chart --view correction`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError

if TYPE_CHECKING:
    from llm_tracker.figures.figure import Figure

VIEW = "correction"


def correction_figure(args: argparse.Namespace, kind: str) -> Figure:
    """The view that `--shows` names, of the experiment in the directory: the named word's path unless given.

    `--name` tells which attribution is drawn.

    Raises InputError where there is none.
    """
    from llm_tracker.figures.correction.views import experiment_figure
    from llm_tracker.storage.experiment_files import load_experiment

    if kind == "html":
        raise InputError("A view of an experiment is written as png, svg, csv, parquet or json (--format).")
    turn = None if args.turn < 0 else args.turn
    return experiment_figure(load_experiment(args.directory, turn), args.shows or "hand_over", args.name)
