"""What `llm-tracker models` lists: the catalogue, the adapters, the plug-ins, and what failed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.plugins.manager import Plugins, installed_plugins
from llm_tracker.models.sources.gguf import embedded_gguf, has_embedded
from llm_tracker.models.sources.hub import cached_model


def is_local(entry: ModelEntry) -> bool:
    """Whether a model can be loaded without a download."""
    if entry.source == "hub":
        return cached_model(entry.location, entry.revision) is not None
    return entry.source != "embedded" or has_embedded(entry.location)


def require_installed(entry: ModelEntry) -> None:
    """Raise ModelError, with what to install, for the built-in model where its wheel is not installed."""
    if entry.source == "embedded":
        embedded_gguf(entry.location)


def models_record(plugins: Plugins | None = None) -> dict[str, Any]:
    """The catalogue, the adapters with the model types they read, the plug-ins, and each that failed and why."""
    plugins = plugins or installed_plugins()
    types: dict[str, list[str]] = {}
    for model_type, adapter in sorted(plugins.adapters.items()):
        types.setdefault(adapter.name, []).append(model_type)
    return {
        "models": [{**asdict(entry), "local": is_local(entry)} for entry in plugins.models.values()],
        "adapters": [{"name": name, "model_types": own} for name, own in sorted(types.items())],
        "plugins": [asdict(plugin) for plugin in plugins.loaded],
        "failures": [asdict(failure) for failure in plugins.failures],
    }
