"""How long something takes, as people say it."""

from __future__ import annotations


def about(seconds: float) -> str:
    """About 8 s, about 40 s, about 3 min, about 2 h."""
    if seconds < 100:
        return f"about {max(1, round(seconds)) if seconds < 20 else 5 * round(seconds / 5)} s"
    minutes = seconds / 60
    return f"about {round(minutes)} min" if minutes < 90 else f"about {round(minutes / 60)} h"
