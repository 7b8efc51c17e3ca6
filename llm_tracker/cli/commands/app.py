"""`llm-tracker app`: serve the app in the browser."""

from __future__ import annotations

import argparse
import os
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
        "--model", help="the model to begin with; default: TinyLlama if it is here, else the built-in one"
    )
    add_load_options(parser)


def run(args: argparse.Namespace) -> int:
    """Become the process that `streamlit run dashboard.py` would be: it alone reads .streamlit/ beside the script."""
    from llm_tracker.models.loading.resolve import find_entry

    model = find_entry(args.model).id if args.model else ""
    settings = Settings(model, load_options(args))
    _require_free(args.port, args.address)
    os.environ |= settings.as_environment()
    script = str(app_dir() / "dashboard.py")
    options = ["--server.port", str(args.port), "--server.headless", "true", "--server.address", args.address]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", script, *options])


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
