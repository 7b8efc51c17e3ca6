"""The margins of an experiment: the shift in two steps, every condition, flips, and the whole prediction.

What a chart names, it names in the language that is spoken; the numbers behind it are taken along in English.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from llm_tracker.charts.correction.margins import change_chart, flips_chart, margins_chart, shift_chart
from llm_tracker.experiments.values.conditions import reference_of
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import ENGLISH, in_language
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.correction.conditions import (
    CONDITION_LABELS,
    change_sentence,
    flips_sentence,
    lead_title,
    margins_sentence,
    shift_sentence,
)

TURN = "correction"


def shift_figure(experiment: Experiment) -> Figure | None:
    """From the first answer's margin to the corrected one, by merely asking again; None without these scores."""
    shift, baseline, after = experiment.shift, experiment.score("baseline"), experiment.score("user")
    if shift is None or baseline is None or after is None:
        return None
    again = baseline.margin + shift.asked_again
    rows = [
        (later("the question alone"), "first answer", 0.0, baseline.margin, baseline.margin),
        (later("merely asking again"), "asked again", baseline.margin, again, shift.asked_again),
        (later("the correction"), "correction", again, after.margin, shift.correction),
        (later("after the correction"), "after", 0.0, after.margin, after.margin),
    ]
    frame = pd.DataFrame(rows, columns=["label", "kind", "start", "end", "value"])
    frame["right"] = frame[["start", "end"]].max(axis=1)
    drawn = frame.assign(label=frame["label"].map(say))
    title, chart = say("How much of it is the correction"), shift_chart(drawn, lead_title(experiment))
    return Figure("shift", title, chart, frame.assign(turn=TURN), shift_sentence(experiment))


def margins_frame(experiment: Experiment) -> pd.DataFrame:
    """A row a wording of a condition, in the order of the conditions."""
    order = list(CONDITION_LABELS)
    scores = sorted(
        experiment.conditions, key=lambda each: (order.index(each.condition.name), each.condition.paraphrase)
    )
    return pd.DataFrame(
        [
            {
                "condition": score.condition.name,
                "label": say(CONDITION_LABELS[score.condition.name]),
                "text": score.condition.text or say("(nothing)"),
                "paraphrase": score.condition.paraphrase,
                "first": score.condition.paraphrase == 0,
                "score_answer": score.score_answer,
                "score_foil": score.score_foil,
                "margin": score.margin,
                "tv": score.tv_from_asked_again,
                "jsd": score.jsd_from_asked_again,
                "entropy": score.entropy_nats,
                "answer_text": score.answer_text or "",
                "grade": score.grade or "",
            }
            for score in scores
        ]
    )


def margins_figure(experiment: Experiment) -> Figure:
    """The margin under every condition, with the spread of its wordings."""
    with in_language(ENGLISH):
        frame = margins_frame(experiment)
    title = say("The lead under every condition")
    chart = margins_chart(margins_frame(experiment), lead_title(experiment))
    return Figure("margins", title, chart, frame.assign(turn=TURN), margins_sentence(experiment))


def flips_figure(experiment: Experiment) -> Figure | None:
    """Truth margin against sensitivity, a point a wording; None without the control, or without a wording."""
    if experiment.score("asked_again") is None:
        return None
    with in_language(ENGLISH):
        frame = flips_frame(experiment)
    if frame.empty:
        return None
    chart = flips_chart(flips_frame(experiment))
    ahead = frame[frame["truth_margin"] > 0].drop_duplicates(
        ["text", "truth_margin"]
    )  # two conditions may say the same
    said = flips_sentence(experiment, int(ahead["flipped"].sum()), len(ahead))
    return Figure("flips", say("What would flip"), chart, frame.assign(turn=TURN), said)


def flips_frame(experiment: Experiment) -> pd.DataFrame:
    """Each wording against its control: one flips that takes away more than there is.

    Of what stands in the question that is the question alone, of all others merely asking again, its first wording.
    """
    frame = margins_frame(experiment)
    frame = frame[~frame["condition"].isin(["asked_again", "baseline", "own_answer_hidden"])]
    controls = [experiment.score(reference_of(name)) for name in frame["condition"]]
    truth = np.array([np.nan if each is None else each.margin for each in controls])
    sensitivity = truth - frame["margin"]
    return frame.assign(truth_margin=truth, sensitivity=sensitivity, flipped=(sensitivity > truth) & (truth > 0))


def change_figure(experiment: Experiment) -> Figure:
    """How far the whole prediction is from that of merely asking again, first wordings."""
    with in_language(ENGLISH):
        frame = _first_wordings(experiment)
    chart = change_chart(_first_wordings(experiment))
    title, said = say("How the whole prediction changed"), change_sentence(experiment)
    return Figure("change", title, chart, frame.assign(turn=TURN), said)


def _first_wordings(experiment: Experiment) -> pd.DataFrame:
    frame = margins_frame(experiment)
    return frame[frame["first"] & (frame["condition"] != "asked_again")]
