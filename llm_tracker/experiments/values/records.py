"""Experiment <-> experiment.json: plain records, one for each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.decoding import decoded
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.findings import (
    Attribution,
    ConditionScore,
    ExactCheck,
    FrozenRoute,
    HandOver,
    Heads,
    HeadShare,
    KnockOuts,
    LensCurve,
    Unavailable,
)
from llm_tracker.experiments.values.shapes import require_shapes
from llm_tracker.languages.texts import say
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
        "lens": _part(experiment.lens, lambda part: [_under_condition(curve) for curve in part]),
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


def _under_condition(found: ConditionScore | LensCurve) -> Record:
    """What was found under a condition, with what the condition says instead of the condition itself."""
    record = asdict(found)
    del record["condition"]
    condition = found.condition
    return {"name": condition.name, "text": condition.text, "paraphrase": condition.paraphrase, **record}


def _condition_record(score: ConditionScore) -> Record:
    top = [{"token": token, "prob": prob} for token, prob in score.top]
    return {**_under_condition(score), "margin": score.margin, "top": top}


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

    Raises InputError for another format, for what is no record of an experiment, and where its parts do not fit
    together.
    """
    try:
        if record["schema"] != SCHEMA:
            raise InputError(
                say(
                    "This experiment has format {found}; this version reads {known}.",
                    found=record["schema"],
                    known=SCHEMA,
                )
            )
        found = _experiment_of(record)
        require_shapes(found)
    except UNREADABLE as error:
        raise InputError(
            say(
                "This is no record of an experiment ({kind}: {error}). Give one that this app has written.",
                kind=type(error).__name__,
                error=error,
            )
        ) from error
    return found


def _experiment_of(record: Mapping[str, Any]) -> Experiment:
    model = {**dict.fromkeys(("path", "revision", "weights_sha256")), **record["model"]}
    case = {**record, "more": record.get("more_corrections", [])}
    return Experiment(
        model=decoded(ModelInfo, model),
        recipe=decoded(str, record["recipe"]),
        case=decoded(Case, {"own_answer": "", **case}),
        turn=decoded(int, record.get("turn", 1)),
        versions={decoded(str, name): decoded(str, each) for name, each in record.get("versions", {}).items()},
        hand_over=_read(record.get("hand_over"), HandOver),
        verdict=_read(record.get("verdict_hand_over"), HandOver),
        conditions=decoded(tuple[ConditionScore, ...], [_with_condition(each) for each in record["conditions"]]),
        lens=_read(record.get("lens"), tuple[LensCurve, ...], lambda part: [_with_condition(each) for each in part]),
        knock_outs=_read(record.get("knockout"), KnockOuts, lambda part: {**record["knockout_window"], "words": part}),
        frozen_route=_read(record.get("frozen_route"), FrozenRoute),
        heads=_read(record.get("heads"), Heads, lambda _part: _heads(record)),
        attributions=_read(record.get("attribution"), tuple[Attribution, ...], lambda _part: _attributions(record)),
        checks=decoded(tuple[ExactCheck, ...], record.get("checks", [])),
        tokens_read=decoded(int, record.get("tokens_read", 0)),
        text_length=decoded(int, record.get("text_length", 0)),
        seconds=decoded(float, record.get("seconds", 0.0)),
    )


def _read(part: Any, kind: Any, shaped: Callable[[Any], Any] = lambda part: part) -> Any:
    """A part of an experiment, or why it cannot be had; `shaped` puts its record into the form of the value."""
    if part is None:
        return None
    if isinstance(part, Mapping) and part.get("available") is False:
        return Unavailable(decoded(str, part["why_not"]))
    return decoded(kind, shaped(part))


def _with_condition(record: Mapping[str, Any]) -> Record:
    """A record whose condition stands by itself, and whose tokens are pairs."""
    found: Record = {**record, "condition": record}
    if "top" in record:
        found["top"] = [[each["token"], each["prob"]] for each in record["top"]]
    return found


def _heads(record: Mapping[str, Any]) -> Record:
    def shares(name: str) -> list[Record]:
        return [{**each, "attention_to_word": each["attention_to_named_word"]} for each in record[name]]

    return {
        **record["heads_pair"],
        "shares": shares("heads"),
        "random": shares("random_heads"),
        "knocked_out": record["head_knockout"],
        "knocked_out_random": record["random_head_knockout"],
    }


def _attributions(record: Mapping[str, Any]) -> list[Record]:
    several = (record.get(f"attribution{name}") for name in ("_before", "_asked_again", ""))
    return [each for each in several if each is not None]
