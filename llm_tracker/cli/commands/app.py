"""`llm-tracker app`: serve the app in the browser."""

from __future__ import annotations

import argparse
import os
import re
import socket
import sys

from llm_tracker.cli.options import add_load_options, load_options
from llm_tracker.errors import InputError
from llm_tracker.places import app_dir
from llm_tracker.settings import Settings

HELP = "serve the app in the browser"

THIS_MACHINE = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens, and the model that it begins with."""
    parser.add_argument("--port", type=int, default=8501, help="default: 8501")
    parser.add_argument(
        "--address",
        default=THIS_MACHINE,
        help=f"where to listen; default: {THIS_MACHINE}, so that nobody else can open the app. 0.0.0.0 lets others in "
        "your network in: each sees the conversations of their own link only",
    )
    parser.add_argument(
        "--prefix",
        default="",
        help="the path under which a proxy hands on this app, such as /tracker for https://example.org/tracker/; "
        "default: none, the app has the host for itself",
    )
    parser.add_argument(
        "--model", help="the model to begin with; default: TinyLlama if it is here, else the built-in one"
    )
    add_load_options(parser)


def run(args: argparse.Namespace) -> int:
    """Become the process that `streamlit run dashboard.py` would be: it alone reads .streamlit/ beside the script."""
    from llm_tracker.models.loading.resolve import find_entry

    model = find_entry(args.model).id if args.model else ""
    settings = Settings(model, load_options(args))
    prefix = _path(args.prefix)
    _require_free(args.port, args.address)
    os.environ |= settings.as_environment()
    script = str(app_dir() / "dashboard.py")
    options = ["--server.port", str(args.port), "--server.headless", "true", "--server.address", args.address]
    options += ["--server.baseUrlPath", prefix] if prefix else []
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", script, *options])


def _path(prefix: str) -> str:
    """A prefix without the slashes around it. Raises InputError where no address can have it."""
    path = prefix.strip("/")
    if path and not re.fullmatch(r"[\w.~-]+(/[\w.~-]+)*", path, re.ASCII):
        raise InputError(f"--prefix {prefix} is no path of an address. Give one such as /tracker.")
    return path


def _require_free(port: int, address: str) -> None:
    """Raise InputError where the app could not listen on this port."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        socket.create_server((address, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"The app cannot listen on port {port} of {address}: it is taken, or not allowed "
            "here. Choose another with --port."
        ) from error
