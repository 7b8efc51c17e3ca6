"""`llm-tracker chart`: one view of a saved session, as a picture or as its data."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_tracker.cli.experiment_view import VIEW, correction_figure
from llm_tracker.cli.options import add_load_options, load_options, progress_line
from llm_tracker.errors import InputError
from llm_tracker.load_options import DTYPES, LoadOptions

if TYPE_CHECKING:
    from llm_tracker.figures.figure import Figure
    from llm_tracker.tracing.session import Session

HELP = "one view of a saved session, as a picture or as its data"
FORMATS = ("png", "svg", "html", "csv", "parquet", "json")
VIEWS = ("candidates", "layers", "attention", "tokens", "curves", "map", "heads", "pattern", "samples", VIEW)

OPTIONS = (
    "control compare_at step against_step difference measure over layer head against_layer against_head shows first "
    "cell query site by weighed limits n temperature seed"
).split()
"""Keywords of `lt.figure` that are options of the same name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The session, the view, and what of it is drawn."""
    parser.add_argument("directory", metavar="DIR", help="a session that `track --out` wrote")
    parser.add_argument("--view", required=True, choices=VIEWS, help="map, pattern and samples need the model")
    parser.add_argument("--turn", type=int, default=-1, metavar="N", help="from 0; default: the last")
    parser.add_argument("--against", type=int, metavar="N", help="the turn that stands before it")
    parser.add_argument("--against-session", metavar="DIR", help="the session of that turn, where it is another one")
    parser.add_argument("--compare-at", choices=("first", "answer"), default="first", help="the token of both answers")
    parser.add_argument("--control", action="store_true", help="the turn's neutral control in its place")
    parser.add_argument("--difference", action="store_true", help="with --against: what the turn has more")
    parser.add_argument("--step", type=int, metavar="N", help="the token that is looked at, from 0")
    parser.add_argument("--against-step", type=int, metavar="N", help="the token of the turn before")
    parser.add_argument("--word", action="append", metavar="WORD", help="a word to follow; repeatable; “” for none")
    parser.add_argument("--measure", metavar="M", help="lead, prob, rank, logit, entropy_nats, words, parked, …")
    parser.add_argument("--over", metavar="WORD", help="the word over which the first one leads")
    parser.add_argument("--layer", type=int, metavar="N", help="from 1")
    parser.add_argument("--head", type=int, metavar="N", help="from 1")
    parser.add_argument("--against-layer", type=int, metavar="N", help="of another model, whose layers are its own")
    parser.add_argument("--against-head", type=int, metavar="N", help="the same")
    parser.add_argument(
        "--shows",
        metavar="WHAT",
        help="of the map: next_prob, entropy_nats, “prob of Paris”, …; of a correction: hand_over, shift, margins, …",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="of a correction's attribution: after, asked_again, before, or difference"
    )
    parser.add_argument("--first", type=int, metavar="N", help="of map and pattern: the first position, from 0")
    parser.add_argument("--cell", type=_pair_of(int), metavar="LAYER,POSITION", help="of the map: what is outlined")
    parser.add_argument("--query", type=int, metavar="N", help="of the pattern: the place that is outlined, from 0")
    parser.add_argument("--limits", type=_pair_of(float), metavar="LOW,HIGH", help="the ends of the scale")
    parser.add_argument("--site", choices=("resid_post", "resid_mid"), default="resid_post", help="of the map")
    parser.add_argument("--by", choices=("word", "token"), default="word", help="of the pattern")
    parser.add_argument("--weighed", action="store_true", help="of heads: attention weighed by what it carries")
    parser.add_argument("--n", type=int, default=32, metavar="N", help="of samples: how many answers; default: 32")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T", help="of samples; default: 1")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of samples: the first one's; default: 0")
    parser.add_argument("--format", choices=FORMATS, help="default: by the name of --out")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="of a picture; default: light")
    parser.add_argument("--model", help="where the text is read once more; default: the session's own")
    add_load_options(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to write")


def _pair_of(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, Any]]:
    """Two numbers with a comma between them, as the parser reads them."""

    def read(text: str) -> tuple[Any, Any]:
        first, _, second = text.partition(",")
        try:
            return kind(first), kind(second)
        except ValueError:
            raise argparse.ArgumentTypeError(f"“{text}” is not two numbers with a comma between them") from None

    return read


def run(args: argparse.Namespace) -> int:
    """Draw the view and write it."""
    kind = _format(args)
    figure, session = _drawn(args, kind)
    content = _content(kind, args.theme, figure, session)
    path = Path(args.out)
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror}. Choose another place with --out.") from error
    print(f"{path}: {figure.title}. {figure.sentence}")
    return 0


def _drawn(args: argparse.Namespace, kind: str) -> tuple[Figure, Session | None]:
    """The figure, and the session that it is of; an experiment may stand in its directory without one."""
    if args.view == VIEW:
        return correction_figure(args, kind), None
    from llm_tracker.storage.session_directory import load_session

    session = load_session(args.directory)
    return _figure(args, session), session


def _format(args: argparse.Namespace) -> str:
    """What to write: as asked for, or as the file is called. Raises InputError."""
    kind = str(args.format or Path(args.out).suffix.removeprefix(".").lower())
    if kind not in FORMATS:
        raise InputError(f"“{args.out}” does not say what to write. Give --format, one of: {', '.join(FORMATS)}.")
    return kind


def _figure(args: argparse.Namespace, session: Session) -> Figure:
    from llm_tracker.figures.views import NEED_THE_MODEL, figure

    model = None
    if args.view in NEED_THE_MODEL or args.weighed:
        from llm_tracker.models.loading.load import load

        with progress_line() as report:
            model = load(args.model or session.model.id, _like(session, load_options(args)), report)
    options: dict[str, Any] = {name: getattr(args, name) for name in OPTIONS}
    if args.against_session is not None:
        from llm_tracker.storage.session_directory import load_session

        options["against_session"] = load_session(args.against_session)
    words = None if args.word is None else [word for word in args.word if word]
    return figure(session, args.view, args.turn, args.against, words=words, model=model, **options)


def _like(session: Session, options: LoadOptions) -> LoadOptions:
    """How the model is loaded: in the session's own number format, unless another is asked for."""
    is_open = options.dtype == "auto" and session.model.dtype in DTYPES
    return replace(options, dtype=session.model.dtype) if is_open else options


def _content(kind: str, theme: Any, figure: Figure, session: Session | None) -> str | bytes:
    from llm_tracker.export import images, tables

    if kind == "png":
        return images.png(images.captioned(figure), theme)
    if kind == "svg":
        return images.svg(images.captioned(figure), theme)
    if kind == "html" and session is not None:
        from llm_tracker.cli.commands.report import report_of

        return report_of(session, [figure])
    if kind == "parquet":
        return tables.parquet(figure.frame)
    return tables.csv(figure.frame) if kind == "csv" else tables.json_records(figure.frame)
