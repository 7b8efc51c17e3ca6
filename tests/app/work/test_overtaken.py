"""A question stops what is computed in the background; what that had found part by part is kept."""

from __future__ import annotations

from threading import Event

import pytest

from llm_tracker.app.work.jobs import Job, Worker
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import Cancelled


def stopped_for_a_question(found: str | None) -> tuple[Workspace, list[str | None]]:
    """A workspace whose work in the background a question has stopped; and what that job kept."""
    workspace, kept = Workspace(), list[str | None]()
    job = Job("background", status="running", found=found, fail=lambda job: kept.append(job.found))
    assert workspace.begin_background(lambda: job)
    assert workspace.begin(lambda: Job("ask", status="running"))
    workspace.collect()
    assert kept == [], "it has not ended yet"
    job.status = "stopped"
    workspace.collect()
    workspace.collect()
    return workspace, kept


def test_what_it_had_found_is_kept_once_and_the_page_is_drawn_anew() -> None:
    workspace, kept = stopped_for_a_question("half of it")
    assert kept == ["half of it"]
    assert workspace.is_newer(0)
    assert workspace.job is not None
    assert workspace.job.name == "ask"


def test_of_work_that_had_found_nothing_nothing_is_said() -> None:
    workspace, kept = stopped_for_a_question(None)
    assert kept == []
    assert not workspace.is_newer(0)


@pytest.mark.parametrize("is_late", [False, True], ids=["it stops", "it was at its end"])
def test_the_models_own_thread_keeps_it_before_the_question_begins(is_late: bool) -> None:
    workspace, worker = Workspace(), Worker("of a test")
    began, order = Event(), list[str]()
    job = Job(
        "experiment", keep=lambda job: order.append(job.result), fail=lambda job: order.append(f"kept {job.found}")
    )

    def work(job: Job) -> str:
        job.has_found("half of it")
        began.set()
        job._stop.wait(30)
        if not is_late:
            raise Cancelled("Stopped.")
        return "kept all of it"

    assert workspace.begin_background(lambda: worker.submit(job, work, workspace.collect))
    assert began.wait(30)
    asked, answered = Job("ask", keep=lambda _job: None), Event()
    assert workspace.begin(lambda: worker.submit(asked, lambda _job: order.append("asked"), answered.set))
    assert answered.wait(30)
    assert order == ["kept all of it" if is_late else "kept half of it", "asked"]
