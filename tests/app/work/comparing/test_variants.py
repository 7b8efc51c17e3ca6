"""A model in a number format, as a choice and back; and what of several is still to be run."""

from __future__ import annotations

import pytest
from model_runs import WORD, run_of

from llm_tracker.app.work.comparing.variants import Comparing, Variant

A, B = Variant("a"), Variant("b", "bfloat16")


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("embedded", Variant("embedded")),
        ("bfloat16 embedded", Variant("embedded", "bfloat16")),
        ("  owner/model@main ", Variant("owner/model@main")),
        ("/a path/to it", Variant("/a path/to it")),
        ("float32", Variant("float32")),
        ("float32 /a path", Variant("/a path", "float32")),
        ("int8 embedded", Variant("int8 embedded")),
    ],
)
def test_a_choice_is_a_model_with_a_format_in_front_or_without(text: str, variant: Variant) -> None:
    assert Variant.of(text) == variant
    assert Variant.of(str(variant)) == variant


def test_what_was_not_run_or_has_not_followed_a_word_is_missing() -> None:
    comparing = Comparing().with_run(A, run_of())
    assert comparing.missing([A, B], [WORD]) == (B,)
    assert comparing.missing([A, B], ["zebra"]) == (A, B)
    assert comparing.missing([], ["zebra"]) == ()


def test_what_failed_is_not_tried_again_until_it_is_asked_for_again() -> None:
    asked = Comparing().asked_for([A, B], [WORD])
    assert asked.ahead == (A, B)
    failed = asked.with_failure(A, "It is too large.")
    assert failed.ahead == (B,)
    assert failed.asked_for([A], [WORD]).ahead == (A,)
    assert failed.with_run(B, run_of()).ahead == ()


def test_besides_those_that_are_asked_for_only_the_newest_four_stay() -> None:
    comparing = Comparing().asked_for([A, B], [WORD]).with_run(A, run_of()).with_run(B, run_of())
    others = [Variant(f"other {at}") for at in range(7)]
    for each in others:
        comparing = comparing.asked_for([A, each], [WORD]).with_run(each, run_of())
    assert list(comparing.runs) == [A, *others[2:]], "four, the one that came now, and the one that is asked for"
    comparing = comparing.with_run(others[2], run_of()).asked_for([others[2]], [WORD]).with_run(B, run_of())
    assert list(comparing.runs) == [*others[3:], others[2], B], "one that was run again is new"


def test_what_it_takes_is_what_its_runs_take() -> None:
    assert Comparing().n_bytes == 0
    assert Comparing().with_run(A, run_of()).with_run(B, run_of()).n_bytes == 2 * run_of().n_bytes > 0
