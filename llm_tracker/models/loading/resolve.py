"""From a name to an entry: a catalogue id, a hub id, a directory or a .gguf file."""

from __future__ import annotations

from pathlib import Path

from llm_tracker.errors import ModelNotFoundError
from llm_tracker.languages.texts import say
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA, ModelEntry, meant
from llm_tracker.models.loading.typed_names import meant_name
from llm_tracker.models.plugins.manager import Plugins, installed_plugins
from llm_tracker.models.sources import hub


def default_model_id() -> str:
    """TinyLlama where it is in the local cache, else the built-in model."""
    return TINYLLAMA.id if hub.cached_model(TINYLLAMA.location) else EMBEDDED.id


def find_entry(name: str, plugins: Plugins | None = None) -> ModelEntry:
    """The entry for a catalogue id, a directory, a .gguf file or a hub id (owner/model, with @revision if wanted).

    The address of a model's page and one of a model's files mean their model (`meant_name`). Raises ModelNotFoundError,
    with near names, where it is none of these.
    """
    models = (plugins or installed_plugins()).models
    name = name if name in models else meant_name(name)
    if name in models:
        return models[name]
    path = _path(name)
    if name and path.is_dir():
        return ModelEntry(name, path.resolve().name, "directory", str(path.resolve()))
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelNotFoundError(say("There is no file {name}. Give the path of a .gguf file.", name=name))
        return ModelEntry(name, path.stem, "gguf", str(path.resolve()))
    repository, _, revision = name.partition("@")
    if "/" in repository and hub.can_be_named(repository):
        named = None if revision in ("", "main") else revision  # the hub's default branch is called so
        return ModelEntry(name, repository.split("/")[1], "hub", repository, named)
    raise ModelNotFoundError(
        say(
            "There is no model “{name}”.{meant} Known ids: {models}; or give a hub id (owner/model), a "
            "directory, or a .gguf file.",
            name=name,
            meant=meant(name, models),
            models=", ".join(sorted(models)),
        )
    )


def _path(name: str) -> Path:
    """The name as a path; of one that can be none (an unknown ~user, too long), a path that is not there."""
    try:
        path = Path(name).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError):
        return Path("not there")
    return path
