"""Which texts models cut into other tokens, and which alike."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.across_models.tokenisations import Cut
from llm_tracker.wording.formats import listed, quoted


def cut_labels(cuts: Sequence[Cut]) -> list[str]:
    """What each text is called: the question, the correction (by number where there are several), or the word."""
    n_corrections = sum(cut.kind == "correction" for cut in cuts)
    labels, at = [], 0
    for cut in cuts:
        at += cut.kind == "correction"
        if cut.kind == "word":
            labels.append(quoted(cut.text))
        else:
            labels.append(f"the {cut.kind}{f' {at}' if cut.kind == 'correction' and n_corrections > 1 else ''}")
    return labels


def cuts_sentence(cuts: Sequence[Cut], n_models: int) -> str:
    """Which texts are cut in several ways, and which alike; where there is nothing to compare, why."""
    if n_models < 2:
        return "This is one model: add another to see whether it cuts the same words into other tokens."
    if not cuts:
        return "No text was followed in every model: there is nothing to compare."
    labels = cut_labels(cuts)
    alike = [label for label, cut in zip(labels, cuts, strict=True) if cut.is_alike]
    unlike = [label for label, cut in zip(labels, cuts, strict=True) if not cut.is_alike]
    who = "Both" if n_models == 2 else f"All {n_models}"
    if not unlike:
        return f"{who} cut {listed(alike)} at the same places."
    same = f"; {who.lower()} cut {listed(alike)} alike" if alike else ""
    if n_models == 2:
        return f"The two cut {listed(unlike)} at other places{same}."
    return f"Not all cut {listed(unlike)} at the same places{same}."
