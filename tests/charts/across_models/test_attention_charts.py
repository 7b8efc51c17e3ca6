"""Attention by model: shares as they are, on one scale, each word with as many bars as there are models."""

from __future__ import annotations

import pandas as pd
import pytest
from chart_specs import NASTY_TOKENS, drawn_texts, of_kind, tokens_in_code
from model_runs import two_sizes

from llm_tracker.analysis.across_models.shared_words import groups_by_model, words_by_model
from llm_tracker.charts.across_models.attention import groups_chart, words_chart


@pytest.fixture(scope="module")
def words() -> pd.DataFrame:
    return words_by_model(two_sizes(), "after")


def test_the_bar_of_each_model_is_all_of_its_attention() -> None:
    frame = groups_by_model(two_sizes(), "after")
    (bars,) = of_kind(groups_chart(frame), "bar")
    drawn = pd.DataFrame(bars.rows)
    assert (drawn["end"] - drawn["start"]).tolist() == pytest.approx(frame["share"].tolist(), abs=1e-6)
    assert drawn.groupby("model")["end"].max().tolist() == pytest.approx([1, 1])
    assert drawn.groupby("model")["start"].min().tolist() == [0, 0]
    assert bars.encoding["x"]["scale"]["domain"] == [0, 1]


def test_each_word_has_a_bar_of_each_model_from_zero_on_one_scale(words: pd.DataFrame) -> None:
    (bars,) = of_kind(words_chart(words), "bar")
    assert bars.column("share") == words["share"].tolist()
    assert bars.column("place") == words["place"].tolist()
    assert bars.encoding["x"]["scale"]["domain"] == [0, words["share"].max()]


def test_the_words_stand_left_of_the_bars_once_and_what_is_not_the_readers_in_brackets(words: pd.DataFrame) -> None:
    names = of_kind(words_chart(words), "text")[-1].column("label")
    assert len(names) == words["place"].nunique()
    assert "(its answer)" in names
    assert "Rome" in names


def test_bars_are_called_by_letter_where_there_are_several_models(words: pd.DataFrame) -> None:
    assert {"A", "B"} <= set(drawn_texts(words_chart(words)))
    alone = words[words["model"] == "A"]
    assert "A" not in drawn_texts(words_chart(alone))


def test_no_attention_at_all_has_a_scale_too(words: pd.DataFrame) -> None:
    (bars,) = of_kind(words_chart(words.assign(share=0.0)), "bar")
    assert bars.encoding["x"]["scale"]["domain"] == [0, 1]


@pytest.mark.parametrize("token", NASTY_TOKENS)
def test_words_are_no_code(words: pd.DataFrame, token: str) -> None:
    assert tokens_in_code(words_chart(words.assign(word=token, name=token))) == []
