"""What is computed only when it is asked for: offered, begun, watched, stopped, kept, and let go."""

from __future__ import annotations

from collections.abc import Hashable
from types import SimpleNamespace

import pytest
from explore import LAYERS, computed, gone_to
from fake_work import FakeEngine, ended, fake_session
from visitor import corrected, shown_html, told, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work import workspace as workspaces
from llm_tracker.app.work.background import control_of
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.on_demand import map_of, read_map
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace

FIRST = map_of(TurnRef(1, 0), "resid_post")


def test_it_stays_while_it_is_computed_anew(engine: engines.Engine) -> None:
    at = computed(engine, told(engine, "", LAYERS), FIRST)
    charts = len(at.get("vega_lite_chart"))
    workspace = visitor(engine)
    workspace.job = Job("map", subject=FIRST, status="running")
    at.run()
    assert len(at.get("vega_lite_chart")) == charts
    assert at.button(key=f"stop {FIRST}").label == "Stop"
    workspace.job = None


@pytest.mark.parametrize("subject", [control_of(TurnRef(1, 0)), map_of(TurnRef(1, 0), "resid_mid")], ids=str)
def test_a_press_while_something_else_is_being_computed_says_so(engine: engines.Engine, subject: Hashable) -> None:
    at = told(engine, "", LAYERS)
    workspace = visitor(engine)
    workspace.job = Job("other", subject=subject, status="running")
    at.button(key=f"begin {FIRST}").click().run()
    assert [each.value for each in at.toast] == [
        "Not begun: something else is being computed. Press again once it is there."
    ]
    assert workspace.job.subject == subject
    workspace.job = None


def test_a_word_that_is_followed_since_is_read_on_demand(engine: engines.Engine) -> None:
    at = computed(engine, told(engine, "", LAYERS), FIRST)
    at = gone_to(corrected(gone_to(at, "dashboard.py"), "No, Oslo."), LAYERS)
    at = at.segmented_control(key="arrangement of 4").set_value("before").run()
    again = at.button(key=f"begin {FIRST}")
    assert again.label == "Read again, for “Oslo” too"
    at = computed(engine, at, FIRST)
    assert "Oslo" in visitor(engine).computed[FIRST].watched


def test_work_that_is_stopped_leaves_all_as_it_was() -> None:
    session = fake_session()
    workspace = Workspace(sessions={1: session})
    read_map(FakeEngine(), workspace, FIRST, ())
    ended(workspace, status="stopped", error="Stopped.")
    assert workspace.collect()
    assert (workspace.errors, workspace.computed, workspace.sessions) == ({}, {}, {1: session})


def test_what_fails_says_why_where_the_views_say_it(engine: engines.Engine) -> None:
    at = told(engine, "", LAYERS)
    workspace = visitor(engine)
    workspace.errors[workspaces.VIEWS] = "Something went wrong. Try again."
    at = at.run()
    assert "Something went wrong. Try again." in shown_html(at)
    assert computed(engine, at, FIRST)
    assert workspace.errors == {}


def test_past_a_bound_of_bytes_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_tracker.app.work.keeping.computed.MAX_COMPUTED_BYTES", 100)
    workspace = Workspace(sessions={1: fake_session(n_turns=4)})
    subjects = [map_of(TurnRef(1, turn), "resid_post") for turn in range(4)]
    for subject in subjects:
        read_map(FakeEngine(), workspace, subject, ())
        ended(workspace, result=SimpleNamespace(n_bytes=40))
        workspace.collect()
    assert list(workspace.computed) == subjects[2:]
    assert workspace.n_bytes >= 80


def test_what_was_computed_of_a_conversation_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspaces, "MAX_SESSIONS", 1)
    workspace = Workspace(sessions={1: fake_session(), 2: fake_session()})
    workspace.keep_computed(FIRST, SimpleNamespace(n_bytes=1))
    workspace.show(TurnRef(2, 0), None)
    assert workspace.sessions.keys() == {2}
    assert workspace.computed == {}
