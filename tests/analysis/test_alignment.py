"""Two turns are laid side by side by role and word: the common beginning, what came between, the answers’ places."""

from __future__ import annotations

import pytest
from thinking import thinking_model
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.analysis.alignment import aligned_positions, aligned_words


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(tiny_model("llama"), "Is it Paris?", ["No, London."], recipe="chat", max_new_tokens=3, control=True)


def test_every_word_of_both_texts_stands_once_and_in_order(session: lt.Session) -> None:
    before, after = session.turns
    pairs = aligned_words(before, 1, after, 2)
    assert [word for word, _ in pairs if word is not None] == before.words_before(1)
    assert [word for _, word in pairs if word is not None] == after.words_before(2)
    for one, other in pairs:
        if one is not None and other is not None and one.role != "answer":
            assert (one.role, one.text.strip().lower()) == (other.role, other.text.strip().lower())


def test_the_places_where_the_answers_begin_stand_for_each_other(session: lt.Session) -> None:
    before, after = session.turns
    pairs = aligned_positions(before, after)
    first = (len(before.prompt.token_ids) - 1, len(after.prompt.token_ids) - 1)
    assert first in pairs
    assert (first[0] + 1, first[1] + 1) in pairs
    common = [(one, other) for one, other in pairs if one == other]
    assert len(common) > 10
    unlike = [other for one, other in pairs if one is None]
    assert len(unlike) == len(after.prompt.token_ids) - len(before.prompt.token_ids)


def test_a_correction_and_its_control_are_the_same_but_for_what_was_said(session: lt.Session) -> None:
    pairs = aligned_words(session.controls[1], 0, session.turns[1], 0)
    only = [(one or other) for one, other in pairs if one is None or other is None]
    assert {word.role for word in only if word is not None} == {"user"}


def test_a_turn_stands_for_itself(session: lt.Session) -> None:
    turn = session.turns[0]
    assert all(one == other for one, other in aligned_positions(turn, turn))


def test_raw_text_has_no_template_and_is_laid_side_by_side_all_the_same() -> None:
    session = lt.track(tiny_model("llama"), "A text", ["goes on"], recipe="raw", max_new_tokens=2)
    before, after = session.turns
    pairs = aligned_positions(before, after)
    assert sorted(one for one, _ in pairs if one is not None) == list(range(len(before.prompt.token_ids) + 1))


def test_thoughts_of_different_lengths_do_not_shift_the_answers() -> None:
    model = thinking_model("opened")
    asked = lt.track(model, "Is it?", recipe="chat", max_new_tokens=3, thinking=True, max_thought_tokens=3).turns[0]
    other = lt.track(model, "Is it?", recipe="chat", max_new_tokens=3, thinking=True, max_thought_tokens=9).turns[0]
    pairs = aligned_positions(asked, other)
    places = [len(turn.prompt.token_ids) - 1 + turn.first_step for turn in (asked, other)]
    assert places[0] != places[1]
    assert (places[0], places[1]) in pairs
    words = aligned_words(asked, asked.first_step + 1, other, other.first_step + 1)
    roles = {(one.role, two.role) for one, two in words if one is not None and two is not None}
    assert all(one == two for one, two in roles)
