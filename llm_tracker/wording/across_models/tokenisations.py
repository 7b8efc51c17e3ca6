"""Which texts models cut into other tokens, and which alike."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.across_models.tokenisations import Cut
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import listed, quoted


def cut_labels(cuts: Sequence[Cut]) -> list[str]:
    """What each text is called: the question, the correction (by number where there are several), or the word."""
    n_corrections = sum(cut.kind == "correction" for cut in cuts)
    labels, at = [], 0
    for cut in cuts:
        at += cut.kind == "correction"
        if cut.kind == "word":
            labels.append(quoted(cut.text))
        elif cut.kind == "question":
            labels.append(say("the question"))
        else:
            labels.append(say("the correction {n}", n=at) if n_corrections > 1 else say("the correction"))
    return labels


def cuts_sentence(cuts: Sequence[Cut], n_models: int) -> str:
    """Which texts are cut in several ways, and which alike; where there is nothing to compare, why."""
    if n_models < 2:
        return say("This is one model: add another to see whether it cuts the same words into other tokens.")
    if not cuts:
        return say("No text was followed in every model: there is nothing to compare.")
    labels = cut_labels(cuts)
    alike = [label for label, cut in zip(labels, cuts, strict=True) if cut.is_alike]
    unlike = [label for label, cut in zip(labels, cuts, strict=True) if not cut.is_alike]
    if not unlike:
        return _all_alike(listed(alike), n_models)
    if n_models == 2:
        told = [say("The two cut {texts} at other places", texts=listed(unlike))]
    else:
        told = [say("Not all cut {texts} at the same places", texts=listed(unlike))]
    if alike:
        told.append(_others_alike(listed(alike), n_models))
    return f"{'; '.join(told)}."


def _all_alike(texts: str, n_models: int) -> str:
    if n_models == 2:
        return say("Both cut {texts} at the same places.", texts=texts)
    return say("All {n} cut {texts} at the same places.", n=n_models, texts=texts)


def _others_alike(texts: str, n_models: int) -> str:
    """How those texts are cut that are not cut in several ways."""
    if n_models == 2:
        return say("both cut {texts} alike", texts=texts)
    return say("all {n} cut {texts} alike", n=n_models, texts=texts)
