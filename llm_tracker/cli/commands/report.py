"""`llm-tracker report`: a saved session as one self-contained page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError

if TYPE_CHECKING:
    from llm_tracker.figures.figure import Figure
    from llm_tracker.tracing.session import Session

HELP = "a saved session as one self-contained page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The session, and where the page goes."""
    parser.add_argument("directory", metavar="DIR", help="a session that `track --out` wrote")
    parser.add_argument("--out", required=True, metavar="FILE.html", help="the file to write")


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from llm_tracker.figures.overview import overview
    from llm_tracker.storage.session_directory import load_session

    session, path = load_session(args.directory), Path(args.out)
    page = report_of(session, overview(session))
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror}. Choose another place with --out.") from error
    print(f"{path}: {len(session.turns)} turns of {session.model.title}")
    return 0


def report_of(session: Session, figures: Sequence[Figure]) -> str:
    """The page of a session with these figures."""
    from llm_tracker.export.report import session_report

    return session_report(session, figures)
