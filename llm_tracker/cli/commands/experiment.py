"""`llm-tracker experiment`: what a correction did, against its controls, and where in the model."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

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
        "verdict, paraphrases, grid; default: all but the grid",
    )
    parser.add_argument(
        "--wordings", type=int, default=4, metavar="N", help="ways to say each condition, 1 to 4; default: 4"
    )
    add_load_options(parser)
    parser.add_argument("--out", metavar="DIR", help="write experiment.json there")
    parser.add_argument("--json", action="store_true", help="print experiment.json instead of the views")


def run(args: argparse.Namespace) -> int:
    """Everything that needs no model is checked first."""
    from llm_tracker.experiments.values.case import Case
    from llm_tracker.experiments.values.parts import require_parts

    answer, *answer_aliases = _words(args.answer)
    foil, *foil_aliases = _words(args.foil)
    only = require_parts(args.only)
    if not 1 <= args.wordings <= 4:
        raise InputError(f"Each condition can be said in 1 to 4 ways; {args.wordings} were asked for (--wordings).")
    if not args.question.strip():
        raise InputError("The question is empty. Type one.")
    Case(args.question, answer, foil, args.correction, "", tuple(answer_aliases), tuple(foil_aliases), tuple(args.also))
    options = load_options(args)
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
    found = experiment(
        model,
        args.question,
        answer,
        foil,
        args.correction,
        recipe=args.recipe,
        answer_aliases=answer_aliases,
        foil_aliases=foil_aliases,
        more_corrections=args.also,
        only=only,
        n_wordings=args.wordings,
    )
    record = json.dumps(experiment_record(found), ensure_ascii=False, indent=1)
    print(record if args.json else experiment_text(found))
    if args.out:
        _write(Path(args.out), record)
    return 0 if all(check.ok for check in found.checks) else 1


def _words(text: str) -> list[str]:
    """A word and its aliases."""
    return [word for each in text.split("|") if (word := each.strip())] or [""]


def _write(folder: Path, record: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "experiment.json").write_text(record, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The experiment could not be written to {folder}: {error.strerror}. Choose another folder (--out)."
        ) from error
