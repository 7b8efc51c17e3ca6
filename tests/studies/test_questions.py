"""A question is refused where no answer could be told by its words."""

from __future__ import annotations

from typing import Any

import pytest

from llm_tracker.errors import InputError
from llm_tracker.studies.values.questions import Question


@pytest.mark.parametrize(
    ("words", "column"),
    [
        ({"answer": "-5", "foil": "5"}, "answer"),
        ({"answer": "C", "foil": "C++"}, "answer"),
        ({"answer": "Paris", "foil": "<"}, "foil"),
        ({"answer": "not guilty", "foil": "guilty"}, "answer"),
        ({"answer": "five", "foil": "six", "aliases": ("5", "+")}, "aliases"),
    ],
)
def test_words_that_no_answer_could_be_told_by_are_refused(words: dict[str, Any], column: str) -> None:
    with pytest.raises(InputError, match="could not be told from the other word") as refused:
        Question("1", "What is it?", **words)
    assert refused.value.parameters == (column,)
    assert Question("1", "What is it?", "York", "New York").answers == ("York",)
