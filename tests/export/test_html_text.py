"""Text as HTML: what is quoted keeps its own direction, whatever marks the language quotes with."""

from __future__ import annotations

import pandas as pd
import pytest

from llm_tracker.export.html_text import frame_table, sentence


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("“שלום” fell to 5 %.", "“<bdi>שלום</bdi>” fell to 5\N{NO-BREAK SPACE}%."),
        ("„Paris“ und „London“ <b>", "„<bdi>Paris</bdi>“ und „<bdi>London</bdi>“ &lt;b&gt;"),
        ("5” wide", "5” wide"),
        ("“say “hi” now”", "“say “<bdi>hi</bdi>” now”"),
    ],
    ids=["English", "German", "alone", "quoted within"],
)
def test_a_quoted_word_keeps_its_own_direction(text: str, html: str) -> None:
    assert sentence(text) == html


def test_a_tables_numbers_are_written_as_in_sentences() -> None:
    table = frame_table("Some", pd.DataFrame({"token_id": [-1, 7], "gap": [-1.5, 1.25e-6], "ok": [True, False]}))
    for cell in ("−1", "7", "−1.5", "1.25·10⁻⁶", "True"):
        assert f">{cell}</td>" in table
