"""The parts of a record that is read fit together, so that every view of them can be drawn."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from experiments import example_experiment
from small_experiments import CASE, condition_score, experiment, path, whole_experiment

import llm_tracker as lt
from llm_tracker.experiments.values.conditions import Condition
from llm_tracker.experiments.values.findings import LensCurve
from llm_tracker.experiments.values.shapes import require_shapes
from llm_tracker.figures.correction.views import VIEWS

Way = tuple[str | int, ...]


def record() -> dict[str, Any]:
    return json.loads(json.dumps(lt.experiment_record(with_curves(whole_experiment()))))


def with_curves(found: lt.Experiment) -> lt.Experiment:
    """The same with the lens under the correction and its control, which are told in a sentence."""
    names = (Condition("asked_again", "Again."), Condition("user", CASE.correction))
    return replace(found, lens=tuple(LensCurve(each, (0.5, 1.5), (2.0, 0.0), (0.25, 0.125)) for each in names))


def at(place: Any, way: Way) -> Any:
    for step in way:
        place = place[step]
    return place


def lists_of(value: Any, way: Way = ()) -> Iterator[Way]:
    """Where a record has a list; of the lists in one, the first two."""
    if isinstance(value, list):
        yield way
    steps = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for step, each in steps:
        yield from lists_of(each, (*way, step))


SPOILT: dict[str, Callable[[list[Any]], Any]] = {
    "empty": lambda own: own.clear(),
    "without its first": lambda own: own.pop(0),
    "without its last": lambda own: own.pop(),
    "twice as long": lambda own: own.extend(copy.deepcopy(own)),
}


@pytest.mark.parametrize("how", SPOILT)
def test_whatever_list_of_a_record_has_another_length_it_is_refused_or_drawn(how: str) -> None:
    refused, whole = [], lt.experiment_of(record())
    for way in lists_of(record()):
        own = record()
        if not (several := at(own, way)):
            continue
        SPOILT[how](several)
        try:
            found = lt.experiment_of(own)
        except lt.InputError:
            refused.append(way)
            continue
        require_drawn(
            found, [view for view, (part, _) in VIEWS.items() if getattr(found, part) != getattr(whole, part)]
        )
    assert {("lens", 0, "lead"), ("hand_over", "grid", 1), ("attribution", "words")} <= set(refused)


def require_drawn(found: lt.Experiment, views: Collection[str] = VIEWS) -> None:
    """Views that there is something of; where there is nothing, that is said."""
    for view in views:
        for name in ("before", "difference") if view == "attribution" else (None,):
            with suppress(lt.InputError):
                assert lt.experiment_figure(found, view, name).title


def test_the_stored_example_and_what_has_nothing_or_half_of_a_path_are_read() -> None:
    half = path(answer_slot=(), between=())
    for found in (example_experiment(), whole_experiment(), experiment(), experiment(hand_over=half)):
        require_shapes(found)
        assert lt.experiment_of(lt.experiment_record(found)) == found
        require_drawn(found)


@pytest.mark.parametrize(
    ("way", "value", "why"),
    [
        (("model", "n_layers"), 0, "the model has no layer"),
        (("model", "n_layers"), 3, "3 depths of a hand-over where 4 belong"),
        (("hand_over", "n_word"), 9, "a word of 9 among 3 tokens"),
        (("hand_over", "named_word"), [1.0], "1 depths of a hand-over where 3 belong"),
        (("verdict_hand_over", "answer_slot"), [1.0] * 4, "4 depths of a hand-over where 3 belong"),
        (("hand_over", "grid"), [], "0 depths of a grid where 3 belong"),
        (("hand_over", "grid", 1), [0.5] * 4, "4 positions of a grid where 3 belong"),
        (("lens", 0, "name"), "mention", "the lens is not read under mention"),
        (("lens", 1, "kl_nats"), [0.0], "1 layers of a lens where 2 belong"),
        (("lens", 1, "jsd_from_asked_again"), [0.0] * 3, "3 layers of a lens where 2 belong"),
        (("knockout_window", "layers"), [1, 3], "words hidden in layers 1 to 3 of 2"),
        (("knockout_window", "layers"), [2, 1], "words hidden in layers 2 to 1 of 2"),
        (("attribution_asked_again",), None, "attributions of before, after, not of before, asked_again, after"),
        (("attribution_before", "name"), "after", "attributions of after, asked_again, after"),
        (("attribution", "layers"), [], "an attribution's layers are not 1 to 2"),
        (("attribution", "layers", 0, "layer"), 2, "an attribution's layers are not 1 to 2"),
        (("attribution", "heads"), [[0.5]], "1 layers of an attribution's heads where 2 belong"),
        (("attribution", "head_words", 0, "words"), [], "0 words of a head where 2 belong"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused_with_what_is_wrong(way: Way, value: Any, why: str) -> None:
    own = record()
    at(own, way[:-1])[way[-1]] = value
    with pytest.raises(lt.InputError, match=why):
        lt.experiment_of(own)


def test_conditions_without_the_first_wording_of_merely_asking_again_are_refused() -> None:
    for scores in ([condition_score("user", -1.0, -2.0)], [condition_score("asked_again", -1.0, -2.0, 1)]):
        with pytest.raises(lt.InputError, match="no condition merely asks again in its first wording"):
            lt.experiment_of(lt.experiment_record(experiment(conditions=tuple(scores))))


def test_words_of_no_text_are_refused_where_heads_bring_them() -> None:
    own = record()
    own["attribution"] |= {"words": [], "head_words": [{"layer": 1, "head": 1, "words": []}]}
    with pytest.raises(lt.InputError, match="heads without its words"):
        lt.experiment_of(own)
