"""`llm-tracker`: finds its commands in commands/ and runs one. Exit 0 done, 1 something found wrong, 2 bad input."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NoReturn

from llm_tracker.cli import commands
from llm_tracker.errors import TrackerError, unforeseen
from llm_tracker.quiet import quiet_process
from llm_tracker.settings import with_flags


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a failure is one line on standard error that says what to do."""
    quiet_process()
    args = _parsed(arguments)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except TrackerError as error:
        print(f"llm-tracker: {with_flags(error)}", file=sys.stderr)
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


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; one that a command does not know is said with the help of that command."""
    args, unknown = _parser().parse_known_args(arguments)
    if unknown:
        args.refuse(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="llm-tracker",
        description="Ask a local language model, correct it, and see what changed inside it.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}", help="print it, and exit")
    added = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in _commands():
        own = added.add_parser(name, help=command.HELP)
        command.add_arguments(own)
        own.set_defaults(run=command.run, refuse=own.error)
    return parser


def _version() -> str:
    """Of the installed package, which has it from pyproject.toml: it stands nowhere else."""
    try:
        return importlib.metadata.version("llm-inference-tracker")
    except importlib.metadata.PackageNotFoundError:
        return "from a checkout"


def _commands() -> Iterator[tuple[str, ModuleType]]:
    """Every command's name and module, in the order of their names."""
    for found in pkgutil.iter_modules(commands.__path__):
        yield found.name, importlib.import_module(f"{commands.__name__}.{found.name}")
