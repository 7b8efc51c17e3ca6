"""Which experiment on a correction has more in it, and what is shown while one is coming."""

from __future__ import annotations

from dataclasses import replace

from small_experiments import experiment, path, whole_experiment

from llm_tracker.app.work.causes.fuller import fuller, n_parts, shown_meanwhile
from llm_tracker.experiments.values.findings import Unavailable

WHOLE, EMPTY = whole_experiment(), experiment(text_length=9)


def test_a_part_that_cannot_be_had_counts_as_found_out() -> None:
    assert [n_parts(each) for each in (EMPTY, experiment(heads=Unavailable("No heads.")), WHOLE)] == [0, 1, 8]


def test_more_parts_are_fuller_than_more_wordings_and_those_than_more_grids() -> None:
    fewer = replace(WHOLE, conditions=WHOLE.conditions[:3])
    for less, more in (
        (EMPTY, experiment(hand_over=path())),
        (experiment(conditions=WHOLE.conditions), experiment(hand_over=path(), verdict=path())),
        (fewer, replace(WHOLE, hand_over=path())),
        (replace(WHOLE, hand_over=path()), WHOLE),
    ):
        assert fuller(less, more) is more
        assert fuller(more, less) is more


def test_of_two_that_have_as_much_it_is_the_new_one() -> None:
    new = replace(WHOLE, seconds=9.0)
    assert fuller(new, WHOLE) is new
    assert fuller(new, None) is new


def test_what_is_kept_is_shown_until_something_of_other_words_or_as_much_of_the_same_has_come() -> None:
    other = replace(EMPTY, case=replace(EMPTY.case, foil="Oslo"))
    assert shown_meanwhile(None, WHOLE) is WHOLE
    assert shown_meanwhile(None, None) is None
    assert shown_meanwhile(EMPTY, WHOLE) is WHOLE
    assert shown_meanwhile(EMPTY, None) is EMPTY
    assert shown_meanwhile(other, WHOLE) is other
