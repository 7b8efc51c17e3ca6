"""The command line: track, models, check, app. Exit 0 done, 1 something found wrong, 2 bad input."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from llm_tracker.errors import TrackerError, unforeseen
from llm_tracker.places import app_dir
from llm_tracker.progress import Progress, Report, silent
from llm_tracker.trust import Trust


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a failure is one line on standard error that says what to do."""
    args = _parser().parse_args(arguments)
    try:
        status: int = args.run(args)
    except TrackerError as error:
        print(f"llm-tracker: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        print(f"llm-tracker: {unforeseen(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("llm-tracker: stopped.", file=sys.stderr)
        return 130
    return status


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, without the usage in front."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}. Try: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="llm-tracker",
        description="Ask a local language model, correct it, and see what changed inside it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_track(commands)
    models = commands.add_parser("models", help="the catalogue, the adapters, the plug-ins, and what failed")
    models.add_argument("--json", action="store_true", help="as JSON")
    models.set_defaults(run=_models)
    check = commands.add_parser("check", help="load a model and prove that it is read exactly")
    check.add_argument("model", help="catalogue id, hub id, directory or .gguf file")
    _add_engine(check)
    check.add_argument("--json", action="store_true", help="as JSON")
    check.set_defaults(run=_check)
    app = commands.add_parser("app", help="serve the app in the browser")
    app.add_argument("--port", type=int, default=8501, help="default: 8501")
    app.add_argument(
        "--address",
        help="where to listen; default: on all of this machine's addresses, so that others in your network can open "
        "the app too. 127.0.0.1 keeps it to this machine",
    )
    app.add_argument("--model", help="the model to begin with; default: TinyLlama if it is here, else the built-in one")
    _add_engine(app)
    app.set_defaults(run=_app)
    return parser


def _add_track(commands: Any) -> None:
    track = commands.add_parser("track", help="ask, correct, and print or save what happened inside")
    track.add_argument("question")
    track.add_argument("--correction", action="append", default=[], metavar="TEXT", help="a further turn; repeatable")
    track.add_argument(
        "--control", action="store_true", help="beside each correction, ask again without one: the neutral control"
    )
    track.add_argument("--model", help="default: TinyLlama if it is in the local cache, else the built-in model")
    track.add_argument("--recipe", default="one-word", help="one-word (default), chat or raw")
    track.add_argument("--max-new-tokens", type=int, default=16, metavar="N", help="default: 16")
    _add_engine(track)
    track.add_argument("--temperature", type=float, metavar="X", help="sample with this temperature; default: greedy")
    track.add_argument("--top-p", type=float, default=1.0, metavar="X", help="sample from this much probability")
    track.add_argument("--seed", type=int, default=0, metavar="S", help="of the sampling")
    track.add_argument("--watch", action="append", default=[], metavar="WORD", help="follow this word; repeatable")
    track.add_argument("--out", metavar="DIR", help="write a session directory")
    track.add_argument("--json", action="store_true", help="print session.json instead of the views")
    track.set_defaults(run=_track)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", metavar="D", help="cpu, cuda, …; default: cuda where there is one")
    parser.add_argument(
        "--dtype", default="auto", metavar="T", help="float32, bfloat16, float16; default: the file's own"
    )
    parser.add_argument(
        "--trust-remote-code", action="store_true", help="let the model run code of its own here, with your rights"
    )
    parser.add_argument(
        "--allow-pickle", action="store_true", help="read weights from pickle files, which can run code"
    )


def _trust(args: argparse.Namespace) -> Trust:
    """What was allowed, with a warning for each on standard error. Raises InputError where no model was named."""
    from llm_tracker.errors import InputError

    trust = Trust(args.trust_remote_code, args.allow_pickle)
    for warning in trust.warnings(args.model):
        if not args.model:
            raise InputError("--trust-remote-code and --allow-pickle go with --model: they hold for that model alone.")
        print(f"llm-tracker: warning: {warning}", file=sys.stderr)
    return trust


def _track(args: argparse.Namespace) -> int:
    decoding, trust = _checked(args), _trust(args)
    from llm_tracker.cli.plain_text import session_text
    from llm_tracker.conversation.track import track
    from llm_tracker.models.loading.load import load_model
    from llm_tracker.models.loading.resolve import default_model_id
    from llm_tracker.storage.records import session_record
    from llm_tracker.storage.session_directory import save_session

    name = args.model
    if name is None:
        name = default_model_id()
        print(f"llm-tracker: no --model given; using “{name}”.", file=sys.stderr)
    with _progress_line() as report:
        model = load_model(name, args.device, args.dtype, report, trust=trust)
    session = track(
        model,
        args.question,
        args.correction,
        recipe=args.recipe,
        watch_words=args.watch,
        control=args.control,
        **decoding,
    )
    print(json.dumps(session_record(session), ensure_ascii=False, indent=1) if args.json else session_text(session))
    if args.out:  # last: an answer is not lost because a folder can't be written
        save_session(session, args.out)
    return 0


def _checked(args: argparse.Namespace) -> dict[str, Any]:
    """The decoding settings, once everything that needs no model has been checked. Raises InputError."""
    from llm_tracker.errors import InputError
    from llm_tracker.prompts.recipes import recipe_messages
    from llm_tracker.tracing.session import Decoding

    recipe_messages(args.recipe)
    settings = {name: getattr(args, name) for name in ("max_new_tokens", "temperature", "top_p", "seed")}
    Decoding(**settings)
    if args.control and not args.correction:
        raise InputError("--control goes with --correction: without a correction there is nothing to compare it with.")
    for what, texts in (("question", [args.question]), ("correction", args.correction), ("watch word", args.watch)):
        if not all(text.strip() for text in texts):
            raise InputError(f"The {what} is empty. Type one.")
    return settings


def _models(args: argparse.Namespace) -> int:
    from llm_tracker.cli.plain_text import models_text
    from llm_tracker.models.loading.listing import models_record

    record = models_record()
    print(json.dumps(record, ensure_ascii=False, indent=1) if args.json else models_text(record))
    return 0


def _check(args: argparse.Namespace) -> int:
    from llm_tracker.cli.plain_text import check_text
    from llm_tracker.models.loading.check import check
    from llm_tracker.models.plugins.manager import installed_plugins

    for failure in installed_plugins().failures:  # it may be the adapter that was to be checked
        where = f" ({failure.where})" if failure.where else ""
        print(f"llm-tracker: the plug-in “{failure.name}” is left out{where}: {failure.reason}", file=sys.stderr)
    trust = _trust(args)
    with _progress_line() as report:
        result = check(args.model, args.device, args.dtype, report, trust)
    print(json.dumps(result, indent=1) if args.json else check_text(result))
    return 0 if result["ok"] else 1


def _app(args: argparse.Namespace) -> int:
    """Become the process that `streamlit run dashboard.py` would be: it alone reads .streamlit/ beside the script."""
    from llm_tracker.models.loading.load import require_dtype
    from llm_tracker.models.loading.resolve import find_entry
    from llm_tracker.settings import Settings

    require_dtype(args.dtype)
    model = find_entry(args.model).id if args.model else ""
    _require_free(args.port, args.address)
    os.environ |= Settings(model, args.device, args.dtype, _trust(args)).as_environment()
    script = str(app_dir() / "dashboard.py")
    options = ["--server.port", str(args.port), "--server.headless", "true"]
    options += ["--server.address", args.address] if args.address else []
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", script, *options])


def _require_free(port: int, address: str | None) -> None:
    """Raise InputError where the app could not listen on this port."""
    from llm_tracker.errors import InputError

    try:
        socket.create_server((address or "", port)).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"The app cannot listen on port {port}{f' of {address}' if address else ''}: it is taken, or not allowed "
            "here. Choose another with --port."
        ) from error


@contextmanager
def _progress_line() -> Iterator[Report]:
    """Stages and downloads as one line on a terminal, written over and cleared at the end; silence elsewhere."""
    if not sys.stderr.isatty():
        yield silent
        return

    def report(progress: Progress) -> None:
        share = f" {progress.done_bytes / progress.total_bytes:.0%}" if progress.total_bytes else ""
        print(f"\r\033[K{progress.stage}{share} …", end="", file=sys.stderr, flush=True)

    try:
        yield report
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
