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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens, and the model that it begins with."""
    parser.add_argument("--port", type=int, default=8501, help="default: 8501")
    parser.add_argument(
        "--address",
        help="where to listen; default: on all of this machine's addresses, so that others in your network can open "
        "the app too. 127.0.0.1 keeps it to this machine",
    )
    parser.add_argument(
        "--model", help="the model to begin with; default: TinyLlama if it is here, else the built-in one"
    )
    add_load_options(parser)


def run(args: argparse.Namespace) -> int:
    """Become the process that `streamlit run dashboard.py` would be: it alone reads .streamlit/ beside the script."""
    from llm_tracker.models.loading.resolve import find_entry

    model = find_entry(args.model).id if args.model else ""
    _require_free(args.port, args.address)
    os.environ |= Settings(model, load_options(args)).as_environment()
    script = str(app_dir() / "dashboard.py")
    options = ["--server.port", str(args.port), "--server.headless", "true"]
    options += ["--server.address", args.address] if args.address else []
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", script, *options])


def _require_free(port: int, address: str | None) -> None:
    """Raise InputError where the app could not listen on this port."""
    try:
        socket.create_server((address or "", port)).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"The app cannot listen on port {port}{f' of {address}' if address else ''}: it is taken, or not allowed "
            "here. Choose another with --port."
        ) from error
