"""Experiment and record: what goes out comes in again, and what is no record is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from small_experiments import experiment, whole_experiment

import llm_tracker as lt
from llm_tracker.experiments.values.findings import Unavailable

PARTS = ("hand_over", "verdict", "lens", "knock_outs", "frozen_route", "heads", "attributions")


def again(found: lt.Experiment) -> lt.Experiment:
    return lt.experiment_of(json.loads(json.dumps(lt.experiment_record(found), allow_nan=False)))


def record() -> dict[str, Any]:
    return json.loads(json.dumps(lt.experiment_record(whole_experiment())))


def put(own: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The record with something else at a place such as “conditions.0.name”."""
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = own
    for step in way:
        place = place[step]
    place[last] = value
    return own


def test_every_part_comes_back_as_it_was() -> None:
    assert again(whole_experiment()) == whole_experiment()


def test_an_experiment_of_no_part_comes_back_as_it_was() -> None:
    assert again(experiment()) == experiment()


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_cannot_be_had_comes_back_with_its_reason_and_the_others_as_they_were(name: str) -> None:
    missing = replace(whole_experiment(), **{name: Unavailable(f"No {name} here.")})
    assert again(missing) == missing
    assert again(replace(whole_experiment(), **{name: None})) == replace(whole_experiment(), **{name: None})


@pytest.mark.parametrize("name", PARTS)
def test_its_record_says_so_as_the_contract_has_it(name: str) -> None:
    keys = {"verdict": "verdict_hand_over", "knock_outs": "knockout", "attributions": "attribution"}
    own = lt.experiment_record(replace(whole_experiment(), **{name: Unavailable("Because.")}))
    assert own[keys.get(name, name)] == {"available": False, "why_not": "Because."}


def test_the_record_has_the_names_of_the_contract() -> None:
    own = record()
    assert own["schema"] == 1
    first = own["conditions"][0]
    assert first.keys() >= {"name", "text", "paraphrase", "score_answer", "score_foil", "margin", "top", "entropy_nats"}
    assert first["top"][0] == {"token": "Paris", "prob": 0.75}
    assert own["shift"] == {"total": -6.0, "asked_again": -2.5, "correction": -3.5}
    assert own["verdict_effect"] == {"score": 1.0, "margin": 1.0}
    word = own["knockout"][0]
    assert (word["text"], word["role"], word["tokens"], word["delta"]) == ("Hi", "user", [0, 2], 1.5)
    assert word["out_of_distribution"] is False
    route = own["frozen_route"]
    assert (route["sum"], route["bias"], route["margin"], route["available"], route["why_not"]) == (
        0.75,
        0.5,
        0.75,
        True,
        "",
    )
    path = own["hand_over"]
    assert path["depths"] == [0, 1, 2]
    assert path["grid"] == [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]
    assert path["pair"]["source"] == "No, Paris."
    assert own["verdict_hand_over"]["grid"] is None
    assert own["heads"][0] == {"layer": 2, "head": 1, "share": 0.5, "attention_to_named_word": 0.75}
    assert own["random_heads"][0]["head"] == 2
    assert own["attribution"]["layers"][1] == {"layer": 2, "attention": -1.5, "mlp": 2.0}
    assert own["attribution"]["sum"] == 0.875
    assert own["attribution"]["logit_difference"] == 0.875
    assert own["checks"] == [{"name": "sum", "gap": 1e-7, "bound": 1e-4, "ok": True}]
    assert own["forward_equivalents"] == 1234 / 56


def test_keys_of_later_versions_are_ignored_wherever_they_are() -> None:
    def with_more(value: Any) -> Any:
        if isinstance(value, list):
            return [with_more(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {**{name: with_more(each) for name, each in value.items()}, "of_later": ["x", {"y": 1}]}

    own = with_more(record())
    own["versions"] = record()["versions"]
    assert lt.experiment_of(own) == whole_experiment()


@pytest.mark.parametrize(
    "path",
    [
        "conditions.0.score_answer",
        "conditions.0.top.0.prob",
        "conditions.1.entropy_nats",
        "hand_over.effect",
        "hand_over.named_word.1",
        "hand_over.grid.0.1",
        "lens.0.lead.0",
        "knockout.0.delta",
        "knockout_window.margin",
        "frozen_route.words.0.contribution",
        "frozen_route.bias",
        "heads.0.share",
        "heads_pair.effect",
        "head_knockout.0.delta",
        "attribution.layers.0.mlp",
        "attribution_before.embedding",
        "attribution.heads.0.0",
        "attribution.head_words.0.words.1",
        "checks.0.gap",
        "seconds",
    ],
)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "many", None])
def test_what_is_no_finite_number_is_refused(path: str, value: Any) -> None:
    with pytest.raises(lt.InputError, match="no record of an experiment"):
        lt.experiment_of(put(record(), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("conditions.0.name", "flattery"),
        ("conditions.1.grade", "nearly"),
        ("conditions.0.paraphrase", "first"),
        ("knockout.0.role", "narrator"),
        ("frozen_route.words.0.role", 7),
        ("conditions", None),
        ("conditions", 3),
        ("hand_over", "soon"),
        ("hand_over.pair", []),
        ("heads", 5),
        ("attribution", [1]),
        ("lens", {"available": True}),
        ("model", "tiny"),
        ("turn", "two"),
        ("versions", []),
        ("answer", "London"),
    ],
)
def test_what_is_of_another_kind_is_refused(path: str, value: Any) -> None:
    with pytest.raises(lt.InputError):
        lt.experiment_of(put(record(), path, value))


@pytest.mark.parametrize("missing", ["question", "model", "conditions", "recipe", "schema", "knockout_window"])
def test_what_lacks_something_is_refused(missing: str) -> None:
    own = record()
    del own[missing]
    with pytest.raises(lt.InputError, match="no record of an experiment"):
        lt.experiment_of(own)


def test_a_record_of_another_format_is_refused_with_both_numbers() -> None:
    with pytest.raises(lt.InputError, match="has format 2; this version reads 1"):
        lt.experiment_of({**record(), "schema": 2})


@pytest.mark.parametrize("own", [{}, [], None, "text", 5])
def test_what_is_no_record_at_all_is_refused(own: Any) -> None:
    with pytest.raises(lt.InputError, match="no record of an experiment"):
        lt.experiment_of(own)
