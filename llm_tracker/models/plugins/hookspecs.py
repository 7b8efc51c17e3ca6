"""The hooks of a plug-in. A plug-in is a module with functions of these names, marked with `hookimpl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from llm_tracker.models.adapters.contract import ModelAdapter
    from llm_tracker.models.catalogue import ModelEntry

PROJECT = "llm_tracker"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_adapters() -> list[ModelAdapter]:  # type: ignore[empty-body]
    """The adapters that this plug-in brings, one instance each."""


@hookspec
def register_models() -> list[ModelEntry]:  # type: ignore[empty-body]
    """The catalogue entries that this plug-in brings."""


@hookspec(firstresult=True)
def load_model(entry: ModelEntry, device: str, dtype: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase] | None:
    """Load an entry in the plug-in's own way, or return None to leave it to the next."""
