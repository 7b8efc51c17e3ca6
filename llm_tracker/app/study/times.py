"""How long something takes, as people say it."""

from __future__ import annotations

from llm_tracker.languages.texts import say


def about(seconds: float) -> str:
    """About 8 s, about 40 s, about 3 min, about 2 h."""
    if seconds < 100:
        return say("about {n} s", n=max(1, round(seconds)) if seconds < 20 else 5 * round(seconds / 5))
    minutes = seconds / 60
    return say("about {n} min", n=round(minutes)) if minutes < 90 else say("about {n} h", n=round(minutes / 60))
