"""What views asked for, as it is kept in memory: what it takes, and which of it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_tracker.app.work.keeping.bounds import MAX_COMPUTED, MAX_COMPUTED_BYTES
from llm_tracker.app.work.subject import Subject


def n_bytes_of(result: Any) -> int:
    """What a result takes, where it is of a size that counts."""
    return int(getattr(result, "n_bytes", 0))


def too_much(computed: Mapping[Subject, Any], newest: Subject) -> list[Subject]:
    """Which of it goes, the oldest first, where all of it is too large or too many; never what stays."""
    may_go = {each: n_bytes_of(kept) for each, kept in computed.items() if not each.stays}
    large = [each for each, n_bytes in may_go.items() if n_bytes and each != newest]
    goes = []
    while large and sum(may_go.values()) > MAX_COMPUTED_BYTES:
        goes.append(large.pop(0))
        del may_go[goes[-1]]
    return goes + list(may_go)[: max(0, len(may_go) - MAX_COMPUTED)]
