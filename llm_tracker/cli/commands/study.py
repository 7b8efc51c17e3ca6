"""`llm-tracker study`: a question set under many corrections -> results.parquet, summary.json, report.html."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from llm_tracker.cli.options import add_load_options, load_options, progress_line

if TYPE_CHECKING:
    from llm_tracker.studies.conduct import StudyProgress
    from llm_tracker.studies.values.plan import Plan
    from llm_tracker.studies.values.study import Study

HELP = "many questions, many corrections, several models"

FOLDER = "study"
"""Where a study is written unless another place is named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The questions, what is said about the answers, who is asked, and where it is written."""
    parser.add_argument(
        "questions",
        metavar="FILE",
        help="CSV, JSON Lines or Parquet with the columns question, answer, foil; or “questions”, our own set",
    )
    parser.add_argument("--first", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--model", action="append", metavar="ID", help="repeatable; default: as of `track`")
    parser.add_argument(
        "--condition",
        action="append",
        metavar="NAME",
        help="what is said about each answer; repeatable, or “all”; default: asked_again, own_answer_hidden, right, "
        "wrong, wrong_alternative, mention, negation, are_you_sure",
    )
    parser.add_argument(
        "--correction",
        action="append",
        default=[],
        metavar="TEXT",
        help="a correction of your own, with {answer}, {foil} or {named} (the word to give in to); repeatable",
    )
    parser.add_argument("--wordings", type=int, default=1, metavar="N", help="ways to say each, 1 to 4; default: 1")
    parser.add_argument("--chain", action="store_true", help="also five turns of pressure, one after another")
    parser.add_argument("--inside", action="store_true", help="also the lens, the named word's path, and its heads")
    parser.add_argument("--recipe", default="one-word", help="one-word (default) or chat")
    parser.add_argument("--engine", default="local", choices=["local", "ray"], help="who does the work; default: local")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes, or Ray's actors; default: a core or GPU each"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the bootstrap; default: 0")
    parser.add_argument("--date", metavar="DAY", help="what a chat template writes as today's date, such as 2026-01-31")
    add_load_options(parser)
    parser.add_argument("--out", default=FOLDER, metavar="DIR", help=f"a folder, or a URL; default: {FOLDER}")
    parser.add_argument("--resume", action="store_true", help="go on with what is in that folder")


def run(args: argparse.Namespace) -> int:
    """Everything that needs no model is checked first."""
    from llm_tracker.cli.study_text import study_text
    from llm_tracker.progress import ended
    from llm_tracker.studies.conduct import stream_study
    from llm_tracker.studies.statistics.summary import summary

    plan = _plan(args)
    with progress_line() as report:
        steps = stream_study(plan, args.out, args.engine, args.workers, args.resume, report=report)
        try:
            found = ended(steps, _show)
        except KeyboardInterrupt:
            print(f"\n{args.out} keeps what was found so far: repeat the command with --resume.", file=sys.stderr)
            raise
    made = summary(found)
    _write_report(found, made, args)
    print(study_text(found, made))
    print(f"\n{args.out}: {len(found.rows):,} rows in results.parquet; summary.json and report.html beside it.")
    return 1 if _has_failed_checks(found) else 0


def _has_failed_checks(found: Study) -> bool:
    """Whether an exact check failed; what it is of has been left out, and said so."""
    left_out = found.tables["left_out"]
    if not left_out["is_failed_check"].any():
        return False
    print("llm-tracker: an exact check failed; left_out.parquet has which, and of which questions.", file=sys.stderr)
    return True


def _plan(args: argparse.Namespace) -> Plan:
    from llm_tracker.models.loading.resolve import default_model_id
    from llm_tracker.studies.conduct import make_plan
    from llm_tracker.studies.folder import begun_on
    from llm_tracker.studies.values.conditions import USUAL
    from llm_tracker.studies.values.reading import read_questions

    questions = read_questions(args.questions)
    models = args.model
    args.model = models[0] if models else None  # what is allowed of a model is warned of by its name
    options = load_options(args)
    if not models:
        models = [default_model_id()]
        print(f"llm-tracker: no --model given; using “{models[0]}”.", file=sys.stderr)
    return make_plan(
        questions if args.first is None else questions.first(args.first),
        models,
        args.condition or USUAL,
        args.correction,
        args.wordings,
        args.recipe,
        args.chain,
        args.inside,
        args.seed,
        args.date or (begun_on(args.out) if args.resume else None),
        options,
    )


def _show(progress: StudyProgress) -> None:
    """A line on how far it has come; on a terminal it is written over."""
    left = "" if progress.seconds_left is None else f", {_time(progress.seconds_left)} left"
    line = f"{progress.n_done} of {progress.n_blocks} blocks of questions ({progress.share:.0%}){left}"
    is_terminal = sys.stderr.isatty()
    print(f"\r\033[K{line}" if is_terminal else line, end="" if is_terminal else "\n", file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes >= 2 else f"about {round(seconds)} s"


def _write_report(found: Study, made: dict[str, Any], args: argparse.Namespace) -> None:
    """report.html, beside the rows."""
    from llm_tracker.export.study_report import study_command, study_report
    from llm_tracker.studies.folder import REPORT, write_text

    command = study_command(found, args.questions, args.out, args.first)
    write_text(args.out, REPORT, study_report(found, made, command))
