"""The notebook runs from top to bottom, and shows its charts when it is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
N_CHARTS = 6


def charts(notebook: nbformat.NotebookNode) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.real
def test_it_runs_from_top_to_bottom(embedded: object, tmp_path: Path) -> None:
    copy = tmp_path / "notebook.ipynb"
    program = (
        "import sys, nbformat; from nbclient import NotebookClient;"
        "notebook = nbformat.read(sys.argv[1], 4);"
        "NotebookClient(notebook, timeout=600, kernel_name='python3').execute();"
        "nbformat.write(notebook, sys.argv[2])"
    )
    command = [sys.executable, "-c", program, str(NOTEBOOK), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    assert charts(nbformat.read(copy, 4)) == N_CHARTS


def test_the_kept_one_has_its_charts_and_nothing_of_a_machine() -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    assert charts(notebook) == N_CHARTS
    text = NOTEBOOK.read_text("utf-8")
    assert str(Path.home()) not in text
    assert ".venv" not in text
    assert all(output.output_type != "error" for cell in notebook.cells for output in cell.get("outputs", ()))
