"""A file dropped into adapters/ works; a broken one costs only itself, and is named with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_tracker.models.plugins import collect_plugins

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
BROKEN = {
    "import error": ("import nothing_like_that", "nothing_like_that"),
    "misspelt hook": (
        "from llm_tracker import hookimpl\n@hookimpl\ndef register_adaptors():\n    return []",
        "register_adaptors",
    ),
    "wrong signature": (
        "from llm_tracker import hookimpl\n@hookimpl\ndef register_models(config):\n    return []",
        "config",
    ),
    "raising hook": (
        "from llm_tracker import hookimpl\n@hookimpl\ndef register_models():\n    raise OSError('no disk')",
        "no disk",
    ),
    "taken type": (
        "from llm_tracker import ModelAdapter, hookimpl\nclass Mine(ModelAdapter):\n    model_types = ('own_type',)\n"
        "@hookimpl\ndef register_adapters():\n    return [Mine()]",
        "Own has it, Mine of “z_broken” claims it too",
    ),
    "taken id": (
        "from llm_tracker import ModelEntry, hookimpl\n@hookimpl\ndef register_models():\n"
        "    return [ModelEntry('embedded', 'x', 'directory', '/x')]",
        "“embedded” of “z_broken” is taken",
    ),
}


def test_a_file_dropped_into_the_folder_brings_its_adapter_and_its_model(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(GOOD)
    plugins = collect_plugins(tmp_path)
    assert plugins.failures == []
    assert plugins.adapters["own_type"].name == "Own"
    assert plugins.models["own"].title == "Own model"
    assert {"built-in", "own"} == {record.name for record in plugins.loaded}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_costs_only_itself_and_is_named(tmp_path: Path, kind: str) -> None:
    source, reason = BROKEN[kind]
    (tmp_path / "own.py").write_text(GOOD)
    (tmp_path / "z_broken.py").write_text(source)
    plugins = collect_plugins(tmp_path)
    assert [failure.name for failure in plugins.failures] == ["z_broken"]
    assert reason in plugins.failures[0].reason
    assert "own_type" in plugins.adapters
    assert {"own", "embedded", "tinyllama"} <= set(plugins.models)
    assert "z_broken" not in {record.name for record in plugins.loaded}


def test_files_that_begin_with_an_underscore_are_no_plugins(tmp_path: Path) -> None:
    (tmp_path / "_draft.py").write_text("import nothing_like_that")
    assert collect_plugins(tmp_path).failures == []
