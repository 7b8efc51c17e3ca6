"""A file dropped into adapters/ works; a broken one costs only itself, and is named with the line to change."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from broken_plugins import BROKEN

from llm_tracker.cli.main import main
from llm_tracker.cli.plain_text import models_text
from llm_tracker.models.loading.listing import models_record
from llm_tracker.models.plugins.manager import Plugins, collect_plugins, installed_plugins
from llm_tracker.models.plugins.plugin_failures import PluginFailure

GOOD = """
from llm_tracker import ModelAdapter, ModelEntry, hookimpl

class Own(ModelAdapter):
    model_types = ("own_type",)

@hookimpl
def register_adapters():
    return [Own()]

@hookimpl
def register_models():
    return [ModelEntry("own", "Own model", "directory", "/nowhere")]
"""


def collected(folder: Path, **files: str) -> Plugins:
    """What a folder with these files brings."""
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return collect_plugins(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty adapters/."""
    (tmp_path / "adapters").mkdir()
    return tmp_path / "adapters"


def test_a_file_dropped_into_the_folder_brings_its_adapter_and_its_model(folder: Path) -> None:
    plugins = collected(folder, own=GOOD)
    assert plugins.failures == []
    assert plugins.adapters["own_type"].name == "Own"
    assert plugins.models["own"].title == "Own model"
    assert {"built-in", "own"} == {record.name for record in plugins.loaded}
    assert (plugins.adapters_from["own_type"], plugins.models_from["own"]) == ("own", "own")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_costs_only_itself_and_is_named_with_the_line_to_change(folder: Path, kind: str) -> None:
    broken = BROKEN[kind]
    plugins = collected(folder, own=GOOD, z_broken=broken.source)
    (failure,) = plugins.failures
    assert (failure.name, failure.where) == ("z_broken", f"adapters/z_broken.py, line {broken.line}")
    assert broken.reason in failure.reason
    assert "own_type" in plugins.adapters
    assert {"own", "embedded", "tinyllama"} <= set(plugins.models)
    assert "z_broken" not in {record.name for record in plugins.loaded}
    assert "z_broken" not in {*plugins.adapters_from.values(), *plugins.models_from.values()}
    assert not plugins.manager.has_plugin("z_broken")


def test_a_file_that_brings_nothing_is_named_as_a_whole(folder: Path) -> None:
    (failure,) = collected(folder, notes="WORDS = ()\n").failures
    assert failure.where == "adapters/notes.py"
    assert failure.reason.startswith("It has no hook. Write one of these, marked with @hookimpl: ")


def test_files_that_begin_with_an_underscore_are_no_plugins(folder: Path) -> None:
    assert collected(folder, _draft="import nothing_like_that").failures == []


def test_llm_trackers_own_load_model_in_a_plugin_is_no_forgotten_mark(folder: Path) -> None:
    assert collected(folder, own=f"from llm_tracker import load_model\n{GOOD}").failures == []


def test_failures_are_listed_with_their_line(folder: Path) -> None:
    source, line, reason = BROKEN["misspelt hook"]
    record = models_record(collected(folder, z_broken=source))
    where = f"adapters/z_broken.py, line {line}"
    assert record["failures"] == [{"name": "z_broken", "reason": reason, "where": where}]
    assert f"z_broken  {where}  {reason}" in models_text(record)


def test_check_says_which_plugins_it_had_to_leave_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = PluginFailure("mine", "It is no valid Python: oh.", "adapters/mine.py, line 3")
    monkeypatch.setattr(installed_plugins(), "failures", [failure])
    assert main(["check", "no such model"]) == 2
    told = "the plug-in “mine” is left out (adapters/mine.py, line 3): It is no valid Python: oh."
    assert f"llm-tracker: {told}\n" in capsys.readouterr().err


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are installed into."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return site


def install(site: Path, module: str, source: str | None, entry_point: str = "", name: str = "theirs") -> None:
    """A package with one module and one entry point, as pip would leave it."""
    info = site / f"{module}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[llm_tracker]\n{name} = {entry_point or module}\n", encoding="utf-8")
    if source is not None:
        (site / f"{module}.py").write_text(source, encoding="utf-8")
    importlib.invalidate_caches()


def test_an_installed_package_brings_its_adapter_and_its_version(site: Path, folder: Path) -> None:
    install(site, "plugin_that_is_good", GOOD)
    plugins = collected(folder)
    assert plugins.failures == []
    assert plugins.adapters_from["own_type"] == "theirs"
    assert ("theirs", "plugin_that_is_good", "1.2") in [(p.name, p.origin, p.version) for p in plugins.loaded]


def test_a_broken_package_is_named_with_its_own_file_and_line(site: Path, folder: Path) -> None:
    install(site, "plugin_that_raises", "import math\nmath.sqrt(-1)\n")
    (failure,) = collected(folder).failures
    assert failure.where == f"{site / 'plugin_that_raises.py'}, line 2"
    assert failure.reason.startswith("It raises ValueError: ")


@pytest.mark.parametrize("entry_point", ["plugin_that_is_not_there", "plugin_that_is_not_there:some.thing", ":"])
def test_an_entry_point_that_leads_nowhere_costs_only_itself(site: Path, folder: Path, entry_point: str) -> None:
    install(site, "plugin_that_is_not_there", None, entry_point)
    plugins = collected(folder, own=GOOD)
    (failure,) = plugins.failures
    assert f"Its entry point “{entry_point}” names a module that is not there." in failure.reason
    assert failure.where == ""
    assert "own_type" in plugins.adapters


def test_a_package_that_takes_the_name_of_another_plugin_does_not_take_its_place(site: Path, folder: Path) -> None:
    install(site, "plugin_of_the_same_name", GOOD.replace("own", "other"), name="own")
    plugins = collected(folder, own=GOOD)
    (failure,) = plugins.failures
    assert failure.reason == "Another plug-in is called “own” already. Give this one another name."
    assert set(plugins.adapters) == {"own_type"}
    assert plugins.manager.has_plugin("own")
