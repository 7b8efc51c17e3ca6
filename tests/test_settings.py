"""What the app is started with goes with it to its process, and what there is not costs nobody the app."""

from __future__ import annotations

import time

import pytest

from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job
from llm_tracker.errors import ModelError
from llm_tracker.load_options import AUTO, NOTHING, LoadOptions, Trust
from llm_tracker.models.loading.pool import ModelPool
from llm_tracker.settings import Settings

UNTRUSTED = {"LLM_TRACKER_TRUST_REMOTE_CODE": "", "LLM_TRACKER_ALLOW_PICKLE": ""}


def test_what_was_chosen_is_carried_and_what_was_left_open_is_left_as_it_is() -> None:
    assert Settings("embedded", LoadOptions("cpu", "bfloat16")).as_environment() == {
        "LLM_TRACKER_MODEL": "embedded",
        "LLM_TRACKER_DEVICE": "cpu",
        "LLM_TRACKER_DTYPE": "bfloat16",
        **UNTRUSTED,
    }
    assert Settings().as_environment() == UNTRUSTED


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


@pytest.mark.parametrize("trust", [NOTHING, Trust(remote_code=True), Trust(pickle=True), Trust(True, True)])
def test_trust_is_carried_with_the_model_that_it_holds_for(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Settings("owner/model", LoadOptions(trust=trust)).as_environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings.of_environment()
    assert settings.options.trust == settings.options_for("owner/model").trust == trust
    assert settings.options_for("owner/other") == settings.options_for("") == AUTO


@pytest.mark.parametrize("model", ["", "owner/other"])
def test_trust_of_another_start_does_not_hold(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TRACKER_TRUST_REMOTE_CODE", "owner/model")
    monkeypatch.setenv("LLM_TRACKER_MODEL", model)
    assert Settings.of_environment().options.trust == NOTHING


def test_the_app_trusts_the_model_that_it_was_started_with_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Settings("owner/model", LoadOptions(trust=Trust(True, True))).as_environment().items():
        monkeypatch.setenv(name, value)
    engine, trusted = Engine(), {}

    def load(name: str, options: LoadOptions, _report: object, _make_room: object) -> object:
        trusted[name] = options.trust
        raise ModelError("enough")

    engine.models.pool = ModelPool(1, load)
    for name in ("owner/model", "owner/other", "embedded"):
        job = engine.models.load(name)
        assert wait_for(job) == "failed"
    assert trusted == {"owner/model": Trust(True, True), "owner/other": NOTHING, "embedded": NOTHING}


def wait_for(job: Job) -> str:
    until = time.monotonic() + 10
    while job.active and time.monotonic() < until:
        time.sleep(0.01)
    return job.status
