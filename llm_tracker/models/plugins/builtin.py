"""The built-in catalogue as a plug-in: it enters by the same door as any other."""

from __future__ import annotations

from llm_tracker.models.catalogue import CATALOGUE, ModelEntry
from llm_tracker.models.plugins.hookspecs import hookimpl


@hookimpl
def register_models() -> list[ModelEntry]:
    """TinyLlama first: it is the default once it is here."""
    return list(CATALOGUE)
