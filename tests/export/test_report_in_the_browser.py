"""A report in a reader's browser without a network: charts are drawn, nothing is asked for, axe-core finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import llm_tracker as lt
from llm_tracker.export.report import html_report
from llm_tracker.export.theme import LOOKS
from llm_tracker.figures.figure import Figure

pytestmark = pytest.mark.browser

HOSTILE = (
    "</script><img src=https://example.org/x.png onerror=\"document.title='taken'\"><script>document.title='taken'"
)
COMMAND = "llm-tracker track 'What is it?' --control"


@pytest.fixture(scope="module")
def page(example: lt.Session, figures: list[Figure]) -> str:
    """A report in which everything that can be said is hostile."""
    turn = replace(example.turns[0], said=HOSTILE, answer=HOSTILE)
    session = replace(example, turns=(turn, example.turns[1]))
    hostile = [replace(figures[0], title=HOSTILE, sentence=HOSTILE), *figures[1:]]
    return html_report(HOSTILE, session, hostile, COMMAND, made_at="today")


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reader_sees_every_chart_in_the_colours_of_the_system(
    page: str, figures: list[Figure], look: Callable[..., Any], scheme: Any
) -> None:
    seen = look(page, scheme)
    assert seen.n_drawn == len(figures)
    assert seen.complaints == []
    assert [address for address in seen.asked_for if not address.startswith("file:")] == []
    assert len(seen.asked_for) == 1
    assert seen.title == HOSTILE
    assert seen.text.count(HOSTILE) == 6, "title, question, answer; of a figure title, sentence and table"
    assert seen.labels == [f"{HOSTILE}. {HOSTILE}", *(f"{each.title}. {each.sentence}" for each in figures[1:])]
    assert seen.colours == (rgb(LOOKS[scheme].background), rgb(LOOKS[scheme].text))
    assert "layer" in seen.tooltip
    assert "21" in seen.tooltip
    assert seen.copied == ("Copied.", COMMAND)
    assert seen.violations == []
    assert seen.widths[0] == seen.widths[1], "on a phone nothing but what scrolls by itself is wider than the window"


def test_a_scheme_that_is_given_holds_whatever_the_system_is_and_what_cannot_be_copied_is_selected(
    example: lt.Session, figures: list[Figure], look: Callable[..., Any]
) -> None:
    page = html_report("Paris", example, figures[1:2], COMMAND, made_at="today", scheme="dark")
    seen = look(page, "light", may_copy=False)
    assert seen.colours == (rgb(LOOKS["dark"].background), rgb(LOOKS["dark"].text))
    assert seen.copied == ("Selected: copy it with Ctrl+C or ⌘C.", COMMAND)
