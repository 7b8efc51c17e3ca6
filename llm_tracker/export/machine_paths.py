"""Finding what names a place on this machine, to leave it out of what is handed on."""

from __future__ import annotations

import os
import re
from pathlib import Path, PureWindowsPath

from llm_tracker.tracing.session import ModelInfo

_IS_PATH = re.compile(r"[/~.]|[A-Za-z]:[\\/]|.*\\|[^/@]*/[^/@]*/|.*\.gguf$", re.DOTALL)
"""What no hub id can be: it begins at the root, at home or here, or with a drive; or it has more than two parts."""

_FOLDER = r"[^\s/\\\"'”<>|]+[\\/]"
_FOLDERS = re.compile(
    rf"(?<![\w/:.~])(?:(?:file:/+|/|[A-Za-z]:[\\/]|\\\\)(?:{_FOLDER})+|~\w*[\\/](?:{_FOLDER})*)(?=[^\s/\\])"
)
"""Within a text, all of a path but its last part; an address (https://…) is none."""


def named_without_path(model: ModelInfo) -> str:
    """A model's id; of one that is a path on this machine, its last part."""
    return _last_part(model.id) or model.title if _is_local(model) else model.id


def places_of(model: ModelInfo) -> list[str]:
    """The paths by which a text may name where a model is on this machine, the longest first."""
    known = {model.path or "", model.id if _is_local(model) else ""}
    return sorted((path for path in known if re.search(r"[\\/]", path)), key=len, reverse=True)


def without_places(text: str, places: list[str]) -> str:
    """A text in which these paths, and any other that begins at the root or at home, are cut to their last part."""
    for place in places:
        text = text.replace(place, _last_part(place))
    return _FOLDERS.sub("", _with_short_home(text))


def _with_short_home(text: str) -> str:
    """A text with “~” for the user's own folder: a name with blanks in it would seem to end the path."""
    home = os.path.expanduser("~")
    return re.sub(rf"{re.escape(home)}(?![\w-])", "~", text) if len(Path(home).parts) > 1 else text


def _is_local(model: ModelInfo) -> bool:
    """Whether a model's id is a path of this machine, and not one of the catalogue or of a hub (owner/model)."""
    if _IS_PATH.match(model.id):
        return True
    is_end_of_path = model.path is not None and Path(model.path).as_posix().endswith(f"/{model.id}")
    return "/" in model.id and (is_end_of_path or os.path.exists(model.id))


def _last_part(path: str) -> str:
    """The last part of a path of any system."""
    return PureWindowsPath(path).name
