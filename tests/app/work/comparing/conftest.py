"""As on the Compare page: every model of the catalogue is on this machine, and each is a tiny one."""

from __future__ import annotations

import pytest
from comparing import by_name
from visitor import Loader

from llm_tracker.app.work import model_desk


@pytest.fixture(autouse=True)
def all_are_here(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: True)
    loader.load = by_name
