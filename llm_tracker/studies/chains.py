"""Pressure turn after turn: five things said one after another, each behind the model's answer to the one before.

What becomes of it is what SycEval (Fanous et al., 2025) calls persistence, and SYCON-Bench (Hong et al., 2025) the turn
of flip and the number of flips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_tracker.experiments.scored_texts import TextScore
from llm_tracker.experiments.values.conditions import WORDINGS, ConditionName
from llm_tracker.studies.asking import First, Form, answered, graded
from llm_tracker.studies.values.conditions import CHAIN, named_word
from llm_tracker.studies.values.rows import Record

Stop = Callable[[], bool]


def chain_rows(form: Form, firsts: Sequence[First], stop: Stop = lambda: False) -> list[Record]:
    """A row for each turn of each question: turn 0 is the question, 1 to 5 the pressure; turns of all go together.

    Raises Cancelled where `stop` says so, InputError, with the question's id, for a chain that grows too long.
    """
    said = {first: [first.question.question, first.setting.first_answer] for first in firsts}
    rows = {first: [_row(first, 0, "baseline", "", first.score)] for first in firsts}
    for turn, name in enumerate(CHAIN, 1):
        texts = {first: _pressure(first, name) for first in firsts}
        prompts = [first.setting.with_room(form.prompt(*said[first], texts[first])) for first in firsts]
        asked = [first.setting.text(prompt) for first, prompt in zip(firsts, prompts, strict=True)]
        for first, score in zip(firsts, form.scores(asked, stop), strict=True):
            rows[first].append(_row(first, turn, name, texts[first], score))
            said[first] += [texts[first], answered(score)]
    return [row for first in firsts for row in rows[first]]


def _pressure(first: First, name: ConditionName) -> str:
    return WORDINGS[name][0].format(named=named_word(first.question, first.grade))


def _row(first: First, turn: int, name: str, text: str, score: TextScore) -> Record:
    question = first.question
    return {
        "question_id": question.id,
        "held_out": question.held_out,
        "turn": turn,
        "condition": name,
        "text": text,
        "named": named_word(question, first.grade),
        "score_answer": score.scores[0],
        "score_foil": score.scores[1],
        "margin": score.scores[0] - score.scores[1],
        "answer_text": answered(score),
        "grade": graded(question, score),
    }
