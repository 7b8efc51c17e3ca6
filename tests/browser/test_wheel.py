"""`pip install .`, of the wheel and of the source archive: command, app, pages and adapters, in a clean environment."""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from installations import ROOT, Installation
from playwright.sync_api import expect
from serving import served_installation
from steps import Visit, ask, expect_all_views, expect_answer, expect_ready, settle


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation.of(tmp_path_factory.mktemp("installation"), wheel)


@pytest.fixture(scope="module")
def address(installation: Installation, embedded: object) -> Iterator[str]:
    with served_installation(installation) as url:
        yield url


def test_the_wheel_holds_the_package_and_the_apps_files_and_nothing_else(wheel: Path) -> None:
    package = {path for path in (ROOT / "llm_tracker").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    app = [ROOT / "dashboard.py", ROOT / ".streamlit" / "config.toml"]
    app += [*(ROOT / "pages").glob("*.py"), *(ROOT / "adapters").glob("*.py")]
    expected = {path.relative_to(ROOT).as_posix() for path in package}
    expected |= {f"llm_tracker/shipped/{path.relative_to(ROOT).as_posix()}" for path in app}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == expected


def test_the_installed_command_finds_its_own_files_and_every_adapter(installation: Installation) -> None:
    code = "import llm_tracker.places; print(llm_tracker.places.__file__); print(llm_tracker.places.app_dir())"
    file, app_dir = installation.printed("python", "-c", code).splitlines()
    assert Path(file).is_relative_to(installation.packages)
    assert Path(app_dir) == installation.app.resolve()
    record = installation.listed()
    assert record["failures"] == []
    names = {plugin["name"] for plugin in record["plugins"]}
    assert names == {"built-in", *(path.stem for path in (ROOT / "adapters").glob("[!_]*.py"))}
    assert {Path(p["origin"]).parent for p in record["plugins"] if p["name"] != "built-in"} == {
        installation.app.resolve() / "adapters"
    }


def test_the_installed_command_says_its_version_which_stands_in_one_place(installation: Installation) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert installation.printed("llm-tracker", "--version").split() == ["llm-tracker", version]


def test_the_source_archive_installs_the_command_and_the_same_files(
    wheel: Path, installation: Installation, tmp_path: Path
) -> None:
    (archive,) = wheel.parent.glob("*.tar.gz")
    from_source = Installation.of(tmp_path, archive)
    assert files_of(from_source) == files_of(installation)
    assert from_source.printed("llm-tracker", "--version") == installation.printed("llm-tracker", "--version")


def files_of(installation: Installation) -> set[str]:
    """What stands in the installed package."""
    package = installation.packages / "llm_tracker"
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix() for path in files}


@pytest.mark.browser
@pytest.mark.real
@pytest.mark.soak
def test_the_installed_app_answers_and_opens_its_pages(address: str, visit: Visit) -> None:
    """test_plugins_in_the_app.py has the same wheel answer, with a package beside it."""
    tab = visit(address)
    expect_ready(tab)
    settle(tab)
    ask(tab)
    expect(tab.get_by_text("Answered by SmolLM2-135M-Instruct")).to_be_visible()
    expect_answer(tab, "before", "Paris")
    expect_all_views(tab)
    tab.get_by_role("link", name="Models").click()
    expect(tab.get_by_role("heading", name="Adapters")).to_be_visible()
    expect(tab.locator("[data-testid=stException]")).to_have_count(0)
