"""The part of docs/models.md on experiments: which quantities hold for which family."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sweep.experiments_trial import BOUND, QUANTITIES, Quantity, Tried
from sweep.markdown import cell, table
from sweep.trial import Outcome

TITLE = "What can be found out about a correction"
HOLDS = "✓"
WRONG = "**wrong**"

INTRODUCTION = f"""\
The quantities of an experiment on the same small networks, held against plain transformers on eager attention, one text
at a time, with plain hooks: texts and words of unlike length, read as one batch; the states of one text written into
another at every depth; each word closed in every softmax; each head's part of what the output projection takes; and the
sums of what a model's parts, and a text's words, add to a difference of logits. {HOLDS}: within {BOUND:g} standard
deviations of the logits. A number: nothing is shown, for the reason below."""

_NUMBER = re.compile(r"\b(?:\d+\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+|(?<=off by )\d+|nan)\b")


def experiments_table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The section: how many families each quantity holds for, a row for each family, and the reasons by number."""
    known = [outcome for outcome in outcomes if outcome.experiments]
    if not known:
        return
    reasons = list(dict.fromkeys(_reason(each) for one in known for each in one.experiments.values() if each.why_not))
    yield f"## {TITLE} ({len(known)})"
    yield INTRODUCTION
    yield f"**{', '.join(f'{_n_holding(known, name)} {name}' for name in QUANTITIES)}**"
    rows = ((f"`{one.model_type}`", *(_mark(one.experiments[name], reasons) for name in QUANTITIES)) for one in known)
    yield table(("type", *QUANTITIES), rows)
    yield "\n".join(f"{at}. {cell(reason)}" for at, reason in enumerate(reasons, 1))


def _n_holding(outcomes: Sequence[Outcome], name: Quantity) -> int:
    return sum(outcome.experiments[name].holds for outcome in outcomes)


def _mark(tried: Tried, reasons: Sequence[str]) -> str:
    if tried.holds:
        return HOLDS
    return str(reasons.index(_reason(tried)) + 1) if tried.why_not else WRONG


def _reason(tried: Tried) -> str:
    """Why nothing is shown, the same whatever the numbers are."""
    return _NUMBER.sub("…", tried.why_not)
