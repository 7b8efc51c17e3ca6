"""Running a study: progress, several models and processes, and what a call from Python gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd
import psutil
import pytest
from small_cases import RECIPE, small
from small_studies import NAMES, QUESTIONS, small_plan

import llm_tracker as lt
from llm_tracker.models.loading import load
from llm_tracker.studies.conduct import StudyProgress, stream_study
from llm_tracker.studies.engines import local
from llm_tracker.studies.engines.local import run_processes
from llm_tracker.studies.values.plan import Task
from llm_tracker.studies.values.rows import Found


def test_progress_counts_blocks_and_says_how_long_it_still_takes() -> None:
    seen: list[StudyProgress] = []
    study = lt.study(QUESTIONS, [small("llama").model], NAMES, recipe=RECIPE, see=seen.append)
    assert [(each.n_done, each.n_blocks) for each in seen] == [(0, 1), (1, 1)]
    assert (seen[0].seconds_left, seen[1].seconds_left) == (None, 0.0)
    assert (seen[0].share, seen[1].share) == (0.0, 1.0)
    assert seen[1].n_rows == len(study.rows)


def test_a_call_from_python_asks_what_was_asked_for() -> None:
    study = lt.study(QUESTIONS, [small("llama").model], ["wrong"], ["No, {foil}."], 2, RECIPE, chain=True)
    assert set(study.rows["condition"]) == {"baseline", "asked_again", "wrong", "user"}
    assert set(study.rows.loc[study.rows["condition"] == "wrong", "paraphrase"]) == {0, 1}
    assert len(study.tables["chains"]) == 6 * len(QUESTIONS)
    assert len(study.tables["paths"]) == len(study.tables["lens"]) == 0
    assert study.plan["recipe"] == "custom"
    assert study.models[0]["model_type"] == "llama"


def test_blocks_that_were_kept_are_taken_over() -> None:
    plan, kept = small_plan(), {}
    whole = _ended(stream_study(plan, loads=lambda _: small("llama").model, keep=kept.__setitem__))
    begun = {task: found for task, found in kept.items() if task.block != 1}
    asked: list[str] = []

    def loads(name: str) -> lt.LoadedModel:
        asked.append(name)
        return small("llama").model

    again = _ended(stream_study(plan, loads=loads, begun=begun))
    assert asked == ["tiny"]
    columns = [column for column in whole.rows if column != "seconds"]
    pd.testing.assert_frame_equal(again.rows[columns], whole.rows[columns], check_exact=True)
    assert _ended(stream_study(plan, loads=loads, begun=kept)).rows.equals(whole.rows)
    assert asked == ["tiny"]


def _ended(steps: object) -> lt.Study:
    from llm_tracker.progress import ended

    return ended(steps)  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, -1])
def test_a_study_needs_a_worker(workers: int) -> None:
    with pytest.raises(lt.InputError, match="Give 1 or more"):
        lt.study(QUESTIONS, [small("llama").model], NAMES, recipe=RECIPE, workers=workers)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model as a directory, as other processes can load it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    model = small("llama").model
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return str(folder)


def test_several_processes_of_which_one_is_lost_give_the_rows_of_one(checkpoint: str) -> None:
    plan = small_plan(models=(checkpoint,), n_block=1)
    found: list[Task] = []

    def see(task: Task, block: Found) -> None:
        found.append(task)
        assert [row["question_id"] for row in block.tables["results"]][:1] == [plan.questions_of(task)[0].id]
        if len(found) == 1:
            kill_processes()

    there = _ended(stream_study(plan, n_workers=2, keep=see)).rows
    assert sorted(found, key=lambda task: task.block) == plan.tasks
    here = _ended(stream_study(plan)).rows
    columns = [column for column in here if column != "seconds"]
    pd.testing.assert_frame_equal(here[columns], there[columns], rtol=0, atol=1e-4)
    assert here["answer_text"].tolist() == there["answer_text"].tolist()


def kill_processes() -> None:
    """Kill the processes that read blocks for this one."""
    for process in psutil.Process().children():
        if "popen_loky" in " ".join(process.cmdline()):
            process.kill()


def test_a_script_that_asks_for_processes_needs_no_guard(checkpoint: str, tmp_path: Path) -> None:
    """Other processes do not run the script that asked once more: neither a plain one, nor a page of Streamlit."""
    script, questions = tmp_path / "script.py", tmp_path / "questions.csv"
    questions.write_text("question,answer,foil\nHot?,Cold,Warm\nGrass?,Green,Red\nBarks?,Dog,Cat\n")
    call = f'lt.study({str(questions)!r}, [{checkpoint!r}], ["wrong"], recipe="chat", workers=2)'
    script.write_text(f"import llm_tracker as lt\nprint('begun')\nprint(len({call}.rows))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["begun", "9"]), done.stderr


def test_processes_end_with_the_one_that_asked(checkpoint: str, tmp_path: Path) -> None:
    """kill -9 gives nobody the time to say so."""
    call = [sys.executable, "-m", "llm_tracker", "study", "questions", "--model", checkpoint, "--workers", "2"]
    process = subprocess.Popen([*call, "--out", str(tmp_path / "out")], stderr=subprocess.DEVNULL)
    parts, until = tmp_path / "out" / "parts", time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None and not list(parts.glob("results-*.parquet")):
        time.sleep(0.05)
    children = psutil.Process(process.pid).children()
    assert len(children) >= 2
    process.kill()
    process.wait()
    assert psutil.wait_procs(children, timeout=30)[1] == []


def test_processes_that_are_lost_again_and_again_end_the_study(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def lost(_plan: object, tasks: list[Task], *_: object) -> object:
        begun.append(len(tasks))
        raise BrokenProcessPool

    monkeypatch.setattr(local, "_run_pool", lost)
    with pytest.raises(lt.ModelError, match="3 times one after another"):
        list(run_processes(small_plan(models=(checkpoint,)), small_plan().tasks, 2))
    assert begun == [3, 3, 3]


def test_models_are_fetched_once_before_other_processes_begin(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []

    def pool(_plan: object, tasks: list[Task], *_: object) -> object:
        did.append("read")
        return iter([(task, None) for task in tasks])

    monkeypatch.setattr(load, "fetch", lambda entry, _report, _trust: did.append(entry.id))
    monkeypatch.setattr(local, "_run_pool", pool)
    plan = small_plan(models=("embedded", checkpoint))
    assert [task for task, _ in run_processes(plan, plan.tasks, 2)] == plan.tasks
    assert did == ["embedded", checkpoint, "read"]
    did.clear()
    assert len(list(run_processes(plan, plan.tasks[-1:], 2))) == 1
    assert did == [checkpoint, "read"], "what is done already needs no model"


def test_a_model_that_cannot_be_loaded_in_another_process_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nobody-knows"}')
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 8)
    with pytest.raises(lt.ModelError):
        list(run_processes(small_plan(models=(str(tmp_path),)), small_plan().tasks, 2))


def test_a_process_that_was_killed_goes_on_where_it_was(checkpoint: str, tmp_path: Path) -> None:
    """kill -9 in the middle: what it had written stays, the rest is done, and the rows are those of a run in one go."""
    questions = tmp_path / "questions.csv"
    lines = ["question,answer,foil", *(f"What is number {at}?,Right{at},Wrong" for at in range(40))]
    questions.write_text("\n".join(lines))
    call = [sys.executable, "-m", "llm_tracker", "study", str(questions), "--model", checkpoint, "--condition", "wrong"]
    call += ["--recipe", "chat"]
    process = subprocess.Popen(
        [*call, "--out", str(tmp_path / "killed")], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    parts, until = tmp_path / "killed" / "parts", time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None and not list(parts.glob("results-*.parquet")):
        time.sleep(0.02)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert 1 <= len(list(parts.glob("results-*.parquet"))) <= 3
    resumed = [*call, "--out", str(tmp_path / "killed"), "--resume"]
    done = subprocess.run(resumed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lt.study(str(questions), [checkpoint], ["wrong"], recipe="chat", out=str(tmp_path / "whole"))
    killed, whole = (
        lt.load_study(str(tmp_path / folder)).rows.drop(columns="seconds") for folder in ("killed", "whole")
    )
    pd.testing.assert_frame_equal(killed, whole, check_exact=True)
    assert len(whole) == 40 * 3


@pytest.mark.parametrize("given", [{"engine": "ray"}, {"workers": 2}])
def test_a_loaded_model_is_not_handed_to_other_processes(given: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(lt.InputError, match="stays in this process: name it"):
        lt.study(QUESTIONS, [small("llama").model], NAMES, recipe=RECIPE, out=str(tmp_path / "out"), **given)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
