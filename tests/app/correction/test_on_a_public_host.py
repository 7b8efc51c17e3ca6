"""The Correction page on a host that strangers share: what is typed there is bounded as questions are."""

from __future__ import annotations

import pytest
from correcting import begun, found_out, kept, of_correction
from streamlit.testing.v1 import AppTest
from visitor import shown_html, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.limits import PUBLIC

LONG = "why " * 125


@pytest.fixture
def page(engine: engines.Engine) -> AppTest:
    """A correction on such a host."""
    engine.limits = PUBLIC
    return of_correction(engine)


def refused(engine: engines.Engine, page: AppTest, answer: str, foil: str) -> str:
    """What is said of two words with which nothing is begun."""
    page = begun(page, answer, foil)
    assert visitor(engine).job is None
    assert visitor(engine).sessions[1].experiments == {}
    return shown_html(page)


def test_words_that_are_too_long_together_begin_nothing(engine: engines.Engine, page: AppTest) -> None:
    page.text_area[0].set_value(LONG)
    said = refused(engine, page, f"a{LONG}", f"b{LONG}")
    assert "characters; at most 1,000 are taken here" in said


def test_only_so_many_other_names_of_a_word_are_taken(engine: engines.Engine, page: AppTest) -> None:
    said = refused(engine, page, " | ".join(f"Paris {n}" for n in range(12)), "Rome")
    assert "There are 11 other names of the right word; at most 10 are taken." in said


def test_only_so_many_further_wordings_are_taken_and_none_is_left_out_in_silence(
    engine: engines.Engine, page: AppTest
) -> None:
    page.text_area[0].set_value("\n".join(f"No {n}." for n in range(21)))
    assert "There are 21 further wordings; at most 20 are taken." in refused(engine, page, "Bonn", "Rome")


def test_no_field_takes_more_than_a_question_may_have(page: AppTest) -> None:
    fields = [each for each in page.text_input if each.label in ("Right word", "Other word")]
    assert [each.max_chars for each in (*fields, page.text_area[0])] == [500, 500, 1000]


def test_two_words_of_a_usual_length_are_found_out(engine: engines.Engine, page: AppTest) -> None:
    found_out(engine, page, "Bonn | Bon", "Rome")
    assert kept(engine).case.answers == ("Bonn", "Bon")
