"""Experiment <-> experiment.json: plain records, one for each part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar, cast, get_args

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import CONDITION_NAMES, Condition
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.findings import (
    Attribution,
    ConditionScore,
    Contribution,
    ExactCheck,
    FrozenRoute,
    Grade,
    HandOver,
    Heads,
    HeadShare,
    HeadsTogether,
    HeadWords,
    KnockOuts,
    LayerParts,
    LensCurve,
    Pair,
    Unavailable,
    WordEffect,
)
from llm_tracker.prompts.words import Role
from llm_tracker.tracing.session import ModelInfo, Session

SCHEMA = 1

Record = dict[str, Any]
T = TypeVar("T")

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What a record of another form raises where it is read."""


def experiment_record(experiment: Experiment) -> Record:
    """The record of an experiment, as experiment.json and `llm-tracker experiment --json` have it."""
    case, shift, verdict = experiment.case, experiment.shift, experiment.verdict_effect
    lists = {name: list(getattr(experiment.model, name)) for name in ("notices", "kernels")}
    return {
        "schema": SCHEMA,
        "model": {**asdict(experiment.model), **lists},
        "versions": dict(experiment.versions),
        "turn": experiment.turn,
        "question": case.question,
        "answer": case.answer,
        "foil": case.foil,
        "correction": case.correction,
        "own_answer": case.own_answer,
        "answer_aliases": list(case.answer_aliases),
        "foil_aliases": list(case.foil_aliases),
        "more_corrections": list(case.more),
        "recipe": experiment.recipe,
        "conditions": [_condition_record(score) for score in experiment.conditions],
        "shift": None if shift is None else {"total": shift.total, **asdict(shift)},
        "verdict_effect": None if verdict is None else asdict(verdict),
        "knockout": _part(experiment.knock_outs, lambda part: [asdict(word) for word in part.words]),
        "knockout_window": _part(experiment.knock_outs, lambda part: {"layers": part.layers, "margin": part.margin}),
        "frozen_route": _part(experiment.frozen_route, _frozen_record),
        "hand_over": _part(experiment.hand_over, _path_record),
        "verdict_hand_over": _part(experiment.verdict, _path_record),
        "lens": _part(experiment.lens, lambda part: [{**asdict(curve), **_said(curve.condition)} for curve in part]),
        **_head_records(experiment.heads),
        "attribution": _part(experiment.attributions, lambda part: _attribution_record(part, "after")),
        "attribution_before": _part(experiment.attributions, lambda part: _attribution_record(part, "before")),
        "attribution_asked_again": _part(
            experiment.attributions, lambda part: _attribution_record(part, "asked_again")
        ),
        "checks": [{**asdict(check), "ok": check.ok} for check in experiment.checks],
        "tokens_read": experiment.tokens_read,
        "text_length": experiment.text_length,
        "forward_equivalents": experiment.forward_equivalents,
        "seconds": experiment.seconds,
    }


def with_experiment(session: Session, found: Experiment) -> Session:
    """The session with an experiment on one of its corrections, to be kept with it."""
    return replace(session, experiments={**session.experiments, found.turn: experiment_record(found)})


def _part(part: T | Unavailable | None, record_of: Callable[[T], Any]) -> Any:
    """A part's record: null where it was not asked for, and why not where it cannot be had."""
    if part is None:
        return None
    return {"available": False, "why_not": part.why_not} if isinstance(part, Unavailable) else record_of(part)


def _said(condition: Condition) -> Record:
    return {"condition": None, "name": condition.name, "text": condition.text, "paraphrase": condition.paraphrase}


def _condition_record(score: ConditionScore) -> Record:
    top = [{"token": token, "prob": prob} for token, prob in score.top]
    return {**_said(score.condition), **asdict(score), "condition": None, "margin": score.margin, "top": top}


def _frozen_record(part: FrozenRoute) -> Record:
    return {**asdict(part), "sum": part.sum, "available": True, "why_not": ""}


def _path_record(part: HandOver) -> Record:
    return {**asdict(part), "depths": list(range(part.n_layers + 1))}


def _head_records(part: Heads | Unavailable | None) -> Record:
    names = ("heads", "random_heads", "head_knockout", "random_head_knockout", "heads_pair")
    if part is None or isinstance(part, Unavailable):
        return {name: _part(part, asdict) for name in names}
    return {
        "heads": [_head(each) for each in part.shares],
        "random_heads": [_head(each) for each in part.random],
        "head_knockout": [asdict(each) for each in part.knocked_out],
        "random_head_knockout": [asdict(each) for each in part.knocked_out_random],
        "heads_pair": {"pair": asdict(part.pair), "effect": part.effect},
    }


def _head(each: HeadShare) -> Record:
    return {
        "layer": each.layer,
        "head": each.head,
        "share": each.share,
        "attention_to_named_word": each.attention_to_word,
    }


def _attribution_record(part: tuple[Attribution, ...], name: str) -> Record | None:
    found = next((each for each in part if each.name == name), None)
    return None if found is None else {**asdict(found), "sum": found.sum}


def experiment_of(record: Mapping[str, Any]) -> Experiment:
    """The experiment of a record; keys that it does not know are ignored.

    Raises InputError for another format, and for what is no record of an experiment.
    """
    try:
        if record["schema"] != SCHEMA:
            raise InputError(f"This experiment has format {record['schema']}; this version reads {SCHEMA}.")
        return _experiment_of(record)
    except UNREADABLE as error:
        raise InputError(
            f"This is no record of an experiment ({type(error).__name__}: {error}). Give one that this app has written."
        ) from error


def _experiment_of(record: Mapping[str, Any]) -> Experiment:
    model = {**record["model"], **{name: tuple(record["model"].get(name, ())) for name in ("notices", "kernels")}}
    missing = dict.fromkeys(("path", "revision", "weights_sha256"))
    return Experiment(
        model=_known(ModelInfo, {**missing, **model}),
        recipe=str(record["recipe"]),
        case=Case(
            question=str(record["question"]),
            answer=str(record["answer"]),
            foil=str(record["foil"]),
            correction=str(record["correction"]),
            own_answer=str(record.get("own_answer", "")),
            answer_aliases=_texts(record.get("answer_aliases", ())),
            foil_aliases=_texts(record.get("foil_aliases", ())),
            more=_texts(record.get("more_corrections", ())),
        ),
        turn=int(record.get("turn", 1)),
        versions={str(name): str(value) for name, value in record.get("versions", {}).items()},
        hand_over=_read(record.get("hand_over"), _path_of),
        verdict=_read(record.get("verdict_hand_over"), _path_of),
        conditions=tuple(_condition_score_of(each) for each in record["conditions"]),
        lens=_read(record.get("lens"), lambda part: tuple(_lens_of(each) for each in part)),
        knock_outs=_read(record.get("knockout"), lambda part: _knock_outs_of(part, record["knockout_window"])),
        frozen_route=_read(record.get("frozen_route"), _frozen_of),
        heads=_read(record.get("heads"), lambda _part: _heads_of(record)),
        attributions=_read(record.get("attribution"), lambda _part: _attributions_of(record)),
        checks=tuple(_known(ExactCheck, each) for each in record.get("checks", ())),
        tokens_read=int(record.get("tokens_read", 0)),
        text_length=int(record.get("text_length", 0)),
        seconds=_number(record.get("seconds", 0.0)),
    )


def _read(part: Any, read: Callable[[Any], T]) -> T | Unavailable | None:
    if part is None:
        return None
    if isinstance(part, Mapping) and part.get("available") is False:
        return Unavailable(str(part["why_not"]))
    return read(part)


def _known(kind: type[T], record: Mapping[str, Any], **own: Any) -> T:
    """A value of what it knows of a record: files of later versions may say more."""
    names = {field.name for field in fields(cast("Any", kind))}
    return kind(**{**{name: _frozen(value) for name, value in record.items() if name in names}, **own})


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down; numbers have to be finite."""
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    return _number(value) if isinstance(value, float) else value


def _number(value: Any) -> float:
    if not math.isfinite(float(value)):
        raise ValueError(f"{value} is no finite number")
    return float(value)


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in values)


def _condition_of(record: Mapping[str, Any]) -> Condition:
    if record["name"] not in CONDITION_NAMES:
        raise ValueError(f"there is no condition {record['name']!r}")
    return Condition(record["name"], str(record["text"]), int(record["paraphrase"]))


def _condition_score_of(record: Mapping[str, Any]) -> ConditionScore:
    grade = record.get("grade")
    if grade not in (None, *get_args(Grade)):
        raise ValueError(f"there is no grade {grade!r}")
    top = tuple((str(each["token"]), _number(each["prob"])) for each in record["top"])
    return _known(ConditionScore, record, condition=_condition_of(record), top=top)


def _lens_of(record: Mapping[str, Any]) -> LensCurve:
    return _known(LensCurve, record, condition=_condition_of(record))


def _path_of(record: Mapping[str, Any]) -> HandOver:
    return _known(HandOver, record, pair=_known(Pair, record["pair"]))


def _knock_outs_of(words: Any, window: Mapping[str, Any]) -> KnockOuts:
    effects = tuple(_known(WordEffect, _with_role(each)) for each in words)
    return KnockOuts(_frozen(window["layers"]), _number(window["margin"]), effects)


def _with_role(record: Mapping[str, Any]) -> Mapping[str, Any]:
    if record["role"] not in get_args(Role):
        raise ValueError(f"there is no role {record['role']!r}")
    return record


def _frozen_of(record: Mapping[str, Any]) -> FrozenRoute:
    words = tuple(_known(Contribution, _with_role(each)) for each in record["words"])
    return FrozenRoute(words, _number(record["bias"]), _number(record["margin"]))


def _heads_of(record: Mapping[str, Any]) -> Heads:
    def shares(name: str) -> tuple[HeadShare, ...]:
        return tuple(
            _known(HeadShare, each, attention_to_word=each["attention_to_named_word"]) for each in record[name]
        )

    def together(name: str) -> tuple[HeadsTogether, ...]:
        return tuple(_known(HeadsTogether, each) for each in record[name])

    pair, effect = record["heads_pair"]["pair"], _number(record["heads_pair"]["effect"])
    return Heads(
        _known(Pair, pair),
        effect,
        shares("heads"),
        shares("random_heads"),
        together("head_knockout"),
        together("random_head_knockout"),
    )


def _attributions_of(record: Mapping[str, Any]) -> tuple[Attribution, ...]:
    several = (record.get(f"attribution{name}") for name in ("_before", "_asked_again", ""))
    return tuple(
        _known(
            Attribution,
            each,
            layers=tuple(_known(LayerParts, layer) for layer in each["layers"]),
            words=tuple(_known(Contribution, _with_role(word)) for word in each.get("words", ())),
            head_words=tuple(_known(HeadWords, head) for head in each.get("head_words", ())),
        )
        for each in several
        if each is not None
    )
