"""One conversation on several models: the lead by relative depth, and where each model looked."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.across_models.relative_depth import lead_by_depth
from llm_tracker.analysis.across_models.runs import NamedRun, format_pairs
from llm_tracker.analysis.across_models.shared_words import groups_by_model, words_by_model
from llm_tracker.analysis.compare import SideName
from llm_tracker.charts.across_models.attention import groups_chart, words_chart
from llm_tracker.charts.across_models.lead import lead_chart, lead_limits
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.wording.across_models.attention import parked_sentence, words_sentence
from llm_tracker.wording.across_models.lead import lead_sentence
from llm_tracker.wording.labels import TURN_LABELS

PANELS: dict[SideName, tuple[SideName, ...]] = {"before": ("before",), "after": ("after", "again")}
"""The answers that are drawn in one chart: the one after has the control beside it."""


def lead_figures(runs: Sequence[NamedRun], word: str, over: str) -> dict[SideName, Figure]:
    """The lead by relative depth before, and after where there is a correction, on one scale; those that were read."""
    whole = lead_by_depth(runs, word, over)
    limits = lead_limits(whole)
    wide = {reference.letter for _, reference in format_pairs(runs)}
    figures: dict[SideName, Figure] = {}
    for turn, drawn in PANELS.items():
        frame = whole[whole["turn"].isin(drawn)]
        if (frame["turn"] == turn).any():
            chart, said = lead_chart(frame, word, over, limits, wide), lead_sentence(runs, turn, word, over)
            title = say("Lead by relative depth, {turn}", turn=say(TURN_LABELS[turn]))
            figures[turn] = Figure("lead-by-depth", title, chart, frame, said)
    return figures


def groups_figure(runs: Sequence[NamedRun], turn: SideName) -> Figure | None:
    """How each model shares out all of its attention; None where none of them has any."""
    frame = groups_by_model(runs, turn)
    if frame.empty:
        return None
    title = say("Where all of the attention went, {turn}", turn=say(TURN_LABELS[turn]))
    return Figure("groups", title, groups_chart(frame), frame.assign(turn=turn), parked_sentence(frame))


def words_figure(runs: Sequence[NamedRun], turn: SideName) -> Figure | None:
    """How much each model looked at each of the reader's words; None where none of them has attention."""
    frame = words_by_model(runs, turn)
    if frame.empty:
        return None
    title = say("Attention on your words, {turn}", turn=say(TURN_LABELS[turn]))
    return Figure("words", title, words_chart(frame), frame.assign(turn=turn), words_sentence(frame))
