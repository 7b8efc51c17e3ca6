"""Sessions of a store as one zip file, each as a session directory, with what its user said of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from llm_tracker.export.archive import Packed, packed_zip
from llm_tracker.storage.store.store import Store
from llm_tracker.storage.store.summaries import StoredSession
from llm_tracker.storage.unpacking import ABOUT
from llm_tracker.tracing.session import Session


def stored_zip(store: Store, ids: Iterable[int]) -> bytes:
    """These sessions, each in a folder of its own; what was not read of their layers is left out.

    Of a branch, the folder of the session that it left is named, where that is there too. Raises InputError where there
    is no session of an id, StoreError where one cannot be read.
    """
    return packed_zip(_packed(store, tuple(ids)))


def n_unread(session: Session) -> int:
    """How many tokens of a session have layers that nobody looked at yet: a zip has them without."""
    return sum(turn.trace.n_steps - len(turn.trace.lens) for turn in session.all_turns)


def _packed(store: Store, ids: tuple[int, ...]) -> Iterator[Packed]:
    for session_id in ids:
        session, summary = store.load(session_id), store.summary(session_id)
        origin = _folder(summary.parent_id) if summary.parent_id in ids else ""
        if session.parent is not None:
            session = replace(session, parent=replace(session.parent, session=origin))
        yield Packed(_folder(session_id), session, {ABOUT: _about(summary, origin)})


def _folder(session_id: int | None) -> str:
    return f"session-{session_id}"


def _about(summary: StoredSession, origin: str) -> bytes:
    """What a user said of a session, as JSON."""
    said = {name: getattr(summary, name) for name in ("name", "tags", "note", "starred", "created_at")}
    return json.dumps({**said, "parent": origin}, ensure_ascii=False, indent=1).encode("utf-8", "replace")
