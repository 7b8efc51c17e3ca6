"""What was meant by a name that no model has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from llm_tracker.models.catalogue import ModelEntry


def meant(name: str, models: Mapping[str, ModelEntry]) -> str:
    """“ Did you mean …?”, where an id or a repository of the catalogue is spelled nearly like the name; else empty."""
    names = {entry.id.lower(): entry for entry in models.values()}
    names |= {entry.location.lower(): entry for entry in models.values() if entry.source == "hub"}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if not near:
        return ""
    entry = names[near[0]]
    return f" Did you mean “{entry.id}”" + (f" ({entry.location})?" if entry.source == "hub" else "?")
