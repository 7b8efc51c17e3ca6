"""The attention's sentence tells what is parked, and which of the conversation's own words got most."""

from __future__ import annotations

import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import sides_of
from llm_tracker.wording.attention import attention_sentence, most_looked_at
from llm_tracker.wording.formats import percent


def test_the_attention_sentence_tells_each_side(session: lt.Session) -> None:
    sides = sides_of(session)
    told = attention_sentence(sides)
    for side in sides:
        shares = lt.attention_by_word(side.turn, 0)
        assert percent(float(lt.attention_groups(shares)["parked"])) in told
        names, most = most_looked_at(shares)
        assert f"{names} ({percent(most)}" in told
    assert told.startswith("Before, ")
    assert "; merely asked again, " in told


def shares(**words: float) -> pd.DataFrame:
    rows = [{"word": word, "group": "user", "share": share} for word, share in words.items()]
    return pd.DataFrame([{"word": "<s>", "group": "parked", "share": 0.9}, *rows])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"a": 0.02, "b": 0.05}, ("“b”", 0.05)),
        ({"a": 0.05, "b": 0.05}, ("“a” and “b”", 0.05)),
        ({"a": 0.05, "b": 0.05, "c": 0.05}, ("3 words", 0.05)),
        ({"a": 0.0, "b": 0.0}, ("", 0.0)),
        ({"?": 0.5, "a": 0.01}, ("“a”", 0.01)),
        ({}, ("", 0.0)),
    ],
)
def test_the_word_that_was_looked_at_most(words: dict[str, float], told: tuple[str, float]) -> None:
    assert most_looked_at(shares(**words)) == told
