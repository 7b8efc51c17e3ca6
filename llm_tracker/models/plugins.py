"""Finds plug-ins (adapters/ and installed packages) and collects what they bring; a broken one costs only itself."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from llm_tracker.models import builtin, hookspecs
from llm_tracker.models.adapter import ModelAdapter
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.places import app_dir

ENTRY_POINT_GROUP = "llm_tracker"


@dataclass(frozen=True)
class PluginRecord:
    """A plug-in that was loaded: where from, and its version where it has one."""

    name: str
    origin: str
    version: str


@dataclass(frozen=True)
class PluginFailure:
    """A plug-in that could not be used, and why."""

    name: str
    reason: str
    where: str = ""
    """The file and line to look at, where they are known."""


@dataclass
class Plugins:
    """Everything that plug-ins brought. Adapters by model_type, models by id."""

    manager: pluggy.PluginManager
    adapters: dict[str, ModelAdapter] = field(default_factory=dict)
    models: dict[str, ModelEntry] = field(default_factory=dict)
    loaded: list[PluginRecord] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)


@cache
def installed_plugins() -> Plugins:
    """The plug-ins of this installation, collected once a process."""
    return collect_plugins(app_dir() / "adapters")


def collect_plugins(folder: Path) -> Plugins:
    """Load the built-in catalogue, every file of `folder`, and every installed entry point, each in its own try."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager)
    for name, origin, version, load in _sources(folder):
        try:
            plugin = load()
            _register(manager, plugin, name)
            _collect(plugins, plugin, name)
        except Exception as error:
            if manager.has_plugin(name):
                manager.unregister(name=name)
            plugins.failures.append(PluginFailure(name, f"{type(error).__name__}: {error}"))
        else:
            plugins.loaded.append(PluginRecord(name, origin, version))
    return plugins


def _sources(folder: Path) -> Iterator[tuple[str, str, str, Callable[[], Any]]]:
    """Name, origin, version and loader of each plug-in."""
    yield "built-in", "llm_tracker", _version("llm-inference-tracker"), lambda: builtin
    for path in sorted(folder.glob("*.py")):
        if not path.stem.startswith("_"):
            yield path.stem, str(path), "", partial(_load_file, path)
    for entry_point in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda each: each.name):
        package = entry_point.dist
        origin, version = (package.name, package.version) if package else (entry_point.value, "")
        yield entry_point.name, origin, version, entry_point.load


def _version(package: str) -> str:
    """The installed version of a package, or "" when the app runs from a bare checkout."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _load_file(path: Path) -> ModuleType:
    """Import a file by its path, under a name that no installed package can own."""
    name = f"llm_tracker_adapter_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not an importable Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _register(manager: pluggy.PluginManager, plugin: Any, name: str) -> None:
    """Register, and check at once, so that a misspelt hook is blamed on its plug-in."""
    if manager.register(plugin, name) is None:
        raise ValueError(f"the plug-in “{name}” is blocked")
    manager.check_pending()


def _collect(plugins: Plugins, plugin: Any, name: str) -> None:
    """Ask this one plug-in for its adapters and models, and refuse what another has claimed before it keeps any."""
    others = [each for each in plugins.manager.get_plugins() if each is not plugin]
    hook = plugins.manager.subset_hook_caller
    adapters = {
        model_type: adapter
        for brought in hook("register_adapters", others)()
        for adapter in brought
        for model_type in adapter.model_types
    }
    models = {entry.id: entry for brought in hook("register_models", others)() for entry in brought}
    for model_type in adapters.keys() & plugins.adapters.keys():
        raise ValueError(
            f"two plug-ins read the model type “{model_type}”: {plugins.adapters[model_type].name} has it, "
            f"{adapters[model_type].name} of “{name}” claims it too. Remove one of the two."
        )
    for model_id in models.keys() & plugins.models.keys():
        raise ValueError(f"the model id “{model_id}” of “{name}” is taken. Choose another id.")
    plugins.adapters |= adapters
    plugins.models |= models
