"""What the app is started with goes with it to its process, and what there is not costs nobody the app."""

from __future__ import annotations

import pytest

from llm_tracker.app.engine import Engine
from llm_tracker.settings import Settings


def test_what_was_chosen_is_carried_and_what_was_left_open_is_left_as_it_is() -> None:
    assert Settings("embedded", "cpu", "bfloat16").as_environment() == {
        "LLM_TRACKER_MODEL": "embedded",
        "LLM_TRACKER_DEVICE": "cpu",
        "LLM_TRACKER_DTYPE": "bfloat16",
    }
    assert Settings().as_environment() == {}


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TRACKER_MODEL", "smollm2")
    monkeypatch.setenv("LLM_TRACKER_DTYPE", "")
    assert Settings.of_environment() == Settings("smollm2")
    assert Engine().settings == Settings("smollm2")


@pytest.mark.parametrize(("name", "value"), [("LLM_TRACKER_MODEL", "nonsense"), ("LLM_TRACKER_DTYPE", "int3")])
def test_an_app_that_was_started_with_what_there_is_not_says_so_and_runs(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    engine = Engine()
    assert value in engine.settings_error
    assert engine.settings == Settings()
