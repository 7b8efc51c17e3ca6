"""Kept conversations as plain text, for the command line."""

from __future__ import annotations

import time
from collections.abc import Sequence

from llm_tracker.storage.store.pruning import Pruned
from llm_tracker.storage.store.summaries import StoredSession
from llm_tracker.wording.formats import visible
from llm_tracker.wording.history import OUTCOMES, answers_in_short, conversations, size, when


def stored_heading(stored: StoredSession) -> str:
    """One conversation in a line or two: number, what was asked, what came, who answered, when."""
    now = time.time()
    star = "★ " if stored.starred else ""
    facts = [OUTCOMES[stored.outcome], stored.model_title, when(stored.created_at, now), size(stored.n_bytes)]
    facts += [f"a branch of {stored.parent_id}"] if stored.parent_id else []
    facts += [f"#{tag}" for tag in stored.tags]
    asked = f" ({stored.said[0]})" if stored.name and stored.said else ""
    lines = [f"{stored.id}  {star}{stored.title}{asked}  {answers_in_short(stored.answers)}", f"    {', '.join(facts)}"]
    return "\n".join(visible(line) for line in [*lines, *([f"    {stored.note}"] if stored.note else [])])


def stored_lines(found: Sequence[StoredSession], n: int, n_bytes: int) -> str:
    """Conversations one below the other, and how many there are."""
    if not n:
        return "No conversations. The app keeps each one, and `llm-tracker track … --save` keeps its own."
    more = f" The first {len(found)} are shown; --limit shows more." if len(found) < n else ""
    total = f"{conversations(n)}, {size(n_bytes)}.{more}"
    return "\n".join([*map(stored_heading, found), total])


def pruned_lines(pruned: Pruned, dry_run: bool) -> str:
    """What was removed, or would be, and what remains."""
    done = "would be removed" if dry_run else "removed"
    kept = f"{conversations(pruned.kept)}, {size(pruned.kept_bytes)}, {'would remain' if dry_run else 'remain'}."
    total = f"{conversations(len(pruned.sessions))}, {size(pruned.n_bytes)}, {done}; {kept}"
    return "\n".join([*map(stored_heading, pruned.sessions), total])
