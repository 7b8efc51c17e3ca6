"""Text as HTML: what is quoted keeps its own direction, whatever marks the language quotes with."""

from __future__ import annotations

import pytest

from llm_tracker.export.html_text import sentence


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("“שלום” fell to 5 %.", "“<bdi>שלום</bdi>” fell to 5\N{NO-BREAK SPACE}%."),
        ("„Paris“ und „London“ <b>", "„<bdi>Paris</bdi>“ und „<bdi>London</bdi>“ &lt;b&gt;"),
        ("5” wide", "5” wide"),
    ],
    ids=["English", "German", "alone"],
)
def test_a_quoted_word_keeps_its_own_direction(text: str, html: str) -> None:
    assert sentence(text) == html
