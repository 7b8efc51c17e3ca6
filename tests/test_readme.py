"""What the README tells a newcomer to type works as it stands there, and the pages behind it name what there is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands(program: str) -> list[str]:
    return [
        line.split("#")[0].strip()
        for block in blocks("bash")
        for line in block.splitlines()
        if line.startswith(program)
    ]


def test_the_two_commands_come_first_and_exist() -> None:
    assert commands("make") == ["make run", "make test"]
    assert README.index("make run") < README.index("llm-tracker track")
    for command in commands("make"):
        done = subprocess.run([*command.split(), "--dry-run"], capture_output=True, text=True, check=True, cwd=ROOT)
        assert {"make run": "llm-tracker app --port 8501", "make test": "pytest"}[command] in done.stdout


def own_store(folder: Path) -> dict[str, str]:
    """The environment of a user whose store is empty."""
    return {**os.environ, "LLM_TRACKER_STORE": str(folder / "store.sqlite")}


@pytest.mark.real
def test_every_command_does_what_it_says_one_after_another(tmp_path: Path, embedded: object) -> None:
    program = shutil.which("llm-tracker", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert program is not None
    how = {"capture_output": True, "text": True, "cwd": tmp_path, "env": own_store(tmp_path)}
    for command in commands("llm-tracker"):
        called = [program, *shlex.split(command)[1:]]
        done = subprocess.run(called, check=False, **how)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout.strip(), command
    assert {"session", "candidates.png", "report.html"} <= {each.name for each in tmp_path.iterdir()}


@pytest.mark.real
def test_the_python_runs_and_prints_both_answers(tmp_path: Path, embedded: object) -> None:
    (snippet,) = blocks("python")
    command = [sys.executable, "-c", snippet]
    store = own_store(tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=store)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["Paris London", "Paris"]
    assert (tmp_path / "session" / "session.json").is_file()


def test_every_picture_of_the_readme_is_here_and_is_one() -> None:
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)
    assert {Path(path).name for _, path in pictures} == {"tour.gif", "ask-light.png", "ask-dark.png", "ask-narrow.png"}
    for alternative, path in pictures:
        assert len(alternative) > 15
        with Image.open(ROOT / path) as picture:
            assert picture.width >= 400
            assert getattr(picture, "n_frames", 1) >= (8 if path.endswith(".gif") else 1)


def test_the_readme_is_short_enough_for_a_newcomer_and_long_enough_for_the_timings() -> None:
    assert len(README.splitlines()) <= 150
    assert len(README.split()) >= 1200  # `benchmarks.prompts` cuts its texts from it


@pytest.mark.parametrize(
    "page", ["README.md", "benchmarks/README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
)
def test_every_link_within_the_project_leads_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_every_place_that_the_architecture_page_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:/|\.py))`", page))
    assert len(named) > 40
    assert {
        place for place in named if not any((home / place).exists() for home in (ROOT, ROOT / "llm_tracker"))
    } == set()


def test_every_adapter_and_model_of_the_readme_exists() -> None:
    from llm_tracker.models.plugins.manager import installed_plugins

    plugins = installed_plugins()
    named = re.findall(r"\*\*`([\w-]+)`\*\*", README)
    assert named == ["embedded", "tinyllama"]
    assert set(named) <= set(plugins.models)
    assert plugins.failures == []
