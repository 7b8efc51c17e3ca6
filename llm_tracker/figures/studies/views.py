"""Every view of a study by name: margins, answers, flips, chains, lens, path.

What a chart names, it names in the language that is spoken; the numbers behind it are taken along in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import pandas as pd

from llm_tracker.charts.correction.margins import flips_chart
from llm_tracker.charts.studies import estimates_chart, lens_chart, path_chart, turns_chart
from llm_tracker.errors import InputError
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import ENGLISH, in_language
from llm_tracker.languages.texts import later, say
from llm_tracker.studies.statistics.inside import jump_summary, jumps, lens_by_layer, path_by_depth, traced
from llm_tracker.studies.statistics.pressure import right_by_turn
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.statistics.tables import truth_and_sensitivity
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.inside import lens_sentence, path_sentence, untraced_sentence
from llm_tracker.wording.studies.labels import condition_label, group_label, model_label
from llm_tracker.wording.studies.sentences import (
    answers_sentence,
    chain_sentence,
    flips_sentence,
    margins_sentence,
    shift_of,
)

StudyView = Literal["margins", "answers", "flips", "chains", "lens", "path"]
STUDY_VIEWS: tuple[StudyView, ...] = get_args(StudyView)

Record = dict[str, Any]


def study_figure(study: Study, view: StudyView, made: Record | None = None, model: int | None = None) -> Figure:
    """One view of a study. `made` is its summary, where that is at hand.

    The views inside are of one model, as deep as that is: of `model`, its place in the study; without, of the first one
    that has any. Raises InputError for an unknown view, and where the study has not asked what the view shows.
    """
    if view not in _VIEWS and view not in _INSIDE:
        raise InputError(f"There is no view “{view}” of a study. Choose one of: {', '.join(STUDY_VIEWS)}.")
    if not _has(study, view):
        raise InputError("This study was run without the chain of pressure: there is nothing to draw.")
    if view in _VIEWS:
        return _VIEWS[view](study, made or summary(study))
    places = _seen_inside(study, view)
    if not places or model not in (None, *places):
        raise InputError(_why_not_inside(study, view))
    return _of_model(study, view, places[0] if model is None else model)


def study_figures(study: Study, made: Record | None = None) -> list[Figure]:
    """All views that a study has; those inside once for each model. One with nothing to draw has no chart."""
    found = made or summary(study)
    outside = [view for view in STUDY_VIEWS if view in _VIEWS and _has(study, view)]
    inside = [(view, at) for view in STUDY_VIEWS if view in _INSIDE for at in _asked_inside(study, view)]
    return [_VIEWS[view](study, found) for view in outside] + [_of_model(study, view, at) for view, at in inside]


def _has(study: Study, view: StudyView) -> bool:
    return view != "chains" or len(study.tables["chains"]) > 0


def _of_model(study: Study, view: StudyView, at: int) -> Figure:
    """A view inside one model; where there are several, its title says of which, and its name tells it from others'."""
    figure = _INSIDE[view](study, study.models[at])
    if len(study.models) == 1:
        return figure
    label = model_label(study.models[at], study.models)
    return replace(figure, view=f"{view}-{at + 1}" if at else view, title=f"{figure.title}: {label}")


def _asked_inside(study: Study, view: StudyView) -> list[int]:
    """The places of the models that were looked into for a view, whether or not there is anything to draw."""
    table = study.tables["lens" if view == "lens" else "paths"]
    return [at for at, model in enumerate(study.models) if len(_of(model, table))]


def _seen_inside(study: Study, view: StudyView) -> list[int]:
    """The places of the models that a view inside can be drawn of."""
    paths = traced(study.tables["paths"])
    return [at for at in _asked_inside(study, view) if view == "lens" or len(_of(study.models[at], paths))]


def _why_not_inside(study: Study, view: StudyView) -> str:
    reasons = study.tables["paths"]["why_not"].dropna()
    if view == "path" and len(reasons):
        return untraced_sentence(reasons.iloc[0])
    return "This study was run without looking inside: there is nothing to draw."


def _of(model: Mapping[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one model."""
    return frame[(frame["model"] == model["id"]) & (frame["dtype"] == model["dtype"])] if len(frame) else frame


def _told(study: Study, sentence: Callable[[Mapping[str, Any]], str]) -> str:
    """A sentence of each model, with its name in front where there are several."""
    if len(study.models) == 1:
        return sentence(study.models[0])
    return " ".join(f"{model_label(model, study.models)}: {sentence(model)}" for model in study.models)


def _conditions_of(model: Mapping[str, Any], conditions: Sequence[Record]) -> list[Record]:
    return [each for each in conditions if (each["model"], each["dtype"]) == (model["id"], model["dtype"])]


def _called(study: Study, rows: pd.DataFrame) -> list[str]:
    """By row: what its model is called."""
    labels = {(each["id"], each["dtype"]): model_label(each, study.models) for each in study.models}
    return [labels[key] for key in zip(rows["model"], rows["dtype"], strict=True)]


def _labelled(study: Study, conditions: Sequence[Record]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels of rows, in English and as they are drawn.

    They are of the condition, with what tells it from another of its name, and of the model.
    """
    with in_language(ENGLISH):
        english = [group_label(each, conditions) for each in conditions]
    drawn = [group_label(each, conditions) for each in conditions]
    models = _called(study, pd.DataFrame(conditions, columns=["model", "dtype"]))
    return pd.DataFrame({"label": english, "model": models}), pd.DataFrame({"label": drawn, "model": models})


def _margins(study: Study, made: Record) -> Figure:
    own = [each for each in made["conditions"] if each["condition"] not in ("baseline", "asked_again")]
    shifts = pd.DataFrame(shift_of(each) for each in own)
    frame, drawn = (pd.concat([labels, shifts], axis=1) for labels in _labelled(study, own))
    chart = estimates_chart(drawn, say("change of the lead, nats")) if own else None
    sentence = _told(study, lambda model: margins_sentence(_conditions_of(model, own)))
    return Figure("margins", say("What each text does to the lead"), chart, frame, sentence)


def _answers(study: Study, made: Record) -> Figure:
    own = [each | _lost(each) for each in made["conditions"] if each["condition"] != "baseline"]
    known = [each for each in own if each["n_right"]]
    kept = pd.DataFrame(each["kept"] for each in known)
    frame, drawn = (pd.concat([labels, kept], axis=1) for labels in _labelled(study, known))
    chart = estimates_chart(drawn, say("right first answers that stay right"), True) if known else None
    sentence = _told(study, lambda model: answers_sentence(_conditions_of(model, own)))
    return Figure("answers", say("What is written"), chart, frame, sentence)


def _lost(condition: Record) -> Record:
    n_right, n_kept = condition["was_right"]["n"], condition["was_right"]["n_kept"]
    kept = {name: condition["was_right"][name] for name in ("value", "low", "high", "n")}
    return {"n_right": n_right, "n_lost": n_right - n_kept, "n_foil": condition["transitions"]["ci"], "kept": kept}


def _flips(study: Study, _made: Record) -> Figure:
    frame = truth_and_sensitivity(study.rows)
    is_alone = len(study.models) == 1
    labels = [
        condition_label(name) if is_alone else f"{condition_label(name)}: {model}"
        for name, model in zip(frame["condition"], _called(study, frame), strict=True)
    ]
    drawn = frame.assign(label=labels, text=frame["question_id"], flipped=frame["flips"])
    ahead = drawn[drawn["truth_margin"] > 0]
    chart = flips_chart(ahead, later("question")) if len(ahead) else None
    sentence = _told(study, lambda model: flips_sentence(_of(model, frame)))
    return Figure("flips", say("Ahead by how much, moved by how much"), chart, frame, sentence)


def _chains(study: Study, _made: Record) -> Figure:
    frame = right_by_turn(study.tables["chains"])
    chart = turns_chart(frame.assign(model=_called(study, frame)))
    sentence = _told(study, lambda model: chain_sentence(_of(model, frame)))
    return Figure("chains", say("Pressure, turn after turn"), chart, frame, sentence)


def _lens(study: Study, model: Mapping[str, Any]) -> Figure:
    """Of the questions that were answered right at first, to which the wrong word is named; of all where none was."""
    whole = _of(model, study.tables["lens"])
    rows = _of(model, study.rows)
    right = whole[whole["question_id"].isin(rows.loc[rows["grade_before"] == "answer", "question_id"])]
    frame = lens_by_layer(right if len(right) else whole, int(study.plan.get("seed", 0)))
    drawn = frame.assign(label=[condition_label(name) for name in frame["condition"]])
    said = lens_sentence(frame, of_right=bool(len(right)))
    return Figure("lens", say("The lead, layer by layer"), lens_chart(drawn), frame, said)


def _path(study: Study, model: Mapping[str, Any]) -> Figure:
    paths, heads = (_of(model, study.tables[name]) for name in ("paths", "heads"))
    title = say("Where the named word travels")
    if not len(traced(paths)):
        reasons = paths[["question_id", "why_not"]]
        return Figure("path", title, None, reasons, untraced_sentence(reasons["why_not"].iloc[0]))
    frame = path_by_depth(paths)
    sentence = path_sentence(jump_summary(jumps(paths, heads)), paths["question_id"].nunique())
    return Figure("path", title, path_chart(frame), frame, sentence)


_VIEWS: Mapping[str, Callable[[Study, Record], Figure]] = {
    "margins": _margins,
    "answers": _answers,
    "flips": _flips,
    "chains": _chains,
}

_INSIDE: Mapping[str, Callable[[Study, Mapping[str, Any]], Figure]] = {"lens": _lens, "path": _path}
