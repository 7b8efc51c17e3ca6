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

from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.plugins import builtin, hookspecs
from llm_tracker.models.plugins.plugin_checks import Hook, adapters_of, models_of, own_hooks
from llm_tracker.models.plugins.plugin_failures import Home, PluginError, PluginFailure, failure_of
from llm_tracker.places import app_dir

ENTRY_POINT_GROUP = "llm_tracker"


@dataclass(frozen=True)
class PluginRecord:
    """A plug-in that was loaded: where from, and its version where it has one."""

    name: str
    origin: str
    version: str


@dataclass
class Plugins:
    """Everything that plug-ins brought. Adapters by model_type, models by id."""

    manager: pluggy.PluginManager
    adapters: dict[str, ModelAdapter] = field(default_factory=dict)
    models: dict[str, ModelEntry] = field(default_factory=dict)
    adapters_from: dict[str, str] = field(default_factory=dict)
    """Model type -> the plug-in that brought its adapter."""
    models_from: dict[str, str] = field(default_factory=dict)
    """Model id -> the plug-in that brought it."""
    homes: dict[str, Home] = field(default_factory=dict)
    """The code of each plug-in that was loaded, by its name."""
    loaded: list[PluginRecord] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)


@dataclass(frozen=True)
class _Source:
    """A plug-in that was found, before any of its code runs."""

    record: PluginRecord
    home: Home
    load: Callable[[], Any]


@cache
def installed_plugins() -> Plugins:
    """The plug-ins of this installation, collected once a process."""
    return collect_plugins(app_dir() / "adapters")


def collect_plugins(folder: Path) -> Plugins:
    """Load the built-in catalogue, every file of `folder`, and every installed entry point, each in its own try."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager)
    for source in _sources(folder):
        try:
            _add(plugins, source)
        except (Exception, SystemExit) as error:
            plugins.failures.append(failure_of(source.record.name, source.home, error))
    return plugins


def _sources(folder: Path) -> Iterator[_Source]:
    """The built-in plug-in, those of the folder, and the installed ones."""
    version = _version("llm-inference-tracker")
    yield _Source(PluginRecord("built-in", "llm_tracker", version), Home(None), lambda: builtin)
    for path in sorted(folder.glob("*.py")):
        if not path.stem.startswith("_"):
            home = Home(path, f"{folder.name}/{path.name}")
            yield _Source(PluginRecord(path.stem, str(path), ""), home, partial(_load_file, path))
    for entry_point in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda each: each.name):
        package = entry_point.dist
        origin, version = (package.name, package.version) if package else (entry_point.value, "")
        home = Home(_package_path(entry_point))
        yield _Source(PluginRecord(entry_point.name, origin, version), home, partial(_load_entry_point, entry_point))


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


def _load_entry_point(entry_point: importlib.metadata.EntryPoint) -> Any:
    """Import what an installed package names as its plug-in."""
    if _package_path(entry_point) is None:
        raise PluginError(
            f"Its entry point “{entry_point.value}” names a module that is not there. "
            "Correct it in the package's pyproject.toml, or install the package again."
        )
    return entry_point.load()


_MALFORMED = (AssertionError, AttributeError, ImportError, ValueError)
"""What the standard library makes of a malformed entry point; an assertion from Python 3.13 on."""


def _package_path(entry_point: importlib.metadata.EntryPoint) -> Path | None:
    """The folder of the package that an entry point leads into, or a lone module's file; None where none is there."""
    try:
        spec = importlib.util.find_spec(entry_point.module.partition(".")[0])
    except _MALFORMED:
        return None
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    place = folders[0] if folders else spec.origin
    return Path(place) if place else None


def _add(plugins: Plugins, source: _Source) -> None:
    """Load one plug-in and take over what it brings, once all of it has been looked at: of a broken one nothing stays.

    Raises PluginError, or whatever the plug-in's own code raises.
    """
    name = source.record.name
    if plugins.manager.has_plugin(name):
        raise PluginError(f"Another plug-in is called “{name}” already. Give this one another name.")
    plugin = source.load()
    hooks = own_hooks(plugins.manager, plugin)
    adapters = _new_adapters(plugins, name, hooks)
    models = _new_models(plugins, name, hooks)
    plugins.manager.register(plugin, name)
    plugins.adapters |= adapters
    plugins.models |= models
    plugins.adapters_from |= dict.fromkeys(adapters, name)
    plugins.models_from |= dict.fromkeys(models, name)
    plugins.homes[name] = source.home
    plugins.loaded.append(source.record)


def _new_adapters(plugins: Plugins, name: str, hooks: list[Hook]) -> dict[str, ModelAdapter]:
    """The adapters that a plug-in brings, by model type. Raises PluginError where a type has its adapter already."""
    new: dict[str, ModelAdapter] = {}
    for hook in hooks:
        for adapter in adapters_of(hook) if hook.name == "register_adapters" else ():
            for model_type in adapter.model_types:
                holder = plugins.adapters.get(model_type) or new.get(model_type)
                if holder is not None:
                    raise PluginError(
                        f"The model type “{model_type}” is read by {holder.name} of "
                        f"“{plugins.adapters_from.get(model_type, name)}” already. "
                        f"Take it out of {adapter.name}.model_types, or take that plug-in away.",
                        type(adapter),
                        hook.function,
                    )
                new[model_type] = adapter
    return new


def _new_models(plugins: Plugins, name: str, hooks: list[Hook]) -> dict[str, ModelEntry]:
    """The models that a plug-in brings, by id. Raises PluginError where an id is taken, or nothing would load one."""
    new: dict[str, ModelEntry] = {}
    loads = any(hook.name == "load_model" for hook in hooks)
    for hook in hooks:
        for entry in models_of(hook) if hook.name == "register_models" else ():
            if entry.id in plugins.models or entry.id in new:
                raise PluginError(
                    f"The model id “{entry.id}” is taken by “{plugins.models_from.get(entry.id, name)}”. "
                    "Choose another id.",
                    hook.function,
                )
            if entry.source == "plug-in" and not loads:
                raise PluginError(
                    f"The entry “{entry.id}” is to be loaded by this plug-in, which has no hook “load_model”. "
                    "Write one, or give the entry another source.",
                    hook.function,
                )
            new[entry.id] = entry
    return new
