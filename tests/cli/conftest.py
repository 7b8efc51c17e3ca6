"""A conversation in a folder, as `track --out` leaves it, and a tiny model in the place of every name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.loading import load as loading
from llm_tracker.studies import conduct


@pytest.fixture(scope="session")
def folder(tiny_llama: lt.LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two turns with a control, saved."""
    session = lt.track(
        tiny_llama,
        "Is Paris the capital?",
        ["No, London is it."],
        recipe="chat",
        max_new_tokens=3,
        watch_words=["London", "zebra"],
        control=True,
    )
    return lt.save_session(session, tmp_path_factory.mktemp("cli") / "session")


@pytest.fixture(scope="session")
def saved(folder: Path) -> lt.Session:
    """The conversation, read back."""
    return lt.load_session(folder)


Loads = list[tuple[str, LoadOptions]]


@pytest.fixture
def loads(tiny_llama: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch) -> Loads:
    """What was loaded, by which name and how; it is the tiny model every time."""
    seen: Loads = []

    def load(name: str, options: LoadOptions, *_: object) -> lt.LoadedModel:
        seen.append((name, options))
        return tiny_llama

    monkeypatch.setattr(loading, "load", load)
    monkeypatch.setattr(conduct, "find_entry", lambda name: replace(tiny_llama.entry, id=name, location=name))
    return seen
