"""What a model writes under several conditions: greedy decoding of many texts at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_tracker.experiments.passes.filled_rows import gone_on
from llm_tracker.experiments.passes.rows import Batch, Row, read_rows
from llm_tracker.prompts.continuation import continuation
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.decoding import end_token_ids
from llm_tracker.tracing.run import spoken

if TYPE_CHECKING:
    from llm_tracker.experiments.passes.rows import Beginning
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_MOST = 10
"""Tokens of an answer: it is read for one word."""


@dataclass(eq=False)
class _Answer:
    """An answer while it is written."""

    prompt: Prompt
    branch: int
    token_ids: list[int] = field(default_factory=list)
    is_ended: bool = False


def write_answers(
    batch: Batch, prompts: Sequence[Prompt], rows: Sequence[int], stop: Callable[[], bool] = lambda: False
) -> dict[int, str]:
    """The answers to some of the prompts that were read as a batch, by row: up to `N_MOST` tokens each."""
    model = batch.after.model
    answers = {row: _Answer(prompts[row], row) for row in rows}
    for row, answer in answers.items():
        _write(model, answer, int(batch.logits[row].argmax()))
    for together in gone_on(batch, [prompt.token_ids for prompt in prompts]):
        _go_on(together.beginning, [answers[row] for row in together.rows if row in answers], stop)
    return {row: spoken(model, answer.token_ids) for row, answer in answers.items()}


def _write(model: LoadedModel, answer: _Answer, token_id: int) -> None:
    answer.token_ids.append(token_id)
    is_line = answer.prompt.stops_at_newline and "\n" in _text(model, answer).lstrip()
    answer.is_ended = token_id in end_token_ids(model) or is_line or len(answer.token_ids) == N_MOST


def _text(model: LoadedModel, answer: _Answer) -> str:
    return continuation(model.tokenizer, answer.prompt.token_ids, answer.token_ids)[0]


def _go_on(beginning: Beginning, answers: Sequence[_Answer], stop: Callable[[], bool]) -> None:
    """Write token by token, those that have ended left out."""
    going = [answer for answer in answers if not answer.is_ended]
    rows = [Row((*answer.prompt.token_ids, *answer.token_ids), branch=answer.branch) for answer in going]
    for batch in read_rows(beginning, rows, stop=stop) if rows else ():
        own = going[batch.rows]
        for row, answer in enumerate(own):
            _write(beginning.model, answer, int(batch.logits[row].argmax()))
            answer.branch = row
        _go_on(batch.after, own, stop)
