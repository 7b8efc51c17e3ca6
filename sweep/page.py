"""docs/models.md, written from the outcomes of a sweep."""

from __future__ import annotations

import importlib.metadata
import re
from collections import Counter
from collections.abc import Sequence

from sweep.experiments_page import experiments_table
from sweep.markdown import cell, table
from sweep.trial import BOUNDS, Outcome

TITLES = {
    "exact": "Read exactly, with attention",
    "exact, no attention": "Read exactly; no attention to draw",
    "refused": "Refused, and why",
    "does not build": "Not tried: does not build from a small configuration",
    "wrong": "Read wrongly",
    "crashed": "Crashed",
}


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole page."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in TITLES)
    sections = [_section(verdict, [each for each in outcomes if each.verdict == verdict]) for verdict in TITLES]
    return "\n\n".join([_opening(len(outcomes), told), *filter(None, sections), *experiments_table(outcomes)]) + "\n"


def counted(text: str, at: int = 0) -> dict[str, int]:
    """The numbers that a page states: by verdict, or `at` 1 by quantity of an experiment."""
    stated = re.findall(r"^\*\*(.+)\*\*$", text, re.MULTILINE)
    pairs = [each.split(" ", 1) for each in re.split(r", (?=\d)", stated[at])] if at < len(stated) else []
    return {name: int(number) for number, name in pairs}


def _opening(n_families: int, told: str) -> str:
    version = importlib.metadata.version("transformers")
    bounds = "; ".join(f"{name} {bound:g}" for name, bound in BOUNDS.items())
    return f"""# Which models are read exactly

Written by `make sweep`; do not edit. Each of the {n_families} types in the causal-LM mapping of transformers {version}
is built small with random weights (caps and scales on), read by its adapter, and compared with plain transformers on
eager attention: the last layer's lens with the model's own logits, every layer's lens with the model's own end (the row
put in place of the last layer's output), every recorded attention row with eager's, as many patterns as eager gives,
and an answer with transformers' own generation. Bounds, in standard deviations of the logits and in shares of
attention: {bounds}.
Sites are the places where a forward pass can be read and replaced, by TransformerLens' names: resid_pre, resid_mid,
resid_post, attn_out, mlp_out, z, v, pattern. Those that a family lacks are named, and those that can be read there and
not replaced; each of the others passed its proof.

**{told}**

A model that you load is proved anew on its own weights, whatever stands here."""


def _section(verdict: str, outcomes: list[Outcome]) -> str:
    if not outcomes:
        return ""
    if verdict.startswith("exact"):
        return f"## {TITLES[verdict]} ({len(outcomes)})\n\n" + table(
            (
                "type",
                "adapter",
                "attention",
                "layers with a pattern",
                "lens",
                "rows",
                "sites missing or read only",
                "note",
            ),
            (_exact_row(outcome) for outcome in outcomes),
        )
    rows = ((f"`{outcome.model_type}`", cell(outcome.reason)) for outcome in outcomes)
    return f"## {TITLES[verdict]} ({len(outcomes)})\n\n" + table(("type", "why"), rows)


def _exact_row(outcome: Outcome) -> tuple[str, ...]:
    attending = sum(heads > 0 for heads in outcome.heads)
    lens = max(outcome.gaps["lens of the last layer"], outcome.gaps["lens of every layer"])
    notes = ["learned sinks"] * outcome.has_sinks + ["lens by running the whole model"] * outcome.own_tail
    return (
        f"`{outcome.model_type}`",
        outcome.adapter,
        outcome.attention if attending else "none",
        f"{attending} of {len(outcome.heads)}",
        f"{lens:.0e}",
        f"{outcome.gaps['attention']:.0e}" if attending else "",
        ", ".join([*outcome.missing_sites, *(f"{name} (read only)" for name in outcome.read_only_sites)]),
        ", ".join([*notes, *outcome.notes]),
    )
