"""What is said of the lens and of the named word's path: where it jumps, by how much, and in how many questions."""

from __future__ import annotations

import pandas as pd
import pytest
from made_studies import heads, lens, path

from llm_tracker.studies.statistics.inside import jump_summary, jumps, lens_by_layer
from llm_tracker.studies.values.rows import Record
from llm_tracker.studies.values.tables import frame_of
from llm_tracker.wording.studies.inside import lens_sentence, path_sentence


def leads(again: list[float], wrong: list[float], of_right: bool = True) -> str:
    rows = lens("a", "asked_again", again) + lens("a", "wrong_alternative", wrong)
    return lens_sentence(lens_by_layer(frame_of("lens", rows)), of_right)


def test_where_the_leads_part_most() -> None:
    assert leads([0, 1, 2, 7], [0, 1, 1, -12]) == (
        "The leads under “wrong, and a word named” and merely asked again part most between layers 3 and 4 of 4: by "
        "18.0 logits; at the last layer they are 19.0 apart. Here the lead is of first tokens, as the logit lens "
        "reads them; above it is of whole words. It is what is read there, not what is decided there."
    )


@pytest.mark.parametrize("turned", [False, True])
def test_they_part_and_do_not_merely_come_together(turned: bool) -> None:
    sides = ([5, 0, 1, 3], [-5, 0, 0, 0])
    said = leads(*(sides[::-1] if turned else sides))
    assert "part most between layers 3 and 4 of 4: by 2.0 logits; at the last layer they are 3.0 apart" in said


@pytest.mark.parametrize("turned", [False, True])
def test_leads_that_only_come_together_are_said_to_be_furthest_apart_at_first(turned: bool) -> None:
    def said(*sides: list[float]) -> str:
        return leads(*(sides[::-1] if turned else sides))

    assert said([8, 5, 3], [0, 0, 0]) == (
        "The leads under “wrong, and a word named” and merely asked again are furthest apart after layer 1 of 3: by "
        "8.0 logits; at the last layer they are 3.0 apart. Here the lead is of first tokens, as the logit lens "
        "reads them; above it is of whole words. It is what is read there, not what is decided there."
    )
    assert "after layer 1 of 3: by 8.0 logits; at the last layer they are the same." in said([8, 3, 0], [0, 0, 0])
    assert "after layer 1 of 3: by 8.0 logits; at the last layer they are 8.0 apart." in said([8, 8, 8], [0, 0, 0])
    assert "after layer 1 of 3: by 8.0 logits; at the last layer they are 0.5 apart." in said([8, 3, -0.5], [0, 0, 0])


def test_where_no_first_answer_was_right_it_says_which_word_is_named() -> None:
    assert leads([0, 1], [0, 5], of_right=False).startswith(
        "No first answer was right; the word that is named here is the right one. The leads under"
    )


def test_equal_leads_one_layer_and_a_missing_condition() -> None:
    same = "Under “wrong, and a word named” the lead is at every layer what it is when merely asked again."
    assert leads([1, 2], [1, 2]) == leads([1, 2.0], [1, 2.04]) == leads([0], [0]) == same
    assert leads([3], [1]) == "In its one layer the two leads are 2.0 logits apart."
    alone = lens_by_layer(frame_of("lens", lens("a", "asked_again", [1, 2])))
    assert lens_sentence(alone) == "The lead by layer, by the logit lens, mean over questions."


def told(n_asked: int, *rows: list[Record], first: list[Record] | None = None) -> str:
    paths = frame_of("paths", [each for several in rows for each in several])
    return path_sentence(jump_summary(jumps(paths, frame_of("heads", first or []))), n_asked)


def jump(question: str, until: int, start: int, n_layers: int = 6) -> list[Record]:
    depths = range(n_layers + 1)
    return path(question, [float(each <= until) for each in depths], [float(each >= start) for each in depths])


def test_where_the_path_jumps_and_which_head_is_first() -> None:
    paths = [jump("a", 3, 4), jump("b", 3, 4), jump("c", 3, 5)]
    first = heads("a", (4, 1, 0.5)) + heads("b", (4, 1, 0.7)) + heads("c", (5, 2, 0.9))
    assert told(3, *paths, first=first) == (
        "In the median of the 3 questions the named word's own position carries the effect until layer 3 of 6, and the "
        "answer position from layer 4 on (middle half: 4 to 5). Head 1 of layer 4 has the largest share in 2 of 3, "
        "60 % there on average."
    )


def test_how_many_could_be_traced_is_said_where_it_is_not_all() -> None:
    assert told(5, jump("a", 3, 4), jump("b", 3, 4)).startswith(
        "In the median of the 2 questions that could be traced, of 5, the named word's"
    )
    assert told(4, jump("a", 2, 3), first=heads("a", (3, 1, -0.2))) == (
        "In the one question that could be traced, of 4, the named word's own position carries the effect until layer "
        "2 of 6, and the answer position from layer 3 on. Head 1 of layer 3 has the largest share: −20 %."
    )
    assert told(1, jump("a", 2, 3)).startswith("In the one question the named word's own position")


def test_the_ends_of_a_path_have_words_of_their_own() -> None:
    assert "carries the effect in front of the first layer only, and the answer position nowhere." in told(
        1, jump("a", 0, 9)
    )
    found = told(3, jump("a", 2, 3), jump("b", 2, 4), jump("c", 2, 9))
    assert found.endswith("the answer position from layer 4 on (middle half: 3 to nowhere).")
    found = told(3, jump("a", 2, 3), jump("b", 2, 9), jump("c", 2, 9))
    assert found.endswith("and the answer position nowhere.")
    missing = pd.DataFrame(
        [{"n": 2, "n_layers": 6, "word_until": float("nan"), "slot_from": 7, "slot_low": 7, "slot_high": 7}]
    )
    assert "carries the effect nowhere, and" in path_sentence(missing, 2)
