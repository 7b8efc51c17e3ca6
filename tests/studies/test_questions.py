"""A question is refused where no answer could be told by its words; what a file has besides does no harm."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from llm_tracker.errors import InputError
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.reading import questions_in


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


def parquet_bytes(**columns: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"question": ["Q?"], "answer": ["A"], "foil": ["B"], **columns}), sink)
    return sink.getvalue()


def test_columns_of_a_file_that_no_question_needs_are_not_read() -> None:
    """Such a moment is beyond what Python can tell; where nobody asks for it, it does no harm."""
    beyond = pa.array([2**60], pa.timestamp("ms"))
    assert len(questions_in("q.parquet", parquet_bytes(when=beyond))) == 1
    with pytest.raises(InputError, match=r"^q\.parquet is no Parquet file that can be read \("):
        questions_in("q.parquet", parquet_bytes(category=beyond))
