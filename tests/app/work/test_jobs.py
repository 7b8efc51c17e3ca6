"""Jobs run in turn on their model's thread, and end in a sentence whatever happens."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref

import pytest
import torch

from llm_tracker.app.parts.cards import pace_note
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.jobs import Job, Worker, run_job
from llm_tracker.errors import Cancelled, InputError, OtherWeightsError
from llm_tracker.languages.spoken import ENGLISH, in_language, language
from llm_tracker.progress import Progress
from llm_tracker.tracing.run import TokenEvent


def wait_for(job: Job, seconds: float = 60) -> None:
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


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nGPU 0 has …"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 80 bytes."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
)
def test_memory_that_ran_out_says_what_to_do(error: Exception) -> None:
    def crash(_job: Job) -> None:
        raise error

    job = Job("ask")
    run_job(job, crash)
    assert job.error.startswith("The memory ran out (")
    assert job.error.endswith("a shorter text takes less, too. Nothing was lost.")


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


def test_what_comes_next_is_done_also_when_a_job_fails() -> None:
    worker, done = Worker("m"), []

    def refuse(_job: Job) -> None:
        raise InputError("No.")

    wait_for(worker.submit(Job("ask"), refuse, then=lambda: done.append("after a failure")))
    wait_for(worker.submit(Job("ask"), lambda _job: 1, then=lambda: done.append("after an answer")))
    wait_for(worker.submit(Job("ask"), lambda _job: 1))
    assert done == ["after a failure", "after an answer"]


def test_a_job_and_what_comes_next_speak_the_language_of_whoever_asked() -> None:
    worker, spoken = Worker("m"), []

    def go_on() -> None:
        spoken.extend([language(), Job("control").language])

    with in_language("de"):
        worker.submit(Job("ask"), lambda _job: spoken.append(language()), then=go_on)
    wait_for(worker.submit(Job("ask"), lambda _job: spoken.append(language())))
    assert spoken == ["de", "de", "de", ENGLISH]


def test_a_worker_is_busy_until_what_comes_next_is_done() -> None:
    worker, inside, go_on = Worker("m"), threading.Event(), threading.Event()
    job = worker.submit(Job("ask"), lambda _job: 1, then=lambda: (inside.set(), go_on.wait(10)))
    assert inside.wait(10)
    assert (job.status, worker.busy) == ("done", True)
    go_on.set()
    wait_for(worker.submit(Job("ask"), lambda _job: 1))
    for _ in range(200):
        if not worker.busy:
            break
        time.sleep(0.005)
    assert not worker.busy


def test_a_slow_answer_says_its_pace_and_how_long_it_may_take() -> None:
    slow = ComingAnswer("ask", max_new_tokens=10, n_tokens=3, first_token_at=100.0, last_token_at=103.0)
    assert pace_note(slow) == ", 1.5 s per token, at most 10 s left"
    fast = ComingAnswer("ask", max_new_tokens=10, n_tokens=3, first_token_at=100.0, last_token_at=100.1)
    assert pace_note(fast) == pace_note(ComingAnswer("ask")) == ""


def test_a_worker_lives_on_when_what_comes_next_fails(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker("m")
    worker.submit(Job("ask"), lambda _job: 1, then=lambda: {}["gone"])
    after = worker.submit(Job("ask"), lambda _job: 2)
    wait_for(after)
    assert after.result == 2
    assert "what follows a ask job failed" in caplog.text


def test_only_what_was_asked_for_can_be_refused() -> None:
    asked, stale, broken = Job("words"), Job("words"), Job("words")

    def refuse(_job: Job) -> None:
        raise InputError("No token.")

    def refuse_weights(_job: Job) -> None:
        raise OtherWeightsError("Other weights.")

    def fail(_job: Job) -> None:
        raise RuntimeError("gone")

    run_job(asked, refuse)
    run_job(stale, refuse_weights)
    run_job(broken, fail)
    assert [job.is_refused for job in (asked, stale, broken)] == [True, False, False]


def test_the_pace_is_known_from_the_second_token_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 102.0, 104.0])
    monkeypatch.setattr("llm_tracker.app.work.coming_answer.time.monotonic", lambda: next(clock))
    answer = ComingAnswer("ask", max_new_tokens=5)
    answer.wrote(TokenEvent(0, "a", 0.5, "a", is_end=False))
    assert answer.pace() is None
    answer.wrote(TokenEvent(1, " b", 0.5, "a b", is_end=False))
    assert answer.pace() == (2.0, 6.0)
    answer.wrote(TokenEvent(2, "</s>", 0.5, "a b</s>", is_end=True))
    assert (answer.text, answer.pace()) == ("a b", (2.0, 4.0)), "the token that ends an answer is no part of it"


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


def test_a_models_own_code_cannot_end_the_worker_that_runs_it(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker("m")
    ended = worker.submit(Job("ask"), lambda _job: sys.exit("bye"))
    done = worker.submit(Job("ask"), lambda _job: "an answer")
    wait_for(done)
    assert (ended.status, done.result) == ("failed", "an answer")
    assert "SystemExit" in ended.error
