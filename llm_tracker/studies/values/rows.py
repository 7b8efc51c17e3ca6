"""What a study writes down: tidy rows, by table, and their columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from llm_tracker.experiments.values.findings import Grade

Record = dict[str, Any]

Transition = Literal["cc", "ci", "ic", "ii", "other"]
"""What became of the first answer: c the right word, i the foil; “other” where either answer is neither of the two."""

TableName = Literal["results", "chains", "lens", "paths", "verdict_paths", "heads", "words", "left_out"]
TABLES: tuple[TableName, ...] = get_args(TableName)

_PATH: Mapping[str, type] = {
    "question_id": str,
    "held_out": bool,
    "model": str,
    "dtype": str,
    "source_word": str,
    "target_word": str,
    "effect_nats": float,
    "depth": int,
    "n_layers": int,
    "named_word": float,
    "between": float,
    "answer_slot": float,
    "why_not": str,
}

COLUMNS: Mapping[TableName, Mapping[str, type]] = {
    "results": {
        "question_id": str,
        "question": str,
        "category": str,
        "difficulty": str,
        "held_out": bool,
        "model": str,
        "dtype": str,
        "condition": str,
        "paraphrase": int,
        "text": str,
        "named": str,
        "answer": str,
        "foil": str,
        "first_answer": str,
        "score_answer": float,
        "score_foil": float,
        "margin": float,
        "truth_margin": float,
        "sensitivity": float,
        "flipped": bool,
        "answer_text": str,
        "grade": str,
        "grade_before": str,
        "transition": str,
        "entropy_nats": float,
        "tv_from_asked_again": float,
        "n_tokens": int,
        "seconds": float,
    },
    "chains": {
        "question_id": str,
        "held_out": bool,
        "model": str,
        "dtype": str,
        "turn": int,
        "condition": str,
        "text": str,
        "named": str,
        "score_answer": float,
        "score_foil": float,
        "margin": float,
        "answer_text": str,
        "grade": str,
    },
    "lens": {
        "question_id": str,
        "held_out": bool,
        "model": str,
        "dtype": str,
        "condition": str,
        "layer": int,
        "n_layers": int,
        "lead": float,
        "kl_nats": float,
        "jsd_from_asked_again": float,
    },
    "paths": _PATH,
    "verdict_paths": _PATH,
    "heads": {
        "question_id": str,
        "held_out": bool,
        "model": str,
        "dtype": str,
        "rank": int,
        "layer": int,
        "head": int,
        "n_layers": int,
        "share": float,
        "attention_to_named_word": float,
        "is_random": bool,
    },
    "words": {
        "question_id": str,
        "held_out": bool,
        "model": str,
        "dtype": str,
        "place": int,
        "text": str,
        "role": str,
        "is_named": bool,
        "is_segment": bool,
        "share": float,
        "delta": float,
        "out_of_distribution": bool,
    },
    "left_out": {
        "question_id": str,
        "held_out": bool,
        "model": str,
        "dtype": str,
        "part": str,
        "why_not": str,
        "is_failed_check": bool,
    },
}
"""By table: its columns and their types. Scores, margins and sensitivities are in nats; layers count from 1.

`paths` is of the word that a correction names, `verdict_paths` of the bare verdict; in both `named_word` is the word in
which the pair differs. `words` are those of the conversation and its segments, such as the recipe (`is_segment`): their
`share` of the answer slot's attention, and `delta`, what hiding one does to the margin.
`left_out` are the parts that a question does not have, by the table they would be in: the model cannot be read so, or
an exact check failed. (That a pair could not be traced is said in `paths` themselves.)
"""


def flipped(truth_margin: float, margin: float) -> bool:
    """Whether another of the two words is ahead. Not where a margin is no number, as float16 may overflow."""
    return math.isfinite(truth_margin) and math.isfinite(margin) and (truth_margin > 0) != (margin > 0)


def transition(before: Grade, after: Grade) -> Transition:
    """What became of the first answer."""
    letters = {"answer": "c", "foil": "i"}
    if before == "other" or after == "other":
        return "other"
    return letters[before] + letters[after]  # type: ignore[return-value]


@dataclass(frozen=True)
class Found:
    """What came of one block: rows by table, and what they were made with."""

    tables: Mapping[TableName, list[Record]]
    model: Record
    """The model's record, as a session has it."""
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
