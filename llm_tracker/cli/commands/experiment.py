"""`llm-tracker experiment`: what a correction did, against its controls, and where in the model."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from llm_tracker.cli.options import add_load_options, load_options, progress_line
from llm_tracker.errors import InputError

HELP = "what a correction did: controls, causes, and where it travels"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, the two words, the correction, and which parts to run."""
    parser.add_argument("question")
    parser.add_argument("--answer", required=True, metavar="W", help="the right word; aliases behind “|”")
    parser.add_argument("--foil", required=True, metavar="W", help="a wrong word of the same kind; aliases behind “|”")
    parser.add_argument("--correction", required=True, metavar="TEXT", help="what is said about the answer")
    parser.add_argument(
        "--also", action="append", default=[], metavar="TEXT", help="a further correction to score; repeatable"
    )
    parser.add_argument("--model", help="default: TinyLlama if it is in the local cache, else the built-in model")
    parser.add_argument("--recipe", default="one-word", help="one-word (default), chat or raw")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="run this part; repeatable: hand_over, conditions, knock_out, heads, lens, attribution, frozen_route, "
        "verdict, paraphrases, grid (with hand_over); default: all but the grid",
    )
    parser.add_argument(
        "--wordings", type=int, default=4, metavar="N", help="ways to say each condition, 1 to 4; default: 4"
    )
    parser.add_argument(
        "--window", type=int, nargs=2, metavar=("FIRST", "LAST"), help="hide words in these layers; default: in all"
    )
    parser.add_argument("--max-new-tokens", type=int, default=16, metavar="N", help="of each answer; default: 16")
    parser.add_argument("--follow-template", action="store_true", help="the chat template to the letter (see `track`)")
    parser.add_argument("--date", metavar="DAY", help="what a chat template writes as today's date, such as 2026-01-31")
    add_load_options(parser)
    parser.add_argument("--out", metavar="DIR", help="write experiment.json there")
    parser.add_argument("--json", action="store_true", help="print experiment.json instead of the views")


def run(args: argparse.Namespace) -> int:
    """Everything that needs no model is checked first: a load takes seconds, a download minutes."""
    asked, options = _asked(args), load_options(args)
    file = _file_in(Path(args.out)) if args.out else None
    from llm_tracker.cli.experiment_text import experiment_text
    from llm_tracker.experiments.conduct import experiment
    from llm_tracker.experiments.values.records import experiment_record
    from llm_tracker.models.loading.load import load
    from llm_tracker.models.loading.resolve import default_model_id

    name = args.model
    if name is None:
        name = default_model_id()
        print(f"llm-tracker: no --model given; using “{name}”.", file=sys.stderr)
    with progress_line() as report:
        model = load(name, options, report)
    found = experiment(model, args.question, **asked)
    record = json.dumps(experiment_record(found), ensure_ascii=False, indent=1)
    print(record if args.json else experiment_text(found))
    if file is not None:
        _write(file, record)
    return 0 if all(check.ok for check in found.checks) else 1


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    """What `lt.experiment` is asked for, as far as it can be checked without a model. Raises InputError."""
    from llm_tracker.experiments.values.case import Case
    from llm_tracker.experiments.values.parts import require_parts, require_wordings
    from llm_tracker.prompts.recipes import recipe_messages
    from llm_tracker.tracing.session import Decoding

    answer, *answer_aliases = _words(args.answer)
    foil, *foil_aliases = _words(args.foil)
    only = require_parts(args.only)
    require_wordings(args.wordings)
    recipe_messages(args.recipe)
    Decoding(args.max_new_tokens)
    if not args.question.strip():
        raise InputError("The question is empty. Type one.")
    if args.window and not 1 <= args.window[0] <= args.window[1]:
        given = " and ".join(map(str, args.window))
        raise InputError(f"Give the first and the last layer, from 1; {given} were given (--window).")
    Case(args.question, answer, foil, args.correction, "", tuple(answer_aliases), tuple(foil_aliases), tuple(args.also))
    return {
        "answer": answer,
        "foil": foil,
        "correction": args.correction,
        "answer_aliases": answer_aliases,
        "foil_aliases": foil_aliases,
        "more_corrections": args.also,
        "only": only,
        "n_wordings": args.wordings,
        "window": tuple(args.window) if args.window else None,
        **{name: getattr(args, name) for name in ("recipe", "max_new_tokens", "follow_template", "date")},
    }


def _words(text: str) -> list[str]:
    """A word and its aliases."""
    return [word for each in text.split("|") if (word := each.strip())] or [""]


def _file_in(folder: Path) -> Path:
    """What is written in a folder, which is made: one that cannot be had is refused before anything is computed."""
    from llm_tracker.storage.experiment_files import EXPERIMENT

    file = folder / EXPERIMENT
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error.strerror) from error
    if file.is_dir() or not os.access(file if file.exists() else folder, os.W_OK):
        raise _unwritable(folder, "it is not to be written to")
    return file


def _write(file: Path, record: str) -> None:
    try:
        file.write_text(record, encoding="utf-8")
    except OSError as error:
        raise _unwritable(file.parent, error.strerror) from error


def _unwritable(folder: Path, why: str | None) -> InputError:
    return InputError(f"The experiment cannot be written to {folder}: {why}. Choose another folder (--out).")
