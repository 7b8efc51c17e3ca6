"""A view as code: the lines of Python, and the commands, that give exactly this view again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_tracker.export.archive import without_paths
from llm_tracker.tracing.session import Decoding, Session

FOLDER, OTHER_FOLDER = "session", "other"
"""Where the commands keep the conversation, and the other one that a turn before is of."""

FLAGS = {"words": "--word"}
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
    """The lines of Python that make the conversation and the view.

    `other` is the session of the turn before, where that is another one.
    """
    lines = ["import llm_tracker as lt", ""]
    lines += [] if other is None else [*_made("other", other), ""]
    lines += _made("session", session)  # last: `model` is the one that gave its answers
    keywords = [f"turn={call.turn}", *([] if call.against is None else [f"against={call.against}"])]
    keywords += [] if other is None else ["against_session=other"]
    keywords += [f"{name}={value!r}" for name, value in call.said.items()]
    keywords += ["model=model"] if call.needs_model else []
    lines += ["", f'figure = lt.figure(session, "{call.view}", {", ".join(keywords)})']
    lines += ["figure.chart  # the numbers are in figure.frame"]
    return "\n".join(lines)


def session_python(session: Session) -> str:
    """The lines of Python that make a conversation."""
    return "\n".join(["import llm_tracker as lt", "", *_made("session", session)])


def as_command(session: Session, call: ViewCall, other: Session | None = None) -> str:
    """The commands that make the conversation and the view. `other` is the session of the turn before."""
    parts = ["llm-tracker", "chart", FOLDER, "--view", call.view, "--turn", str(call.turn)]
    parts += [] if call.against is None else ["--against", str(call.against)]
    parts += [] if other is None else ["--against-session", OTHER_FOLDER]
    for name, value in call.said.items():
        flag = FLAGS.get(name, f"--{name.replace('_', '-')}")
        parts += [flag] if value is True else [part for each in _values(value) for part in option(flag, each)]
    parts += option("--model", without_paths(session).model.id) if call.needs_model else []
    parts += ["--out", f"{call.view}.png"]
    made = [] if other is None else [session_command(other, OTHER_FOLDER)]
    return "\n".join([*made, session_command(session), shlex.join(parts)])


def _values(value: Any) -> list[Any]:
    """What an option is given, once for each: a pair of numbers as one text; no word as an empty one."""
    if isinstance(value, tuple) and not any(isinstance(each, str) for each in value) and value:
        return [",".join(map(repr, value))]
    return list(value) or [""] if isinstance(value, (list, tuple)) else [value]


def option(flag: str, value: Any) -> list[str]:
    """An option with its value; one that begins with a dash would be taken for another option."""
    text = str(value)
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]


def session_command(session: Session, folder: str = FOLDER) -> str:
    """The command that makes a conversation and keeps it in a folder."""
    if not is_remade(session):
        return f"# This conversation was steered by hand: export it, and unpack the archive to the folder {folder}."
    first, *corrections = (turn.said for turn in session.turns)
    parts = ["llm-tracker", "track", *([] if first.startswith("-") else [first])]
    for text in corrections:
        parts += option("--correction", text)
    parts += ["--control"] if session.controls else []
    for word in session.watch_words:
        parts += option("--watch", word)
    parts += option("--model", without_paths(session).model.id)
    for flag, value in settings_of(session).items():
        parts += [flag] if value is True else option(flag, value)
    return shlex.join([*parts, "--out", folder, *(["--", first] if first.startswith("-") else [])])


def is_remade(session: Session) -> bool:
    """Whether the same calls give the same conversation: nothing was stopped by hand, and it is no branch."""
    by_hand = any(
        turn.ended == "stopped" or (turn.thought is not None and turn.thought.closed_by == "reader")
        for turn in session.turns
    )
    return not by_hand and session.parent is None and session.recipe in ("one-word", "chat", "raw")


def settings_of(session: Session) -> dict[str, Any]:
    """The options of `llm-tracker track` that are not as they would be anyway; True of those without a value."""
    now, usual = session.decoding, Decoding()
    flags: dict[str, Any] = {}
    if session.recipe != "one-word":
        flags["--recipe"] = session.recipe
    for name in ("max_new_tokens", "temperature", "top_p", "seed", "max_thought_tokens"):
        if getattr(now, name) != getattr(usual, name):
            flags[f"--{name.replace('_', '-')}"] = getattr(now, name)
    if session.template.thinks:
        flags["--thinking"] = "on"
    elif session.template.arguments and session.recipe != "one-word":  # one-word answers are without a thought anyway
        flags["--thinking"] = "off"
    if session.template.date:
        flags["--date"] = session.template.date
    if session.template.follow:
        flags["--follow-template"] = True
    if not _is_usual(session):
        flags["--dtype"] = session.model.dtype
    return flags


def _made(name: str, session: Session) -> list[str]:
    """The lines that make a conversation anew, or load it where it was steered by hand."""
    model = model_line(session)
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
    for flag, value in settings_of(session).items():
        if flag != "--dtype":
            arguments.append(f"{keyword_of(flag)}={value == 'on' if flag == '--thinking' else value!r}")
    return [model, f"{name} = lt.track(", *(f"    {each}," for each in arguments), ")"]


def model_line(session: Session) -> str:
    """The line that loads a conversation's model."""
    dtype = "" if _is_usual(session) else f', dtype="{session.model.dtype}"'
    return f"model = lt.load_model({json.dumps(without_paths(session).model.id, ensure_ascii=False)}{dtype})"


def keyword_of(flag: str) -> str:
    """What Python calls an option."""
    return flag.removeprefix("--").replace("-", "_")


def _is_usual(session: Session) -> bool:
    """Whether the model is in this number format anyway: of GGUF files, such as the built-in one, float32 is made."""
    model = session.model
    return model.dtype == "float32" and (model.id == "embedded" or model.id.endswith(".gguf"))
