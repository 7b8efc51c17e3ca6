"""What an experiment costs: the tokens of all its rows."""

from __future__ import annotations

from small_cases import small

from llm_tracker.experiments.passes.rows import Row, begin, read_rows
from llm_tracker.models.forward.forward_pass import TokensRead, counting

TEXT = tuple(range(40, 70))


def test_rows_count_with_what_they_add_and_their_beginning_once() -> None:
    model = small("llama").model
    beginning = begin(model, TEXT[:20], 10)
    counter = TokensRead()
    with counting(counter):
        list(read_rows(beginning, [Row(TEXT), Row(TEXT)]))
    assert counter.n == 2 * 10
    list(read_rows(beginning, [Row(TEXT)]))
    assert counter.n == 2 * 10
