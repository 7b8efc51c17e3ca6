"""Runs what was copied from a page, and compares what comes of it with what the page had."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from chart_specs import of_kind
from thinking import thinking_model
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.models.catalogue import ModelEntry


@cache
def model_of(kind: str) -> lt.LoadedModel:
    """A tiny model that goes by the name of its kind."""
    model = tiny_model("llama") if kind == "llama" else thinking_model(kind)
    return replace(model, entry=ModelEntry(kind, kind, "directory", "nowhere"))


def run_python(lines: str) -> dict[str, Any]:
    """The names that the lines make."""
    made: dict[str, Any] = {}
    exec(compile(lines, "copied", "exec"), made)
    return made


def run_commands(lines: str) -> None:
    """Run each command as a shell would read it."""
    commands: list[list[str]] = []
    for word in shlex.split(lines, comments=True):
        if word == "llm-tracker":
            commands.append([])
        else:
            commands[-1].append(word)
    assert commands
    for command in commands:
        assert main(command) == 0, command


def require_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """The same numbers, but for what a KV cache of another length leaves to float32."""
    found, wanted = (frame.reset_index(drop=True) for frame in (one, other))
    pd.testing.assert_frame_equal(found, wanted, check_exact=False, atol=1e-4, rtol=1e-3, check_dtype=False)


def facts(session: lt.Session) -> tuple[Any, ...]:
    """All that makes a conversation what it is."""
    turns = [*enumerate(session.turns), *((-at, turn) for at, turn in session.controls.items())]
    return (
        [(at, turn.said, turn.prompt.token_ids, turn.trace.token_ids.tolist()) for at, turn in turns],
        session.watch_words,
        session.decoding,
        session.recipe,
        session.template,
    )


def read_csv(path: Path, like: pd.DataFrame) -> pd.DataFrame:
    """A table that was written, read back: texts to the letter, and numbers, of which an empty one is missing."""
    numbers = {str(name): [""] for name in like if pd.api.types.is_numeric_dtype(like[name])}
    opened = pd.read_csv(io.StringIO(path.read_text(encoding="utf-8")), keep_default_na=False, na_values=numbers)
    texts = {name: str for name in like if str(name) not in numbers}
    return opened.astype(texts)


def looks(figure: lt.Figure) -> tuple[list[Any], list[dict[str, Any]]]:
    """The ends of a figure's scales, and what it outlines."""
    rects = of_kind(figure.chart, "rect")
    scales = [
        mark.encoding.get(channel, {}).get("scale", {}).get("domain") for mark in rects for channel in ("opacity", "y")
    ]
    numbers = [[round(each, 3) if isinstance(each, float) else each for each in ends or ()] for ends in scales]
    return numbers, [row for mark in rects if mark.look.get("filled") is False for row in mark.rows]
