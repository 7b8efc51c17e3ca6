"""The JSON files that stand beside a model's weights, which anybody may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llm_tracker.errors import ModelError


def read_object(file: Path) -> dict[str, Any]:
    """The names and values that a file holds. Raises ModelError where it holds none, OSError where it is not there."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # the latter of lists in lists in lists
        raise ModelError(f"{file} is damaged: it is no JSON. Get the model's files anew.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} is damaged: it holds no names with values. Get the model's files anew.")
    return content
