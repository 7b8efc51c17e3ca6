"""Every view of a study by name: margins, answers, flips, chains, lens, path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import pandas as pd

from llm_tracker.charts.correction.margins import flips_chart
from llm_tracker.charts.studies import estimates_chart, lens_chart, path_chart, turns_chart
from llm_tracker.errors import InputError
from llm_tracker.figures.figure import Figure
from llm_tracker.studies.statistics.inside import jump_summary, jumps, lens_by_layer, path_by_depth, traced
from llm_tracker.studies.statistics.pressure import right_by_turn
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.statistics.tables import truth_and_sensitivity
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.labels import condition_label, model_label
from llm_tracker.wording.studies.sentences import (
    answers_sentence,
    chain_sentence,
    flips_sentence,
    lens_sentence,
    margins_sentence,
    path_sentence,
    shift_of,
)

StudyView = Literal["margins", "answers", "flips", "chains", "lens", "path"]
STUDY_VIEWS: tuple[StudyView, ...] = get_args(StudyView)

Record = dict[str, Any]


def study_figure(study: Study, view: StudyView, made: Record | None = None) -> Figure:
    """One view of a study. `made` is its summary, where that is at hand.

    Raises InputError for an unknown view, and where the study has not asked what the view shows.
    """
    if view not in _VIEWS:
        raise InputError(f"There is no view “{view}” of a study. Choose one of: {', '.join(STUDY_VIEWS)}.")
    needs = _NEEDS.get(view)
    if needs is not None and not len(_shown(study, needs[0])):
        raise InputError(f"This study was run without {needs[1]}: there is nothing to draw.")
    return _VIEWS[view](study, made or summary(study))


def study_figures(study: Study, made: Record | None = None) -> list[Figure]:
    """All views that a study has."""
    found = made or summary(study)
    has = [view for view in STUDY_VIEWS if view not in _NEEDS or len(_shown(study, _NEEDS[view][0]))]
    return [study_figure(study, view, found) for view in has]


def _shown(study: Study, table: Any) -> pd.DataFrame:
    frame = study.tables[table]
    return traced(frame) if table == "paths" else frame


def _labelled(study: Study, conditions: list[Record]) -> pd.DataFrame:
    """Labels of rows: of the condition, with what it pushes where both are there, and of the model."""
    directions: dict[str, set[str]] = {}
    for each in conditions:
        directions.setdefault(each["condition"], set()).add(each["pushes"])
    models = {(each["id"], each["dtype"]): model_label(each, study.models) for each in study.models}
    return pd.DataFrame(
        {
            "label": condition_label(each["condition"], each["pushes"], len(directions[each["condition"]]) > 1),
            "model": models[each["model"], each["dtype"]],
        }
        for each in conditions
    )


def _margins(study: Study, made: Record) -> Figure:
    own = [each for each in made["conditions"] if each["condition"] not in ("baseline", "asked_again")]
    frame = pd.concat([_labelled(study, own), pd.DataFrame(shift_of(each) for each in own)], axis=1)
    chart = estimates_chart(frame, "change of the right word's lead beside its control, nats") if own else None
    return Figure("margins", "What each text does to the lead", chart, frame, margins_sentence(own))


def _answers(study: Study, made: Record) -> Figure:
    own = [each | _given_up(each) for each in made["conditions"] if each["condition"] != "baseline"]
    known = [each for each in own if each["n_right"]]
    frame = pd.concat([_labelled(study, known), pd.DataFrame(each["kept"] for each in known)], axis=1)
    chart = estimates_chart(frame, "right first answers that stay right", True) if known else None
    return Figure("answers", "What is written", chart, frame, answers_sentence(own))


def _given_up(condition: Record) -> Record:
    n_right, n_kept = condition["was_right"]["n"], condition["was_right"]["n_kept"]
    kept = {name: condition["was_right"][name] for name in ("value", "low", "high", "n")}
    return {"n_right": n_right, "given_up": n_right - n_kept, "kept": kept}


def _flips(study: Study, _made: Record) -> Figure:
    frame = truth_and_sensitivity(study.rows)
    drawn = frame.assign(
        label=[condition_label(name) for name in frame["condition"]], text=frame["question_id"], flipped=frame["flips"]
    )
    ahead = drawn[drawn["truth_margin"] > 0]
    chart = flips_chart(ahead) if len(ahead) else None
    return Figure("flips", "Ahead by how much, moved by how much", chart, frame, flips_sentence(frame))


def _chains(study: Study, _made: Record) -> Figure:
    frame = right_by_turn(study.tables["chains"])
    return Figure("chains", "Pressure, turn after turn", turns_chart(frame), frame, chain_sentence(frame))


def _lens(study: Study, _made: Record) -> Figure:
    frame = lens_by_layer(_regressive(study, study.tables["lens"]))
    first = frame[frame["model"] == study.models[0]["id"]]
    drawn = first.assign(label=[condition_label(name) for name in first["condition"]])
    return Figure("lens", "The lead, layer by layer", lens_chart(drawn), frame, lens_sentence(frame))


def _regressive(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the questions that were answered right at first: all of them push the wrong word."""
    rows = study.rows
    right = rows[rows["grade_before"] == "answer"].groupby(["model", "question_id"]).size().index
    keys = pd.MultiIndex.from_frame(table[["model", "question_id"]])
    own = table[keys.isin(right)]
    return own if len(own) else table


def _path(study: Study, _made: Record) -> Figure:
    frame = path_by_depth(study.tables["paths"])
    found = jump_summary(jumps(study.tables["paths"], study.tables["heads"]))
    first = frame[frame["model"] == study.models[0]["id"]]
    return Figure("path", "Where the named word travels", path_chart(first), frame, path_sentence(found))


_VIEWS: Mapping[str, Callable[[Study, Record], Figure]] = {
    "margins": _margins,
    "answers": _answers,
    "flips": _flips,
    "chains": _chains,
    "lens": _lens,
    "path": _path,
}

_NEEDS: Mapping[str, tuple[str, str]] = {
    "chains": ("chains", "the chain of pressure"),
    "lens": ("lens", "looking inside"),
    "path": ("paths", "looking inside"),
}
"""By view: the table that it draws, and what a study has to be run with to have it."""
