"""What is known of a model before it is loaded, and how exactly it is read then, in words."""

from __future__ import annotations

from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.wording.formats import tiny

REASONS = {
    "": "",
    "can": "can reason first",
    "always": "always reasons first",
}
TRIED = {
    "": "",
    "weights": "Tried with these weights.",
    "shape": "Its own weights were not tried; its shape was, on random ones, and a template of its kind.",
}
"""How far an entry of the catalogue was tried by whoever wrote it."""


def parameters(entry: ModelEntry) -> str:
    """How many weights: “135 million parameters”; "" where that is not known."""
    if entry.parameters is None:
        return ""
    billions = entry.parameters / 1e9
    return f"{billions:.1f} billion parameters" if billions >= 0.95 else f"{1e3 * billions:.0f} million parameters"


def entry_facts(entry: ModelEntry) -> str:
    """Size, licence, whether it reasons and whether it is gated, in a line; "" of a model that is not known."""
    gated = "its terms have to be accepted on its page of the hub first" if entry.is_gated else ""
    told = ", ".join(filter(None, [parameters(entry), entry.licence, REASONS[entry.reasons], gated]))
    return " ".join(filter(None, [f"{told[:1].upper()}{told[1:]}." if told else "", TRIED[entry.tried]]))


ROUNDED = ("float16", "bfloat16")
"""Number formats whose rounding, added up over layers, is larger than what anybody would call exact."""


def read_exactly(n_checks: int, largest_gap: float, dtype: str) -> str:
    """That all checks of a model held when it was loaded, and the largest gap among them."""
    how = f"read as exactly as {dtype} allows" if dtype in ROUNDED else "read exactly"
    return f"✓ {how} ({n_checks} checks, largest gap {tiny(largest_gap)})"
