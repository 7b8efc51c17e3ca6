"""Jobs run in turn on their model's thread, and end in a sentence whatever happens."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from types import SimpleNamespace

import pytest

from llm_tracker.app.jobs import Job, Worker, run_job
from llm_tracker.app.workspace import Workspace, Workspaces
from llm_tracker.errors import Cancelled, InputError
from llm_tracker.models.progress import Progress


def wait_for(job: Job, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while job.active and time.monotonic() < until:
        time.sleep(0.005)
    assert not job.active


def test_jobs_of_one_model_run_one_after_the_other() -> None:
    worker, gate, order = Worker("m"), threading.Event(), []
    first = worker.submit(Job("ask"), lambda _job: (gate.wait(10), order.append("first")))
    second = worker.submit(Job("ask"), lambda _job: order.append("second"))
    assert worker.ahead_of(second) == 1
    gate.set()
    wait_for(second)
    assert order == ["first", "second"]
    assert first.status == second.status == "done"
    assert worker.ahead_of(second) == 0


def test_a_job_that_fails_says_why_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker("m")

    def refuse(_job: Job) -> None:
        raise InputError("The question is empty.")

    def crash(_job: Job) -> None:
        raise ZeroDivisionError("oops\nsecond line")

    refused, crashed = worker.submit(Job("ask"), refuse), worker.submit(Job("ask"), crash)
    fine = worker.submit(Job("ask"), lambda _job: 42)
    wait_for(fine)
    assert (refused.status, refused.error) == ("failed", "The question is empty.")
    assert crashed.error == "Something unexpected happened (ZeroDivisionError: oops). Nothing was lost; try again."
    assert fine.result == 42
    assert "ZeroDivisionError" in caplog.text


def test_a_job_stopped_while_it_waits_never_begins() -> None:
    job, begun = Job("ask"), []
    job.stop()
    run_job(job, lambda _job: begun.append(1))
    assert (job.status, begun) == ("stopped", [])


def test_a_stopped_load_stops_at_its_next_report() -> None:
    job = Job("load")
    job.report(Progress("Downloading", 1, 10))
    job.stop()
    with pytest.raises(Cancelled):
        job.report(Progress("Downloading", 2, 10))
    assert job.progress == Progress("Downloading", 1, 10)


def test_a_failed_question_leaves_the_session_that_was_there() -> None:
    workspace = Workspace()
    session = object()
    workspace.session = session  # type: ignore[assignment]
    workspace.job = Job("correct", status="failed", error="Too long.")
    assert workspace.collect()
    assert workspace.session is session
    assert (workspace.correct_error, workspace.ask_error, workspace.job) == ("Too long.", "", None)


def test_a_running_job_is_not_collected() -> None:
    workspace = Workspace()
    workspace.job = Job("ask", status="running")
    assert not workspace.collect()
    assert workspace.job is not None


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


def test_a_lens_that_cannot_be_read_says_so_once_and_is_not_asked_for_again() -> None:
    workspace = Workspace()
    workspace.job = Job("lens", status="failed", error="The model is gone.")
    workspace.collect()
    assert workspace.read_error == "The model is gone."
    workspace.begin(lambda _session: Job("ask"))
    assert workspace.read_error == ""


def test_a_second_click_does_not_replace_the_answer_under_way() -> None:
    workspace = Workspace()
    first = Job("ask", status="running")
    assert workspace.begin(lambda _session: first)
    assert not workspace.begin(lambda _session: pytest.fail("a second job was started"))
    assert workspace.job is first
    workspace.job = Job("lens", status="running")
    assert not workspace.answering


def test_an_answer_that_ended_unseen_is_taken_over_before_the_next_job_begins() -> None:
    """Two tabs: one asked and was closed, the other presses Correct."""
    workspace, seen = Workspace(), []
    answered = object()
    workspace.job = Job("ask", status="done", result=answered)

    def start(session: object) -> Job:
        seen.append(session)
        return Job("correct", status="running")

    assert workspace.begin(start)  # type: ignore[arg-type]
    assert seen == [answered]


def test_a_model_that_was_let_go_is_not_kept_by_its_last_job() -> None:
    class Big:
        pass

    worker, made = Worker("m"), []

    def work(_job: Job) -> None:
        made.append(weakref.ref(Big()))

    def keep(_job: Job) -> object:
        big = Big()
        made.append(weakref.ref(big))
        return big

    job = worker.submit(Job("load"), keep)
    wait_for(job)
    job.result = None
    del job
    wait_for(worker.submit(Job("load"), work))
    gc.collect()
    assert [reference() for reference in made] == [None, None]


def test_workspaces_are_bounded_in_bytes_too() -> None:
    workspaces = Workspaces(bound=10, bound_bytes=100)
    first = workspaces.at(None)
    first.session = SimpleNamespace(turns=[SimpleNamespace(trace=SimpleNamespace(n_bytes=80))])  # type: ignore[assignment]
    second = workspaces.at(None)
    second.session = first.session
    assert workspaces.at(second.key) is second
    assert workspaces.at(first.key) is not first
