"""Sessions of a zip file into a store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llm_tracker.errors import InputError
from llm_tracker.storage.store.store import MAX_TEXT, Store
from llm_tracker.storage.unpacking import LIMITS, Limits, Unpacked, unpack


@dataclass(frozen=True)
class Imported:
    """What came of an import."""

    ids: tuple[int, ...]
    """Of the sessions that are kept now."""
    refused: tuple[tuple[str, str], ...]
    """The names of what was refused, and why."""


def import_zip(
    store: Store,
    source: str | Path | IO[bytes],
    limits: Limits = LIMITS,
    no_room: Callable[[], str] = lambda: "",
    with_stars: bool = True,
) -> Imported:
    """Keep the sessions of a zip file; what is refused is named, and the rest is kept.

    `no_room` is asked before each, and says why no more is kept; with `with_stars` those that had a star have it again.
    Raises InputError where it is no zip file or holds too much, StoreError where the store cannot be written.
    """
    kept: dict[str, int] = {}
    refused = []
    for each in unpack(source, limits):
        if each.session is None:
            refused.append((each.name or "session.json", each.why_not))
        elif why_not := no_room():
            refused.append((each.name or "session.json", why_not))
        else:
            kept[each.name] = _keep(store, each, kept, with_stars)
    return Imported(tuple(kept.values()), tuple(refused))


def _keep(store: Store, each: Unpacked, kept: dict[str, int], with_stars: bool) -> int:
    """Keep one session, with what its user said of it; a parent is one that came before it in the same file."""
    assert each.session is not None
    about = each.about
    session_id = store.save(
        each.session, parent_id=kept.get(about.get("parent", "")), created_at=about.get("created_at")
    )
    texts = {name: about.get(name, "")[:MAX_TEXT] for name in ("name", "note")}
    tags = about.get("tags", [])
    try:
        store.describe(session_id, **texts, tags=tags, starred=with_stars and about.get("starred", False))
    except InputError:  # too many tags: the session is worth more than they are
        store.describe(session_id, **texts)
    return session_id
