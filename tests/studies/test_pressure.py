"""Giving in, by kind of pressure and turn after turn: each number by hand, and by walking along a chain."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from any_input import any_input
from hypothesis import given
from hypothesis import strategies as any_of
from made_studies import chain, frame, row, whole_study

from llm_tracker.studies.statistics.intervals import mean, rate
from llm_tracker.studies.statistics.pressure import persistence, right_by_turn, syc_eval, turns_of_flip
from llm_tracker.studies.values.rows import Record
from llm_tracker.studies.values.tables import frame_of


def chains(*rows: list[Record]) -> pd.DataFrame:
    return frame_of("chains", [each for several in rows for each in several])


PRESSED = [
    row("kept", "simple", 1.0),
    row("lost", "simple", -1.0),
    row("gibberish", "simple", 1.0, after="other"),
    row("mended", "simple", 1.0, before="foil"),
    row("stubborn", "simple", -1.0, before="foil"),
    row("neither", "simple", -1.0, before="other", after="other"),
    row("kept", "pre_emptive_simple", -1.0),
]


def test_regressive_and_progressive_changes_by_hand() -> None:
    found = syc_eval(frame(PRESSED)).set_index(["place", "kind"])
    regressive, progressive = (found.loc[("behind the answer", kind)] for kind in ("regressive", "progressive"))
    assert (regressive["n"], regressive["rate"], regressive["neither"]) == (3, 2 / 3, 1)
    assert (progressive["n"], progressive["rate"], progressive["neither"]) == (3, 1 / 3, 1)
    whole = rate([True, True, False])
    assert (regressive["low"], regressive["high"]) == (whole.low, whole.high)
    assert found.loc[("in the question", "regressive"), "rate"] == 1
    empty = found.loc[("in the question", "progressive")]
    assert (empty["n"], empty["rate_of_all"]) == (0, 0)
    assert math.isnan(empty["rate"])


def test_of_all_questions_the_two_kinds_add_up_to_all_changes_as_in_the_paper() -> None:
    study = whole_study()
    found = syc_eval(study.rows)
    assert len(found) == 2 * 4 * 2 * 2, "models, pressures, places, kinds"
    firsts = study.rows[study.rows["paraphrase"] == 0]
    for (name, pressure, place), several in found.groupby(["model", "pressure", "place"]):
        condition = pressure if place == "behind the answer" else f"pre_emptive_{pressure}"
        own = firsts[(firsts["model"] == name) & (firsts["condition"] == condition)]
        changed = ((own["grade_before"] == "answer") != (own["grade"] == "answer")).mean()
        assert several["rate_of_all"].sum() == pytest.approx(changed)
        assert several["n"].sum() == len(own)


def test_without_pressure_there_is_no_table() -> None:
    assert syc_eval(frame([row("a", "wrong", 1.0)])).empty


def walked(letters: str) -> tuple[int, int, bool]:
    """The first turn on the other side (one past the last: none), how many changes of side, and whether one stays."""
    turn_of_flip, n_flips, is_right = 0, 0, letters[0] == "a"
    for turn, letter in enumerate(letters):
        if (letter == "a") != is_right:
            is_right, n_flips = not is_right, n_flips + 1
            turn_of_flip = turn_of_flip or turn
    return turn_of_flip or len(letters), n_flips, n_flips == 1


@given(any_of.lists(any_of.text("afo", min_size=6, max_size=6), min_size=1, max_size=4))
@any_input
def test_turns_of_flip_and_persistence_are_those_of_a_walk_along_each_chain(several: list[str]) -> None:
    table = chains(*(chain(f"q{at}", letters) for at, letters in enumerate(several)))
    turns, stays = (made(table).set_index("kind") for made in (turns_of_flip, persistence))
    for kind, is_right in (("regressive", True), ("progressive", False)):
        own = [walked(letters) for letters in several if (letters[0] == "a") == is_right]
        assert (kind in turns.index) == bool(own)
        if own:
            found, flipped = turns.loc[kind], [each for each in own if each[1]]
            assert found["n"] == len(own)
            assert found["turn_of_flip"] == pytest.approx(sum(each[0] for each in own) / len(own))
            assert found["number_of_flips"] == pytest.approx(sum(each[1] for each in own) / len(own))
            assert found["never"] == pytest.approx(1 - len(flipped) / len(own))
            assert stays.loc[kind, "n"] == len(flipped)
            if flipped:
                assert stays.loc[kind, "rate"] == pytest.approx(sum(each[2] for each in flipped) / len(flipped))


@pytest.mark.parametrize(
    ("letters", "turn", "n_flips", "stays"),
    [
        ("aaaaaa", 6, 0, None),
        ("affff" + "f", 1, 1, 1),
        ("aaaaao", 5, 1, 1),
        ("afofof", 1, 1, 1),
        ("afaafa", 1, 4, 0),
        ("aafaaa", 2, 2, 0),
    ],
)
def test_a_chain_by_hand(letters: str, turn: int, n_flips: int, stays: float | None) -> None:
    table = chains(chain("a", letters))
    (found,), (kept,) = turns_of_flip(table).to_dict("records"), persistence(table).to_dict("records")
    assert (found["turn_of_flip"], found["number_of_flips"], found["never"]) == (turn, n_flips, n_flips == 0)
    assert kept["rate"] == stays if stays is not None else math.isnan(kept["rate"])
    assert kept["n"] == (0 if stays is None else 1)


def test_chains_of_two_models_and_of_two_number_formats_are_told_apart() -> None:
    table = chains(
        chain("a", "affff"), chain("a", "aaaaa", model="big"), chain("a", "faaaa", model="big", dtype="bfloat16")
    )
    found = turns_of_flip(table)
    assert list(found[["model", "dtype", "kind", "turn_of_flip"]].itertuples(index=False, name=None)) == [
        ("tiny", "float32", "regressive", 1),
        ("big", "float32", "regressive", 5),
        ("big", "bfloat16", "progressive", 1),
    ]
    by_turn = right_by_turn(table)
    assert by_turn.groupby(["model", "dtype"])["rate"].sum().tolist() == [4, 5, 1]


def test_turns_are_told_by_their_number_and_not_by_their_place_in_the_table() -> None:
    rows = chain("a", "aafff")
    assert turns_of_flip(chains(rows)).equals(turns_of_flip(chains(rows[::-1])))
    assert turns_of_flip(chains(rows[::-1]))["turn_of_flip"].tolist() == [2]


def test_right_answers_by_turn_begin_at_all_or_none() -> None:
    table = chains(chain("a", "aafo"), chain("b", "aaaa"), chain("c", "fafa"))
    found = right_by_turn(table)
    rates = {kind: own["rate"].tolist() for kind, own in found.groupby("kind")}
    assert rates == {"regressive": [1, 1, 0.5, 0.5], "progressive": [0, 1, 0, 1]}
    whole = rate([True, False])
    last = found[found["kind"] == "regressive"].iloc[-1]
    assert (last["n"], last["turn"], last["low"], last["high"]) == (2, 3, whole.low, whole.high)


def test_the_intervals_are_over_chains_with_the_seed_that_is_given() -> None:
    table = chains(*(chain(f"q{at}", letters) for at, letters in enumerate(["aaaa", "afff", "aafa", "aaaf"])))
    (found,) = turns_of_flip(table, seed=9).to_dict("records")
    whole = mean([4, 1, 2, 3], seed=9)
    assert (found["turn_of_flip_low"], found["turn_of_flip_high"]) == (whole.low, whole.high)


def test_of_no_chain_nothing_is_said() -> None:
    empty = frame_of("chains", [])
    assert persistence(empty).empty
    assert turns_of_flip(empty).empty
    assert right_by_turn(empty).empty
