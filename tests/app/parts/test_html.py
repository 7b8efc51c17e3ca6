"""Text in HTML appears exactly as it is, and turns nothing around it."""

from __future__ import annotations

import html as standard
import re

import pytest
from nasty import NASTY

from llm_tracker.app.parts import html
from llm_tracker.wording.formats import visible


def plain(markup: str) -> str:
    """What a reader sees of HTML that holds no element but those which style.css knows."""
    return standard.unescape(re.sub(r"<[^>]*>", "", markup))


@pytest.mark.parametrize("text", NASTY)
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert plain(html.exact(text)) == visible(text, but="\n")
    assert plain(html.sentence(f"“{text}” 95 %.")) == f"“{visible(text)}” 95\N{NO-BREAK SPACE}%."
    assert (
        plain(html.table_html("t", ["word", "share"], [[text, "1 %"]], ("share",))) == f"twordshare{visible(text)}1 %"
    )


def test_a_quoted_word_keeps_its_own_direction() -> None:
    """Or a Hebrew word would draw “97 % → 40 %” from right to left."""
    said = html.sentence("“שלום” 97 % → 40 %.").replace("\N{NO-BREAK SPACE}", " ")
    assert said == "“<bdi>שלום</bdi>” 97 % → 40 %."


def test_bars_are_as_long_as_their_shares() -> None:
    table = html.table_html("t", ["word"], [["a"], ["b"]], bars=[0.2, 0.05])
    assert re.findall(r'style="width:([\d.]+)%"', table) == ["100.00", "25.00"]


def test_two_messages_of_one_speaker_stand_apart_and_a_thought_is_folded() -> None:
    import pandas as pd

    from llm_tracker.app.parts.shaded_text import shaded_texts

    words = [
        ("Why?", "user"),
        ("<e>", "template"),
        ("No.", "user"),
        ("<s>", "template"),
        ("Hm", "thought"),
        ("Yes", "answer"),
    ]
    rows = [
        (word, role, at, at + 1, 0.1, "parked" if role == "template" else role) for at, (word, role) in enumerate(words)
    ]
    frame = pd.DataFrame(rows, columns=["word", "role", "start", "end", "share", "group"])
    (text,) = shaded_texts({"before": frame}, {"before": "before"}).values()
    assert text.count('<span class="who">you</span>') == 2
    assert "<details><summary>its thought: 10 %</summary>" in text
    assert "&lt;e&gt;" not in text


def test_the_shading_of_a_word_follows_its_share_and_the_control_stands_below() -> None:
    import pandas as pd

    from llm_tracker.app.parts.shaded_text import SHADE, shaded_texts

    def frame(shares: list[float]) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "word": ["<s>", "What", " is"],
                "role": ["template", "user", "user"],
                "start": [0, 1, 2],
                "end": [1, 2, 3],
                "share": shares,
                "group": ["parked", "user", "user"],
            }
        )

    texts = shaded_texts(
        {"before": frame([0.7, 0.2, 0.1]), "after": frame([0.9, 0.1, 0.0]), "again": frame([0.8, 0.2, 0.0])},
        {"before": "before", "after": "after: Large <b>", "again": "asked again"},
    )
    full, half, none = (f"{round(255 * SHADE * part):02x}" for part in (1, 0.5, 0))
    assert f"background:#3a7cc7{full}" in texts["before"]
    assert f"background:#cf6a1d{half}" in texts["after"], "before and after are shaded on one scale"
    assert f"background:#cf6a1d{none}" in texts["after"]
    assert 'title="10 %, asked again 20 %"' in texts["after"]
    assert "asked again" not in texts["before"]
    assert "After: Large &lt;b&gt;</b>" in texts["after"], "the label is shown as it is"


def test_an_address_in_a_label_is_text_and_no_link() -> None:
    assert html.plain_label("a@b.c www.x.y https://z") == "a\u2060@b.c www\u2060.x.y https\\:\u2060//z"
