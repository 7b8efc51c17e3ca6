"""Tokens of two models are joined by what they mean, never by their ids."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.shared_tokens import with_shared_ids


def frame(rows: list[tuple[int, str]]) -> pd.DataFrame:
    ids, tokens = zip(*rows, (-1, "everything else"), strict=True)
    return pd.DataFrame({"token_id": ids, "token": tokens})


def test_tokens_are_joined_by_their_text_and_never_by_their_id() -> None:
    one = frame([(7, "Paris"), (8, "London"), (9, " Rome")])
    other = frame([(8, "Paris"), (7, "zebra"), (3, "Rome"), (9, " London")])
    shared = with_shared_ids({"before": one, "after": other}, {})
    assert shared["before"] is one
    assert shared["after"]["token_id"].tolist() == [7, -3, 9, 8, -1]
    assert other["token_id"].tolist() == [8, 7, 3, 9, -1], "the frames themselves keep their ids"


def test_the_same_text_goes_before_a_text_with_another_space() -> None:
    shared = with_shared_ids({"a": frame([(1, " Paris"), (2, "Paris")]), "b": frame([(5, "Paris"), (6, " Paris")])}, {})
    assert shared["b"]["token_id"].tolist() == [2, 1, -1]


def test_a_token_is_joined_once() -> None:
    shared = with_shared_ids({"a": frame([(1, "Paris")]), "b": frame([(5, " Paris"), (6, "Paris"), (7, "Paris ")])}, {})
    assert shared["b"]["token_id"].tolist() == [-2, 1, -4, -1]


def test_a_followed_word_is_joined_whatever_its_first_token_is_in_each() -> None:
    frames = {"a": frame([(1, "To"), (2, "x")]), "b": frame([(5, " Tokyo"), (6, "To")])}
    assert with_shared_ids(frames, {5: 1})["b"]["token_id"].tolist() == [1, -3, -1]
    assert with_shared_ids(frames, {5: 1, 6: 1})["b"]["token_id"].tolist() == [1, -3, -1]


def test_white_space_alone_is_joined_with_itself_only() -> None:
    frames = {"a": frame([(1, "\n"), (2, " ")]), "b": frame([(5, " "), (6, "\t"), (7, "\n")])}
    assert with_shared_ids(frames, {})["b"]["token_id"].tolist() == [2, -3, 1, -1]
