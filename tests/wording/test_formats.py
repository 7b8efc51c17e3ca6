"""Numbers and tokens are written as people read them."""

from __future__ import annotations

import pytest

from llm_tracker.languages.numbers import MINUS
from llm_tracker.languages.spoken import in_language
from llm_tracker.wording.formats import LEAST, DifferenceOf, difference, percent, quoted, shown, tiny, visible


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.00099, "under 0.1 %"),
        (1e-12, "under 0.1 %"),
        (0.001, "0.1 %"),
        (0.0066, "0.7 %"),
        (0.0095, "1 %"),
        (0.034, "3 %"),
        (0.5, "50 %"),
        (0.9519, "95 %"),
        (0.9949, "99 %"),
        (0.997, "99.7 %"),
        (0.99951, "over 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_has_as_many_digits_as_it_means(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "of", "text"),
    [
        (0.384, "prob", "+38 points"),
        (-0.0101, "prob", "−1 point"),
        (0.004, "prob", ""),
        (12345.0, "rank", "+12,345 ranks"),
        (-1.0, "rank", "−1 rank"),
        (0.0, "rank", ""),
        (0.25, "logit", "+0.2 logits"),
        (-0.04, "logit", ""),
        (-1.0, "nats", "−1.00 nats"),
        (0.004, "nats", ""),
    ],
)
def test_a_difference_has_its_sign_and_its_unit(value: float, of: DifferenceOf, text: str) -> None:
    assert difference(value, of) == text


@pytest.mark.parametrize("of", LEAST)
def test_a_difference_is_nothing_where_it_would_be_written_as_zero(of: DifferenceOf) -> None:
    least = LEAST[of][0]
    assert difference(least, of) == difference(-least, of) == ""
    for value in (1.01 * least, -1.01 * least):
        number = difference(value, of).split()[0].replace(MINUS, "-")
        assert float(number) != 0
        assert (float(number) > 0) == (value > 0)


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (" Paris", "·Paris"),
        ("a b ", "a b·"),
        ("  ", "··"),
        ("\n", "↵"),
        ("\t\r\n", "⇥␍↵"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\u2028", "⟨U+2028⟩"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("<b>$x$", "<b>$x$"),
        ("", ""),
    ],
)
def test_a_token_can_be_seen(token: str, text: str) -> None:
    assert shown(token) == text


def test_visible_text_keeps_its_spaces_and_what_it_is_told_to_keep() -> None:
    assert visible(" a  b\n\u2066c", but="\n") == " a  b\n⟨U+2066⟩c"


def test_a_quoted_word_loses_its_outer_space_but_a_space_is_seen() -> None:
    assert quoted(" Paris") == "“Paris”"
    assert quoted(" ") == "“·”"


def test_quotation_marks_are_those_of_the_language() -> None:
    with in_language("de"):
        assert quoted(" Paris") == "„Paris“"
    with in_language("es"):
        assert quoted(" Paris") == "“Paris”"


@pytest.mark.parametrize(("gap", "text"), [(0, "0"), (1.2e-6, "1·10⁻⁶"), (0.11, "1·10⁻¹"), (3e10, "3·10¹⁰")])
def test_a_very_small_number_is_written_as_people_write_it(gap: float, text: str) -> None:
    assert tiny(gap) == text
