"""A visitor's workspace keeps every answer, loses nothing to a second click or a second tab, and is bounded."""

from __future__ import annotations

from typing import Any

import pytest
from fake_work import FakeEngine, ended
from fake_work import fake_session as session

from llm_tracker.app.work import workspace as workspaces_module
from llm_tracker.app.work.asking import ask, ask_same, correct
from llm_tracker.app.work.background import follow, read_step, run_control
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.on_demand import (
    begin_branch,
    begin_samples,
    branch_of,
    complete,
    map_of,
    pattern_of,
    read_map,
    read_pattern,
    read_values,
    samples_of,
    values_of,
    whole_of,
)
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspace import VIEWS, Workspace
from llm_tracker.app.work.workspaces import Workspaces


def answered(workspace: Workspace, result: Any) -> int:
    """Ask a question that is answered at once, and take its answer over; the number of its session."""
    ask(FakeEngine(), workspace, "Why?")
    ended(workspace, result)
    workspace.collect()
    return max(workspace.sessions)


def test_an_answer_is_shown_by_itself_and_a_correction_beside_what_it_corrects() -> None:
    workspace = Workspace()
    answered(workspace, session())
    assert workspace.shown == (TurnRef(1, 0), None)
    correct(FakeEngine(), workspace, TurnRef(1, 0), "No.")
    ended(workspace, session(n_turns=2))
    workspace.collect()
    assert workspace.shown == (TurnRef(1, 0), TurnRef(1, 1))


def test_earlier_answers_stay_when_something_else_is_asked() -> None:
    workspace = Workspace()
    first, second = session(), session()
    for each in (first, second):
        answered(workspace, each)
    assert workspace.sessions == {1: first, 2: second}


def test_what_was_read_of_an_answer_takes_its_place_unless_that_went_on_or_is_gone() -> None:
    workspace, answer, fuller, corrected = Workspace(), session(), session(), session(n_turns=2)
    workspace.sessions[1] = answer
    workspace.keep_fuller(1, fuller)
    assert workspace.sessions[1] is fuller
    workspace.sessions[1] = corrected
    workspace.keep_fuller(1, answer)
    workspace.keep_fuller(2, answer)
    assert workspace.sessions == {1: corrected}


def test_a_session_is_known_as_it_is_now_also_when_it_is_not_kept_any_more() -> None:
    workspace, answer, fuller = Workspace(), session(), session()
    assert workspace.current(answer, 1) is answer
    workspace.sessions[1] = fuller
    assert workspace.current(answer, 1) is fuller


def test_a_number_is_never_used_twice() -> None:
    workspace = Workspace()
    first = workspace.sessions.add(session())
    del workspace.sessions[first]
    assert workspace.sessions.add(session()) != first


def test_a_word_that_could_not_be_read_for_another_reason_is_not_refused_for_ever() -> None:
    workspace = Workspace(sessions={1: session()})
    follow(FakeEngine(), workspace, 1, "Rome")
    ended(workspace, status="failed", error="The model is gone.")
    workspace.collect()
    assert workspace.refused_words == set()
    workspace.forget_views_error()
    assert workspace.errors == {}


def test_answers_that_are_not_kept_any_more_cannot_be_chosen() -> None:
    first, second = session(), session()
    workspace = Workspace(sessions={1: first, 2: second})
    workspace.show(TurnRef(1, 0), TurnRef(2, 0))
    newest = ((TurnRef(1, 0), TurnRef(2, 0)), (first, second))
    assert workspace.turns_or_newest((TurnRef(1, 0), TurnRef(7, 0))) == newest
    assert workspace.turns_or_newest((TurnRef(1, 3),)) == newest
    assert workspace.turns_or_newest((TurnRef(2, 0),)) == ((TurnRef(2, 0),), (second,))


def test_a_question_that_cannot_begin_leaves_the_work_in_the_background_alone() -> None:
    workspace = Workspace()
    control = Job("control", status="running")
    workspace.job = control
    with pytest.raises(KeyError):
        workspace.begin(lambda: {}["gone"])
    assert workspace.job is control
    assert not control.stopping()


def test_work_in_the_background_changes_no_choice_of_what_is_shown() -> None:
    workspace, engine = Workspace(), FakeEngine()
    answered(workspace, session())
    before = (workspace.shown, workspace.results)
    for begin in (
        lambda: read_step(engine, workspace, TurnRef(1, 0), 0),
        lambda: follow(engine, workspace, 1, "Rome"),
        lambda: run_control(engine, workspace, TurnRef(1, 0)),
    ):
        richer = session()
        begin()
        ended(workspace, richer)
        workspace.collect()
        assert workspace.sessions[1] is richer
    assert (workspace.shown, workspace.results) == before


def test_a_failed_correction_leaves_the_session_that_was_there() -> None:
    workspace = Workspace()
    kept = session()
    workspace.sessions[1] = kept
    correct(FakeEngine(), workspace, TurnRef(1, 0), "No.")
    ended(workspace, status="failed", error="Too long.")
    assert workspace.collect()
    assert workspace.sessions == {1: kept}
    assert (workspace.errors, workspace.job) == ({"correct": "Too long."}, None)


def test_a_running_job_is_not_collected() -> None:
    workspace = Workspace()
    workspace.job = Job("ask", status="running")
    assert not workspace.collect()
    assert workspace.job is not None


def test_what_could_not_be_read_is_said_once_and_not_asked_for_again() -> None:
    workspace = Workspace(sessions={1: session()})
    follow(FakeEngine(), workspace, 1, "qx")
    ended(workspace, status="failed", error="No token for it.", is_refused=True)
    workspace.collect()
    assert workspace.errors == {VIEWS: "No token for it."}
    assert workspace.refused_words == {("m", "qx")}
    workspace.begin(lambda: Job("ask"))
    assert workspace.errors == {}


def test_a_control_that_was_stopped_is_no_error_and_does_not_begin_again_by_itself() -> None:
    workspace = Workspace(sessions={1: session(n_turns=2)})
    run_control(FakeEngine(), workspace, TurnRef(1, 1))
    ended(workspace, status="stopped", error="Stopped.")
    workspace.collect()
    assert workspace.errors == {}
    assert workspace.stopped_controls == {TurnRef(1, 1)}
    run_control(FakeEngine(), workspace, TurnRef(1, 1))
    assert workspace.job is None


def test_a_second_click_does_not_replace_the_answer_under_way() -> None:
    workspace = Workspace()
    first = Job("ask", answer=ComingAnswer("ask"), status="running")
    assert workspace.begin(lambda: first)
    assert not workspace.begin(lambda: pytest.fail("a second job was started"))
    assert not workspace.begin_background(lambda: pytest.fail("background work was started"))
    assert workspace.job is first


def test_a_question_stops_the_work_in_the_background_and_goes_first() -> None:
    workspace = Workspace()
    control = Job("control", status="running")
    workspace.job = control
    assert not workspace.answering
    question = Job("ask", status="running")
    assert workspace.begin(lambda: question)
    assert control.stopping()
    assert workspace.job is question


def test_an_answer_that_ended_unseen_is_taken_over_before_the_next_job_begins() -> None:
    """Two tabs: one asked and was closed, the other presses Correct."""
    workspace, answer = Workspace(), session()
    ask(FakeEngine(), workspace, "Why?")
    ended(workspace, answer)
    seen = []

    def start() -> Job:
        seen.append(dict(workspace.sessions))
        return Job("correct", status="running")

    assert workspace.begin(start)
    assert seen == [{1: answer}]


def test_only_so_many_conversations_are_kept_and_never_less_than_what_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workspaces_module, "MAX_SESSIONS", 3)
    workspace = Workspace(sessions={EXAMPLE: session()})
    for _ in range(5):
        answered(workspace, session())
    assert list(workspace.sessions) == [EXAMPLE, 4, 5]


def test_large_conversations_go_first_come_first_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspaces_module, "MAX_SESSION_BYTES", 100)
    workspace = Workspace()
    for _ in range(3):
        answered(workspace, session(n_bytes=60))
    assert list(workspace.sessions) == [2, 3], "what is shown does not count against the earlier ones"


def test_turns_that_branches_share_are_counted_once() -> None:
    shared = session(n_bytes=60)
    workspace = Workspace(sessions={EXAMPLE: session(n_bytes=500), 1: shared, 2: shared})
    assert workspace.n_bytes == 60


def test_workspaces_are_found_again_by_an_unguessable_key_and_bounded() -> None:
    workspaces = Workspaces(bound=3)
    first = workspaces.at(None)
    assert len(first.key) >= 20
    assert workspaces.at(first.key) is first
    assert workspaces.at("guessed") is not first
    busy = workspaces.at(None)
    busy.job = Job("ask", status="running")
    others = [workspaces.at(None) for _ in range(5)]
    assert workspaces.at(busy.key) is busy
    assert workspaces.at(others[-1].key) is others[-1]
    assert workspaces.at(first.key) is not first


def test_workspaces_are_bounded_in_bytes_too() -> None:
    workspaces = Workspaces(bound=10, bound_bytes=100)
    first, second = workspaces.at(None), workspaces.at(None)
    first.sessions[1], second.sessions[1] = session(80), session(80)
    assert workspaces.at(second.key) is second
    assert workspaces.at(first.key) is not first


def test_a_job_that_ends_while_the_page_is_drawn_makes_the_page_older_than_its_workspace() -> None:
    workspace = Workspace()
    drawn = workspace.version
    workspace.job = Job("control", status="running")
    assert not workspace.is_newer(drawn)
    workspace.job.status = "stopped"
    assert workspace.is_newer(drawn)
    workspace.collect()
    assert workspace.is_newer(drawn)
    assert not workspace.is_newer(workspace.version)


def test_whoever_sees_that_a_job_has_ended_sees_what_it_left_and_what_follows_on_it() -> None:
    workspace, seen = Workspace(), list[tuple[int, bool]]()
    drawn, next_job = workspace.version, Job("control", status="running")
    workspace.job = Job(
        "ask",
        status="done",
        keep=lambda _job: seen.append((workspace.version, workspace.is_newer(drawn))),
        follow_up=lambda: workspace.begin_background(lambda: next_job),
    )
    assert workspace.collect()
    assert seen == [(drawn, False)], "a page that reads the new version has what was kept"
    assert workspace.is_newer(drawn)
    assert workspace.job is next_job


def test_a_conversation_that_was_let_go_while_a_page_draws_it_starts_nothing_and_says_so() -> None:
    engine, workspace, gone = FakeEngine(), Workspace(sessions={1: session()}), TurnRef(7, 0)
    run_control(engine, workspace, TurnRef(7, 1))
    read_step(engine, workspace, gone, 0)
    read_map(engine, workspace, map_of(gone, "resid_post"), ())
    read_pattern(engine, workspace, pattern_of(gone, 1, 1))
    read_values(engine, workspace, values_of(gone, 0))
    begin_samples(engine, workspace, samples_of(gone, 8, 1.0, 0))
    begin_branch(engine, workspace, branch_of(gone, 0, 1))
    complete(engine, workspace, whole_of(gone))
    follow(engine, workspace, 7, "Rome")
    ask_same(engine, workspace, 7)
    correct(engine, workspace, gone, "No.")
    assert workspace.job is None
    assert "Type it again" in workspace.errors["ask"]
    assert "Ask its question again" in workspace.errors["correct"]
