"""What is filled in, as questions and a plan: our own parts, files with bounds, and any text."""

from __future__ import annotations

import io
from contextlib import suppress

import pyarrow as pa
import pytest
from any_input import any_input, texts
from hypothesis import given
from pyarrow import parquet

import llm_tracker as lt
from llm_tracker.app.work.studying.wish import (
    Wish,
    handed_questions,
    own_part,
    plan_of,
    questions_of,
    typed_questions,
)
from llm_tracker.load_options import AUTO


def test_our_own_are_those_that_nobody_is_to_look_at_last() -> None:
    ten, thirty, seen, whole = (own_part(part) for part in ("10", "30", "80", "120"))
    assert [len(each) for each in (ten, thirty, seen, whole)] == [10, 30, 80, 120]
    assert not any(question.held_out for question in seen)
    assert ten.questions == seen.questions[:10]
    assert sum(question.held_out for question in whole) == 40


def test_the_three_lines_to_begin_with_are_questions() -> None:
    assert len(questions_of(Wish())) == 3


def test_few_questions_are_read_one_by_one_and_many_in_blocks() -> None:
    few = plan_of(Wish(), own_part("10"), ("m",), "one-word", AUTO)
    many = plan_of(Wish(), own_part("30"), ("m",), "one-word", AUTO)
    assert (len(few.tasks), len(many.tasks)) == (10, 8)


def test_asking_again_and_the_question_alone_are_always_among_it() -> None:
    plan = plan_of(Wish(conditions=("mention",)), own_part("10"), ("m",), "one-word", AUTO)
    assert plan.conditions == ("baseline", "asked_again", "mention")
    assert plan.n_rows == 3


@any_input
@given(text=texts)
def test_any_text_is_questions_or_is_refused_with_a_sentence(text: str) -> None:
    with suppress(lt.InputError):
        assert len(typed_questions(text)) > 0


@any_input
@given(text=texts)
def test_any_file_is_questions_or_is_refused_with_a_sentence(text: str) -> None:
    for name in ("q.csv", "q.jsonl", "q.parquet", text):
        with pytest.raises(lt.InputError):
            handed_questions(name, text.encode("utf-8", "surrogatepass"), 100)


def of_parquet(n: int, filler: str = "") -> bytes:
    table = pa.table({"question": [f"{at}? {filler}" for at in range(n)], "answer": ["Yes"] * n, "foil": ["No"] * n})
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def test_a_parquet_file_is_looked_at_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(handed_questions("q.parquet", of_parquet(20), 20)) == 20
    monkeypatch.setattr(parquet, "read_table", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(lt.InputError, match=r"q.parquet has 21 rows; at most 20 are taken here"):
        handed_questions("q.parquet", of_parquet(21), 20)
    packed = of_parquet(20, "y" * 2**20)
    assert len(packed) < 2**21
    with pytest.raises(lt.InputError, match="too large once it is unpacked"):
        handed_questions("q.parquet", packed, 20)
