"""A plug-in may load a model in its own way; where it fails, it is named with its line, and costs only itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.catalogue import EMBEDDED, ModelEntry
from llm_tracker.models.plugins.load_hook import load_by_plugin
from llm_tracker.models.plugins.manager import Plugins, collect_plugins

OWN = ModelEntry("own", "Own model", "plug-in", "somewhere")
SOURCE = """\
from llm_tracker import ModelEntry, ModelError, hookimpl

@hookimpl
def register_models():
    return [ModelEntry("own", "Own model", "plug-in", "somewhere")]

@hookimpl
def load_model(entry, device, dtype):
    {body}
"""
DEF, BODY = "(adapters/loader.py, line 8)", "(adapters/loader.py, line 9)"


def with_loader(folder: Path, body: str) -> Plugins:
    """The built-in catalogue, and a plug-in whose `load_model` does what `body` says."""
    (folder / "adapters").mkdir()
    (folder / "adapters" / "loader.py").write_text(SOURCE.format(body=body), encoding="utf-8")
    plugins = collect_plugins(folder / "adapters")
    assert plugins.failures == []
    return plugins


def test_a_plugin_loads_its_own_model_and_is_told_device_and_format(tmp_path: Path) -> None:
    body = (
        "from tiny_models import tiny_network, tiny_tokenizer\n"
        "    assert (entry.id, device, dtype) == ('own', 'cpu', 'float32')\n"
        "    return tiny_network('llama'), tiny_tokenizer()"
    )
    pair = load_by_plugin(OWN, LoadOptions("cpu", "float32"), with_loader(tmp_path, body))
    assert pair is not None
    assert pair[0].config.model_type == "llama"
    assert pair[1].is_fast


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise OSError('no disk')", f"{BODY}: Its hook “load_model” raises OSError: no disk."),
        ("raise SystemExit", f"{BODY}: Its hook “load_model” raises SystemExit."),
        ("return 'a model'", f"{DEF}: The hook “load_model” returns a value of type str. Let it return a"),
        ("return (1, 2)", f"{DEF}: The hook “load_model” returns a pair of int and int. Let it return a"),
    ],
)
def test_a_loader_that_fails_is_named_with_its_line(tmp_path: Path, body: str, message: str) -> None:
    plugins = with_loader(tmp_path, body)
    with pytest.raises(lt.ModelError) as refused:
        load_by_plugin(OWN, LoadOptions("cpu"), plugins)
    assert str(refused.value).startswith(f"The plug-in “loader” could not load “Own model” {message}")


def test_what_a_loader_says_to_the_user_comes_through_as_it_is(tmp_path: Path) -> None:
    plugins = with_loader(tmp_path, "raise ModelError('Log in first.')")
    with pytest.raises(lt.ModelError, match=r"^Log in first\.$"):
        load_by_plugin(OWN, LoadOptions("cpu"), plugins)


def test_a_loader_that_refuses_the_models_of_others_costs_only_itself_and_is_told_what_to_do(tmp_path: Path) -> None:
    plugins = with_loader(tmp_path, "raise ModelError('I only load my own.')")
    assert load_by_plugin(EMBEDDED, LoadOptions("cpu"), plugins) is None
    (failure,) = plugins.failures
    assert failure.where == "adapters/loader.py, line 9"
    assert "refuses a model that is not its own (ModelError: I only load my own" in failure.reason
    assert failure.reason.endswith("Let it return None.")


def test_a_loader_that_leaves_its_own_model_to_others_is_named(tmp_path: Path) -> None:
    plugins = with_loader(tmp_path, "return None")
    with pytest.raises(lt.ModelError, match="by the plug-in “loader”, and its load_model returned None for it"):
        load_by_plugin(OWN, LoadOptions("cpu"), plugins)


def test_a_loader_that_fails_on_another_model_costs_only_itself(tmp_path: Path) -> None:
    plugins = with_loader(tmp_path, "return 1 / 0")
    for _ in range(2):
        assert load_by_plugin(EMBEDDED, LoadOptions("cpu"), plugins) is None
    (failure,) = plugins.failures
    assert failure.where == "adapters/loader.py, line 9"
    assert failure.reason == "Its hook “load_model” raises ZeroDivisionError: division by zero."
