"""Why a plug-in cannot be used: a sentence that says what to change, and the line where.

`plugin_checks` finds what is wrong, `manager` leaves such a plug-in out and keeps its failure to be shown.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_tracker.errors import one_line


@dataclass(frozen=True)
class PluginFailure:
    """A plug-in that could not be used."""

    name: str
    reason: str
    """What is wrong and what to change, in a sentence or two."""
    where: str = ""
    """Such as “adapters/foo.py, line 3”; of an installed package its file in full; empty where no file is known."""


class PluginError(Exception):
    """What is wrong with a plug-in, and the functions, classes or exceptions that point at the line, best first."""

    def __init__(self, reason: str, *pointers: Any) -> None:
        super().__init__(reason)
        self.pointers = pointers


@dataclass(frozen=True)
class Home:
    """The code that a plug-in's author can change: one file, or the folder of a package."""

    path: Path | None
    shown: str = ""
    """How that one file is named on the screen; files of a package are named in full."""

    def where(self, *pointers: Any) -> str:
        """The first line of this code that one of the pointers leads to; the path alone where none does."""
        spots = (spot for pointer in pointers for spot in _spots(pointer))
        file, line = next((spot for spot in spots if self._has(spot[0])), (self.path, None))
        if file is None:
            return ""
        return f"{self.shown or file}, line {line}" if line else self.shown or str(file)

    def _has(self, file: str) -> bool:
        return self.path is not None and Path(file).resolve().is_relative_to(self.path.resolve())


def failure_of(name: str, home: Home, error: BaseException) -> PluginFailure:
    """The failure that an exception of a plug-in amounts to."""
    if isinstance(error, PluginError):
        return PluginFailure(name, str(error), home.where(*error.pointers))
    return PluginFailure(name, _reason(error), home.where(error))


def told(error: BaseException) -> str:
    """An exception's kind and its message, in one line that ends without a full stop."""
    kind, message = type(error).__name__, one_line(error)
    return kind if message == kind else f"{kind}: {message.rstrip('.')}"


def _reason(error: BaseException) -> str:
    """What to do about an exception that came up while a plug-in was being imported."""
    if isinstance(error, ModuleNotFoundError):
        return f"It imports “{error.name}”, which is not there. Install that, or correct the name."
    if isinstance(error, SyntaxError):
        return f"It is no valid Python: {error.msg}."
    if isinstance(error, SystemExit):
        return "It ends the program (SystemExit), which no plug-in may. Take the call of exit() away."
    return f"It raises {told(error)}."


def _spots(pointer: Any) -> Iterator[tuple[str, int | None]]:
    """File and line of whatever points at code, best first: of an exception its frames from the innermost outwards."""
    if not isinstance(pointer, BaseException):
        yield from _definition(pointer)
        return
    if isinstance(pointer, SyntaxError) and pointer.filename:
        yield pointer.filename, pointer.lineno
    for frame, line in reversed(list(traceback.walk_tb(pointer.__traceback__))):
        yield frame.f_code.co_filename, line


def _definition(thing: Any) -> Iterator[tuple[str, int | None]]:
    """Where a function or class has its `def` or `class`, below its decorators; nothing where it stands in no file."""
    try:
        file, (lines, first) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (OSError, TypeError):
        return
    heads = ("def ", "async def ", "class ")
    below = next((index for index, line in enumerate(lines) if line.lstrip().startswith(heads)), 0)
    if file is not None:
        yield file, first + below
