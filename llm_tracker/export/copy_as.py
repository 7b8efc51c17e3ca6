"""A view as code: the lines of Python, and the commands, that give exactly this view again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_tracker.export.archive import without_paths
from llm_tracker.tracing.session import Decoding, Session

FOLDER = "session"
"""Where the commands keep the conversation."""

FLAGS = {"words": "--word", "against_step": "--against-step"}
"""Options of `llm-tracker chart` that are not called as the keyword is."""


@dataclass(frozen=True)
class ViewCall:
    """A call of `lt.figure`: which view, of which turn, and what else is not as it would be anyway."""

    view: str
    turn: int
    against: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of `lt.figure`, those with None or False left out."""
    needs_model: bool = False

    @property
    def said(self) -> dict[str, Any]:
        """The keywords that say something."""
        return {name: value for name, value in self.options.items() if value is not None and value is not False}


def as_python(session: Session, call: ViewCall, other: Session | None = None) -> str:
    """The lines of Python that make the conversation and the view. `other` is the session of the turn before."""
    lines = ["import llm_tracker as lt", "", *_made("session", session)]
    against: str | int | None = call.against
    if other is not None and call.against is not None:
        lines += ["", *_made("other", other)]
        against = f"other.turns[{call.against}]"
    keywords = [f"turn={call.turn}", *([] if against is None else [f"against={against}"])]
    keywords += [f"{name}={value!r}" for name, value in call.said.items()]
    keywords += ["model=model"] if call.needs_model else []
    lines += ["", f'figure = lt.figure(session, "{call.view}", {", ".join(keywords)})']
    lines += ["figure.chart  # the numbers are in figure.frame"]
    return "\n".join(lines)


def as_command(session: Session, call: ViewCall, other: Session | None = None) -> str:
    """The commands that make the conversation and the view; with a reason where they cannot."""
    if other is not None:
        return "# Two conversations are compared here: the command line compares turns of one. Copy as Python instead."
    parts = ["llm-tracker", "chart", FOLDER, "--view", call.view, "--turn", str(call.turn)]
    parts += [] if call.against is None else ["--against", str(call.against)]
    for name, value in call.said.items():
        flag = FLAGS.get(name, f"--{name}")
        several = value if isinstance(value, (list, tuple)) else [value]
        parts += [flag] if value is True else [part for each in several for part in (flag, str(each))]
    parts += ["--model", without_paths(session).model.id] if call.needs_model else []
    parts += ["--out", f"{call.view}.png"]
    return f"{session_command(session)}\n{shlex.join(parts)}"


def session_command(session: Session) -> str:
    """The command that makes a conversation and keeps it in a folder."""
    if not is_remade(session):
        return f"# This conversation was steered by hand: export it, and unpack the archive to the folder {FOLDER}."
    first, *corrections = (turn.said for turn in session.turns)
    parts = ["llm-tracker", "track", first]
    for text in corrections:
        parts += ["--correction", text]
    parts += ["--control"] if session.controls else []
    for word in session.watch_words:
        parts += ["--watch", word]
    parts += ["--model", without_paths(session).model.id]
    for flag, value in _decoding_flags(session).items():
        parts += [flag, str(value)]
    return shlex.join([*parts, "--out", FOLDER])


def is_remade(session: Session) -> bool:
    """Whether the same calls give the same conversation: nothing was stopped by hand, and it is no branch."""
    by_hand = any(
        turn.ended == "stopped" or (turn.thought is not None and turn.thought.closed_by == "reader")
        for turn in session.turns
    )
    return not by_hand and session.parent is None and session.recipe in ("one-word", "chat", "raw")


def _decoding_flags(session: Session) -> dict[str, Any]:
    """The options of `llm-tracker track` that are not as they would be anyway."""
    now, usual = session.decoding, Decoding()
    flags: dict[str, Any] = {}
    if session.recipe != "one-word":
        flags["--recipe"] = session.recipe
    for name in ("max_new_tokens", "temperature", "top_p", "seed", "max_thought_tokens"):
        if getattr(now, name) != getattr(usual, name):
            flags[f"--{name.replace('_', '-')}"] = getattr(now, name)
    if session.template.thinks:
        flags["--thinking"] = "on"
    if session.template.date:
        flags["--date"] = session.template.date
    if session.model.dtype != "float32":
        flags["--dtype"] = session.model.dtype
    return flags


def _made(name: str, session: Session) -> list[str]:
    """The lines that make a conversation anew, or load it where it was steered by hand."""
    model = f'model = lt.load_model("{without_paths(session).model.id}"{_dtype(session)})'
    if not is_remade(session):
        return [model, f'{name} = lt.load_session("{name}")  # steered by hand: the folder of its exported archive']
    first, *corrections = (turn.said for turn in session.turns)
    arguments = ["model", repr(first)]
    if corrections:
        arguments.append(f"corrections={corrections!r}")
    if session.controls:
        arguments.append("control=True")
    if session.watch_words:
        arguments.append(f"watch_words={list(session.watch_words)!r}")
    for flag, value in _decoding_flags(session).items():
        keyword = flag.removeprefix("--").replace("-", "_")
        if keyword != "dtype":
            arguments.append(f"{keyword}={True if keyword == 'thinking' else value!r}")
    return [model, f"{name} = lt.track(", *(f"    {each}," for each in arguments), ")"]


def _dtype(session: Session) -> str:
    return "" if session.model.dtype == "float32" else f', dtype="{session.model.dtype}"'
