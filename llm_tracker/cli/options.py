"""What several commands share: how a model is loaded, JSON, and a line that shows how far a load has come."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from llm_tracker.errors import InputError
from llm_tracker.load_options import LoadOptions, Trust
from llm_tracker.progress import Progress, Report, silent


def add_load_options(parser: argparse.ArgumentParser) -> None:
    """Device, number format, and what a model may run here."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="D",
        help="cpu, cuda, …, or split: over all devices and the disk; default: cuda where there is one",
    )
    parser.add_argument(
        "--dtype", default="auto", metavar="T", help="float32, bfloat16, float16; default: the file's own"
    )
    parser.add_argument(
        "--trust-remote-code", action="store_true", help="let the model run code of its own here, with your rights"
    )
    parser.add_argument(
        "--allow-pickle", action="store_true", help="read weights from pickle files, which can run code"
    )


def load_options(args: argparse.Namespace) -> LoadOptions:
    """How the command's model is loaded; what is allowed of it is warned of on standard error.

    Raises ModelError for an unknown number format, InputError where something is allowed and no model was named.
    """
    trust = Trust(args.trust_remote_code, args.allow_pickle)
    for warning in _warnings(trust, args.model):
        if not args.model:
            raise InputError("--trust-remote-code and --allow-pickle go with --model: they hold for that model alone.")
        print(f"llm-tracker: warning: {warning}", file=sys.stderr)
    return LoadOptions(args.device, args.dtype, trust)


def _warnings(trust: Trust, model: str) -> Iterator[str]:
    """What each thing that was allowed means, a sentence or two each."""
    if trust.remote_code:
        yield (
            f"--trust-remote-code: Python code that comes with “{model}” may run with your rights: it can read, "
            "change and send whatever you can. Use it only for code that you have read."
        )
    if trust.pickle:
        yield (
            f"--allow-pickle: weights of “{model}” may be read from pickle files, a format that can run code. "
            "torch is told to read weights only; still, use it only for files whose author you trust."
        )


@contextmanager
def progress_line() -> Iterator[Report]:
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
