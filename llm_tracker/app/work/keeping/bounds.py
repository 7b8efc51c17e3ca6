"""How much of one visitor is kept in memory."""

from __future__ import annotations

MAX_SESSIONS = 30
"""Conversations that one workspace has in memory; past it, the oldest that is not shown goes: to the store alone."""

MAX_SESSION_BYTES = 256 * 2**20
"""What their traces may take together, the one that is shown left out of account."""

MAX_TYPED = 12
"""Models chosen by a name of their own that one workspace keeps among those to choose from."""

MAX_COMPUTED_BYTES = 128 * 2**20
"""What may be kept of all that views asked for (maps, patterns; the oldest goes first), and as much of a study."""

MAX_COMPUTED = 500
"""How many of these may be kept, however small."""
