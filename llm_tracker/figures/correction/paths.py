"""Where a minimal pair's difference travels, and the lead through the layers."""

from __future__ import annotations

import pandas as pd

from llm_tracker.charts.correction.paths import grid_chart, lens_chart, path_chart
from llm_tracker.experiments.values.experiment import Experiment, available
from llm_tracker.experiments.values.findings import HandOver
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.wording.correction.conditions import CONDITION_LABELS, lead_title
from llm_tracker.wording.correction.paths import GROUP_LABELS, grid_sentence, lens_sentence, path_sentence

TURN = "correction"


def path_figure(path: HandOver, view: str = "hand_over") -> Figure | None:
    """The curves of a pair, as far as they have come; None before the first is there."""
    frame = path_frame(path)
    if frame.empty:
        return None
    said = path_sentence(path) if path.answer_slot else ""
    source, target = path.pair.source_word, path.pair.target_word
    title = say("Where “{source}” in place of “{target}” travels", source=source, target=target)
    return Figure(view, title, path_chart(frame), frame.assign(turn=TURN), said)


def path_frame(path: HandOver) -> pd.DataFrame:
    """A row a group of positions and depth: share of the effect, and the margin that it is."""
    rows = [
        {"group": label, "depth": depth, "share": share, "margin": path.margins[1] + share * path.effect}
        for name, label in GROUP_LABELS.items()
        for depth, share in enumerate(getattr(path, name))
    ]
    return pd.DataFrame(rows, columns=["group", "depth", "share", "margin"])


def grid_figure(path: HandOver, view: str = "grid") -> Figure | None:
    """Every position by itself at every depth; None where it was not run."""
    if path.grid is None:
        return None
    rows = [
        {"place": at, "position": path.first + at, "token": path.tokens[at], "depth": depth, "value": share}
        for depth, shares in enumerate(path.grid)
        for at, share in enumerate(shares)
    ]
    frame = pd.DataFrame(rows)
    title = say("Every position by itself")
    return Figure(view, title, grid_chart(frame), frame.assign(turn=TURN), grid_sentence(path))


def lens_figure(experiment: Experiment) -> Figure | None:
    """The lead through the layers under several conditions; None where it was not read."""
    curves = available(experiment.lens)
    if not curves:
        return None
    rows = [
        {"condition": CONDITION_LABELS[curve.condition.name], "layer": at + 1, "lead": lead, "kl_nats": kl, "jsd": jsd}
        for curve in curves
        for at, (lead, kl, jsd) in enumerate(zip(curve.lead, curve.kl_nats, curve.jsd_from_asked_again, strict=True))
    ]
    frame = pd.DataFrame(rows)
    said = lens_sentence(curves, experiment.case.answer, experiment.case.foil)
    return Figure(
        "lens_margins",
        say("The lead through the layers"),
        lens_chart(frame, lead_title(experiment)),
        frame.assign(turn=TURN),
        said,
    )
