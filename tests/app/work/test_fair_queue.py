"""Visitors take turns, are told how long it takes, and leave the queue when they leave the page."""

from __future__ import annotations

import threading
import time

import pytest

from llm_tracker.app.work import limits
from llm_tracker.app.work.fair_queue import FairQueue
from llm_tracker.app.work.jobs import Job, Worker
from llm_tracker.app.work.limits import OPEN, PUBLIC, Pace, limits_of
from llm_tracker.errors import InputError


def test_visitors_take_turns_and_each_ones_own_come_in_order() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.put(item[0], item)
    assert list(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert [queue.take() for _ in range(6)] == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_has_just_been_served_stands_behind_all_who_wait() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "b1", "c1"):
        queue.put(item[0], item)
    assert queue.take() == "a1"
    queue.put("a", "a2")
    assert [queue.take() for _ in range(3)] == ["b1", "c1", "a2"]


def test_what_nobody_waits_for_is_taken_out_wherever_it_stands() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "b1"):
        queue.put(item[0], item)
    assert queue.remove(lambda item: item in ("a1", "b1")) == ["a1", "b1"]
    assert list(queue) == ["a2"]
    assert queue.remove(lambda _item: False) == []


def test_a_queue_waits_for_what_comes() -> None:
    queue: FairQueue[str] = FairQueue()
    threading.Timer(0.05, queue.put, ("a", "late")).start()
    assert queue.take() == "late"


def done(*jobs: Job) -> None:
    until = time.monotonic() + 10
    while any(job.active for job in jobs) and time.monotonic() < until:
        time.sleep(0.005)
    assert not any(job.active for job in jobs)


def test_one_visitor_with_much_to_do_lets_others_in_between() -> None:
    worker, gate, order = Worker("m"), threading.Event(), list[str]()
    first = worker.submit(Job("ask", visitor="x"), lambda _job: gate.wait(10))
    jobs = [Job(name, visitor=name[0]) for name in ("a1", "a2", "a3", "b1")]
    for job in jobs:
        worker.submit(job, lambda job: order.append(job.name))
    assert [worker.ahead_of(job) for job in jobs] == [1, 3, 4, 2]
    gate.set()
    done(first, *jobs)
    assert order == ["a1", "b1", "a2", "a3"]


def test_how_long_it_takes_is_told_from_how_long_it_took() -> None:
    worker, gate = Worker("m"), threading.Event()
    before = Job("ask")
    worker.submit(before, lambda _job: time.sleep(0.4))
    done(before)
    running, waiting, unknown = Job("ask"), Job("ask"), Job("map")
    worker.submit(running, lambda _job: gate.wait(10))
    for job in (waiting, unknown):
        worker.submit(job, lambda _job: None)
    seconds = worker.seconds_until(waiting)
    assert seconds is not None
    assert 0 <= seconds <= 0.8
    assert worker.seconds_until(unknown) is not None
    after = Job("ask")
    worker.submit(after, lambda _job: None)
    assert worker.seconds_until(after) is None  # nobody knows yet how long a map takes
    time.sleep(0.5)
    assert worker.seconds_until(waiting) is None  # the one that runs takes longer than any did
    gate.set()
    done(running, waiting, unknown, after)
    assert worker.seconds_until(waiting) is None


def test_a_job_that_nobody_waits_for_any_more_leaves_the_queue_and_says_so() -> None:
    worker, gate, ran = Worker("m"), threading.Event(), list[str]()
    running = worker.submit(Job("ask"), lambda _job: gate.wait(10))
    left = Job("ask", visitor="a", is_wanted=lambda: False)
    stays = Job("ask", visitor="b")
    for job in (left, stays):
        worker.submit(job, lambda job: ran.append(job.visitor))
    gate.set()
    done(running, left, stays)
    assert ran == ["b"]
    assert left.status == "stopped"
    assert "No page was waiting" in left.error
    assert not worker.busy


def test_a_job_that_is_stopped_while_it_waits_ends_at_once() -> None:
    worker, gate, followed = Worker("m"), threading.Event(), list[str]()
    running = worker.submit(Job("ask"), lambda _job: gate.wait(10))
    job = Job("ask")
    worker.submit(job, lambda _job: followed.append("ran"), lambda: followed.append("then"))
    job.stop()
    assert (job.status, job.error, followed) == ("stopped", "Stopped before it began.", ["then"])
    assert running.active
    gate.set()
    done(running)


def test_so_much_a_minute_and_then_how_long_until_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    pace = Pace(2)
    assert [pace.seconds_to_wait("a"), pace.seconds_to_wait("a")] == [0, 0]
    now[0] += 20
    assert pace.seconds_to_wait("a") == 40
    assert pace.seconds_to_wait("b") == 0
    now[0] += 41
    assert pace.seconds_to_wait("a") == 0
    assert Pace(None).seconds_to_wait("a") == 0


def test_visitors_that_were_seen_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_REMEMBERED", 2)
    pace = Pace(1)
    for visitor in "abc":
        assert pace.seconds_to_wait(visitor) == 0
    assert pace.seconds_to_wait("a") == 0
    assert pace.seconds_to_wait("c") > 0


def test_limits_are_changed_by_name() -> None:
    changed = limits_of(" answer_tokens=64, a_minute = 5,", PUBLIC)
    assert (changed.answer_tokens, changed.a_minute, changed.text) == (64, 5, PUBLIC.text)
    assert limits_of("", OPEN) == OPEN


@pytest.mark.parametrize("text", ["speed=1", "text", "text=", "text=-1", "text=0", "text=1.5", "text=a"])
def test_a_limit_that_there_is_not_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(InputError, match="answer_tokens"):
        limits_of(text, PUBLIC)
