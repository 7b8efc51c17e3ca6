"""What was typed or pasted for a model, as the name that it means."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_HUB_PATH = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:/(?:tree|blob|resolve|raw)/(?P<revision>[^/]+)(?:/.*)?)?/?")
"""Of an address of a model hub: owner and model, and the revision that is looked at."""

_HOST = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}/(?=[\w.-]+/)", re.IGNORECASE)

MODEL_FILES = (".safetensors", ".json", ".bin")
"""Files whose directory is meant where one of them is named."""


def meant_name(typed: str) -> str:
    """The catalogue id, hub id or path that is meant: by a page's address, a file of a model, or with blanks around.

    What is none of these is given back as it is, without the blanks.
    """
    name = typed.strip()
    if name.lower().startswith("file://"):
        name = unquote(urlsplit(name).path)
    path = _existing(name)
    if path is not None:
        is_part = path.is_file() and path.suffix in MODEL_FILES
        return str(path.parent) if is_part else name
    return _hub_name(name) or name


def _hub_name(name: str) -> str:
    """The hub id, with its revision, that an address or an id with a slash behind it means; "" of anything else."""
    host = _HOST.match(name)
    rest = name[host.end() :] if host else name
    found = _HUB_PATH.fullmatch(re.split(r"[?#]", rest)[0])
    if found is None or not (host or rest != found["id"]):
        return ""
    revision = found["revision"]
    return found["id"] if revision in (None, "main") else f"{found['id']}@{revision}"


def _existing(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path if name and path.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None
