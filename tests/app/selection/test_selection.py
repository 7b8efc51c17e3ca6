"""What is looked at as one value, and as the address writes it."""

from __future__ import annotations

import pytest

from llm_tracker.app.selection.selection import LONGEST, NEITHER, Selection, of_address, to_address
from llm_tracker.app.work.turn_ref import TurnRef

EVERYTHING = Selection(
    turns=(TurnRef(2, 0), TurnRef(2, 1)),
    steps=(None, 3),
    compared_at="answer",
    words=("Paris", "to, be", "Łódź"),
    layers=(24, 3),
    heads=(None, 2),
    measure="rank",
    word="",
    over="London",
    text="before",
    map_shows="prob of Paris",
    map_from=12,
)


def test_what_each_view_would_choose_by_itself_stands_in_no_address() -> None:
    assert to_address(Selection()) == {}
    assert of_address({}) == Selection()


def test_the_address_reads_plainly_and_says_all_of_it() -> None:
    said = to_address(EVERYTHING)
    assert said == {
        "turns": ["2.0-2.1"],
        "step": ["-3"],
        "compare": ["answer"],
        "layer": ["24-3"],
        "head": ["-2"],
        "lines": ["rank"],
        "text": ["before"],
        "map-shows": ["prob of Paris"],
        "map-from": ["12"],
        "of": [""],
        "over": ["London"],
        "word": ["Paris", "to, be", "Łódź"],
    }
    assert of_address(said) == EVERYTHING


def test_no_word_at_all_is_a_choice_too() -> None:
    assert of_address(to_address(Selection(words=()))) == Selection(words=())


def test_one_answer_alone_is_one_turn() -> None:
    alone = Selection(turns=(TurnRef(1, 0),))
    assert to_address(alone) == {"turns": ["1.0"]}
    assert of_address({"turns": ["1.0"]}) == alone


@pytest.mark.parametrize(
    "said",
    [
        {"turns": "1"},
        {"turns": "1.0-1.1-1.2"},
        {"turns": "-1.0"},
        {"turns": "1.0-x"},
        {"turns": "²·1"},
        {"turns": f"{'9' * 5000}.0"},
        {"step": "first"},
        {"step": "٣"},
        {"layer": "-"},
        {"head": "1e3"},
        {"compare": "ends"},
        {"lines": "logit"},
        {"text": "left"},
        {"text": "<b>"},
        {"map-from": "9" * 5000},
    ],
    ids=str,
)
def test_what_is_spelled_wrongly_is_taken_for_not_said(said: dict[str, str]) -> None:
    assert of_address({name: [value] for name, value in said.items()}) == Selection()


def test_words_too_long_for_an_address_stay_out_of_it_and_the_rest_is_said() -> None:
    long = Selection(words=("a" * LONGEST, "b"), word="a" * 2 * LONGEST, layers=(5, None))
    assert to_address(long) == {"layer": ["5"]}


def test_a_new_answer_leaves_how_to_look_and_nothing_that_was_said_of_the_ones_before() -> None:
    kept = EVERYTHING.of_newest()
    assert (kept.turns, kept.steps, kept.words, kept.map_from) == ((), NEITHER, None, None)
    assert (kept.layers, kept.heads, kept.measure, kept.over) == ((24, 3), (None, 2), "rank", "London")


def test_another_model_has_layers_and_heads_of_its_own() -> None:
    other = EVERYTHING.of_another_model()
    assert (other.layers, other.heads, other.steps) == (NEITHER, NEITHER, (None, 3))


def test_turns_that_are_the_newest_anyway_are_said_only_beside_what_belongs_to_them() -> None:
    newest = (TurnRef(1, 0), TurnRef(1, 1))
    assert Selection(turns=newest, layers=(3, None)).in_short(newest) == Selection(layers=(3, None))
    for more in (Selection(newest, steps=(1, None)), Selection(newest, words=()), Selection(newest, map_from=1)):
        assert more.in_short(newest) == more
    older = Selection(turns=(TurnRef(1, 0),))
    assert older.in_short(newest) == older
