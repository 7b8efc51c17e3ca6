"""What is known of a model before it is loaded, and how exactly it is read then, in words."""

from __future__ import annotations

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.wording.formats import capitalised, tiny

REASONS = {
    "can": later("can reason first"),
    "always": later("always reasons first"),
}
HOW_TRIED = later(
    "Of our own list, a model that does not say “Tried with these weights” was tried by its shape: on random weights, "
    "with a template of its kind."
)
"""How far the catalogue was tried, said once where it is listed."""


def parameters(entry: ModelEntry) -> str:
    """How many weights: “135 million parameters”; "" where that is not known."""
    if entry.parameters is None:
        return ""
    billions = entry.parameters / 1e9
    if billions >= 0.95:
        return say("{n} billion parameters", n=number(billions, ".1f"))
    return say("{n} million parameters", n=number(1e3 * billions, ".0f"))


def entry_facts(entry: ModelEntry) -> str:
    """Size, licence, whether it reasons and whether it is gated, in a line; "" of a model that is not known."""
    gated = say("its terms have to be accepted on its page of the hub first") if entry.is_gated else ""
    reasons = say(REASONS[entry.reasons]) if entry.reasons else ""
    told = ", ".join(filter(None, [parameters(entry), entry.licence, reasons, gated]))
    tried = say("Tried with these weights.") if entry.tried == "weights" else ""
    return " ".join(filter(None, [f"{capitalised(told)}." if told else "", tried]))


ROUNDED = ("float16", "bfloat16")
"""Number formats whose rounding, added up over layers, is larger than what anybody would call exact."""


def read_exactly(n_checks: int, largest_gap: float, dtype: str) -> str:
    """That all checks of a model held when it was loaded, and the largest gap among them."""
    how = say("read as exactly as {dtype} allows", dtype=dtype) if dtype in ROUNDED else say("read exactly")
    checks = say("{n} checks, largest gap {gap}", n=number(n_checks), gap=tiny(largest_gap))
    return f"✓ {how} ({checks})"
