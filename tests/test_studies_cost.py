"""The model of what a study costs is that of rows handed out one by one; the command measures what it needs."""

from __future__ import annotations

import heapq
from pathlib import Path

import pytest
from small_studies import QUESTIONS
from tiny_models import tiny_network, tiny_tokenizer

from benchmarks import studies_cost
from benchmarks.studies_cost import Run, cost


@pytest.mark.parametrize(("n_rows", "n_workers"), [(120, 1), (120, 4), (1000, 8)])
def test_the_cost_is_that_of_rows_that_go_one_by_one_to_whoever_is_free(n_rows: int, n_workers: int) -> None:
    free = [12.5] * n_workers
    for _ in range(n_rows):
        heapq.heapreplace(free, free[0] + 0.25)
    found = cost(n_rows, 0.25, n_workers, 12.5, 40.0)
    assert found.seconds == pytest.approx(max(free))
    assert found.worker_seconds == pytest.approx(sum(free))
    assert found.bytes == sum(40.0 for _ in range(n_rows))


def test_a_run_is_what_its_own_figures_cost() -> None:
    run = Run(n_workers=3, n_rows=900, seconds=110.0, busy_seconds=270.0, bytes=90_000)
    assert cost(900, run.seconds_per_row, 3, run.load_seconds, 100.0).seconds == pytest.approx(110.0)
    assert run.load_seconds == pytest.approx(20.0)
    assert run.rows_per_second == pytest.approx(10.0)


def test_the_command_measures_a_study_and_prints_both_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_network("llama").save_pretrained(tmp_path / "tiny")
    tiny_tokenizer().save_pretrained(tmp_path / "tiny")
    rows = "".join(f"{each.question!r},{each.answer},{each.foil}\n".replace("'", '"') for each in QUESTIONS)
    (tmp_path / "file.csv").write_text(f"question,answer,foil\n{rows}", encoding="utf-8")
    said = ["--model", str(tmp_path / "tiny"), "--file", str(tmp_path / "file.csv"), "--first", "2", "--workers", "1"]
    assert studies_cost.main([*said, "--rows", "1000", "--for", "5"]) == 0
    measured, costs = capsys.readouterr().out.split("\n\n1,000 rows at the pace of the last:\n\n")
    _, _, line = measured.splitlines()
    n_workers, n_rows, seconds, per_row, per_second, over, _, n_bytes = line.strip("| ").split(" | ")
    assert (n_workers, n_rows, over) == (
        "1",
        "18",
        "1.00",
    )  # the question alone and the usual eight, each of two questions
    assert 0 < float(per_row) * 18 <= float(seconds) + 0.1
    assert float(per_second) == pytest.approx(1 / float(per_row), rel=0.05)
    assert float(n_bytes) > 100
    assert costs.splitlines()[-1].startswith("| 5 | ")
