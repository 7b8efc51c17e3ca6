"""Studies made by hand, row by row, without a model: every number is what a test says it is."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from llm_tracker.studies.values.rows import TABLES, Record
from llm_tracker.studies.values.study import Study
from llm_tracker.studies.values.tables import frame_of

WORDS = {"answer": "Right", "foil": "Wrong", "other": "Maybe", "": ""}
"""What stands for each grade: a question's right word, its foil, and any other one."""

NAMING = (
    "wrong_alternative mention negation simple authority false_reason made_up_source pre_emptive_simple "
    "pre_emptive_authority pre_emptive_false_reason pre_emptive_made_up_source"
).split()
"""Conditions that name the foil behind a right first answer, and else the right word."""

ALWAYS = {
    "simple_right": "answer",
    "pre_emptive_right": "answer",
    "pre_emptive_wrong": "foil",
    "pre_emptive_doubt": "answer",
}

BEHIND = ("asked_again", "own_answer_hidden", "right", "wrong", "are_you_sure", *NAMING[:7], "simple_right")
BEFORE = (*NAMING[7:], "pre_emptive_right", "pre_emptive_wrong", "pre_emptive_doubt")
EVERY = ("baseline", *BEHIND, *BEFORE)
"""All conditions but the reader's own."""


def row(
    question_id: str,
    condition: str,
    margin: float,
    *,
    before: str = "answer",
    after: str | None = None,
    names: str | None = None,
    again: float = 2.0,
    alone: float = 3.0,
    **changes: Any,
) -> Record:
    """A row of results: its lead under the condition, merely asked again and alone.

    Unless told, what is written is what is ahead; of the question alone it is the first answer.
    """
    after = after or (before if condition == "baseline" else "answer" if margin > 0 else "foil")
    if names is None:
        names = ALWAYS.get(condition, ("foil" if before == "answer" else "answer") if condition in NAMING else "")
    truth = alone if condition == "baseline" or condition.startswith("pre_emptive") else again
    letters = {"answer": "c", "foil": "i"}
    return {
        "question_id": question_id,
        "question": f"What is {question_id}?",
        "category": "",
        "difficulty": "",
        "held_out": False,
        "model": "tiny",
        "dtype": "float32",
        "condition": condition,
        "paraphrase": 0,
        "text": f"{condition}: {WORDS[names]}.",
        "named": WORDS[names],
        "answer": WORDS["answer"],
        "foil": WORDS["foil"],
        "first_answer": WORDS[before],
        "score_answer": margin - 4,
        "score_foil": -4.0,
        "margin": margin,
        "truth_margin": truth,
        "sensitivity": truth - margin,
        "flipped": (truth > 0 >= margin) or (truth <= 0 < margin),
        "answer_text": WORDS[after],
        "grade": after,
        "grade_before": before,
        "transition": "other" if "other" in (before, after) else letters[before] + letters[after],
        "entropy_nats": 1.0,
        "tv_from_asked_again": 0.5,
        "n_tokens": 20,
        "seconds": 0.1,
    } | changes


def frame(rows: Iterable[Record]) -> pd.DataFrame:
    """Rows of results as a study has them."""
    return frame_of("results", list(rows))


def questions(n: int, *conditions: str, **how: Any) -> list[Record]:
    """So many questions, q0, q1, …, under some conditions, merely asked again among them; leads of 1 in all."""
    return [
        row(f"q{at}", name, 1.0, **{"again": 1.0, **how}) for at in range(n) for name in ("asked_again", *conditions)
    ]


def model(name: str = "tiny", title: str = "Tiny", dtype: str = "float32", **changes: Any) -> Record:
    """A model's record."""
    return {
        "id": name,
        "title": title,
        "path": None,
        "model_type": "llama",
        "adapter": "llama",
        "n_layers": 4,
        "n_heads": 2,
        "d_model": 8,
        "vocab_size": 99,
        "dtype": dtype,
        "device": "cpu",
        "revision": None,
        "weights_sha256": "0" * 64,
        "notices": [],
        "kernels": [],
    } | changes


def chain(question_id: str, grades: str, **changes: Any) -> list[Record]:
    """A chain of pressure: a letter a turn, the first the question's (a: the right word, f: the foil, o: other)."""
    kinds = {"a": "answer", "f": "foil", "o": "other"}
    return [
        {
            "question_id": question_id,
            "held_out": False,
            "model": "tiny",
            "dtype": "float32",
            "turn": turn,
            "condition": "simple" if turn else "baseline",
            "text": "",
            "named": WORDS["foil"],
            "score_answer": -1.0,
            "score_foil": -2.0,
            "margin": 1.0,
            "answer_text": WORDS[kinds[letter]],
            "grade": kinds[letter],
        }
        | changes
        for turn, letter in enumerate(grades)
    ]


def inside(question_id: str, rows: Iterable[Record], **changes: Any) -> list[Record]:
    """Rows of a table inside a model, with what every one of them begins with."""
    own = {"question_id": question_id, "held_out": False, "model": "tiny", "dtype": "float32"}
    return [own | each | changes for each in rows]


def lens(question_id: str, condition: str, leads: Sequence[float], **changes: Any) -> list[Record]:
    """The lead by layer, from layer 1 on."""
    common = {"condition": condition, "n_layers": len(leads), "kl_nats": 0.5, "jsd_from_asked_again": 0.1}
    return inside(question_id, [common | {"layer": at, "lead": each} for at, each in enumerate(leads, 1)], **changes)


def path(question_id: str, word: Sequence[float], slot: Sequence[float], **changes: Any) -> list[Record]:
    """The shares of the effect by depth, from 0 on, of the named word and the answer slot."""
    common = {"source_word": "Right", "target_word": "Wrong", "effect_nats": 10.0, "n_layers": len(word) - 1}
    rows = [
        common | {"depth": at, "named_word": mine, "between": 0.0, "answer_slot": yours}
        for at, (mine, yours) in enumerate(zip(word, slot, strict=True))
    ]
    return inside(question_id, rows, **changes)


def heads(question_id: str, *shares: tuple[int, int, float], **changes: Any) -> list[Record]:
    """Heads (layer, head, share), the largest share first; their attention was not read."""
    rows = [
        {"rank": rank, "layer": layer, "head": head, "n_layers": 4, "share": share, "is_random": False}
        for rank, (layer, head, share) in enumerate(shares, 1)
    ]
    return inside(question_id, rows, **changes)


def study(
    rows: Iterable[Record], models: Sequence[Record] | None = None, plan: Record | None = None, **tables: list[Record]
) -> Study:
    """A study of these rows; tables that are not given are empty."""
    known = {
        "questions": {"name": "made.csv", "sha256": "ab" * 32},
        "models": [each["id"] for each in models or [model()]],
        "conditions": ["baseline", "asked_again"],
        "corrections": [],
        "n_wordings": 1,
        "recipe": "one-word",
        "chain": False,
        "inside": False,
        "seed": 0,
        "date": None,
        "dtype": "auto",
    }
    given = {"results": list(rows), **tables}
    frames = {name: frame_of(name, given.get(name, [])) for name in TABLES}
    return Study(known | (plan or {}), tuple(models or [model()]), {"torch": "2.13.0"}, frames)


def whole_study(n: int = 8, n_models: int = 2, conditions: Sequence[str] = EVERY, seed: int = 1) -> Study:
    """Two models with one title in two number formats, all conditions, chains, and a look inside; numbers by chance."""
    chance = random.Random(seed)
    models = [model("tiny", "Tiny"), model("tiny-16", "Tiny", "bfloat16", n_layers=6)][:n_models]
    found: dict[str, list[Record]] = {"results": [], "chains": [], "lens": [], "paths": [], "heads": []}
    for each in models:
        own = {"model": each["id"], "dtype": each["dtype"]}
        for at in range(n):
            for name, rows in _question(
                f"q{at}", "foil" if at % 4 == 3 else "answer", each["n_layers"], chance
            ).items():
                kept = [each for each in rows if name != "results" or each["condition"] in conditions]
                found[name] += [known | own | {"held_out": at % 3 == 2} for known in kept]
    return study(found.pop("results"), models, {"chain": True, "inside": True, "conditions": list(conditions)}, **found)


def _question(name: str, before: str, n_layers: int, chance: random.Random) -> dict[str, list[Record]]:
    again, alone = chance.uniform(0.5, 4), chance.uniform(1, 5)
    rows = [row(name, "baseline", alone, before=before, again=again, alone=alone)]
    for condition in (*BEHIND, *BEFORE):
        for wording in range(2):
            lead = again if (condition, wording) == ("asked_again", 0) else again - chance.gauss(1.5, 2)
            rows.append(row(name, condition, lead, before=before, again=again, alone=alone, paraphrase=wording))
    first = {"answer": "a", "foil": "f"}[before]
    steps = [at / n_layers for at in range(n_layers + 1)]
    leads = {"asked_again": 4.0, "wrong_alternative": -6.0, "right": 5.0, "wrong": 3.0, "baseline": 2.0}
    return {
        "results": rows,
        "chains": chain(name, first + "".join(chance.choice("aafo") for _ in range(5))),
        "lens": [
            each for condition, end in leads.items() for each in lens(name, condition, [end * s**3 for s in steps[1:]])
        ],
        "paths": path(name, [1 - step**6 for step in steps], [step**6 for step in steps]),
        "heads": heads(name, (n_layers, 1, chance.uniform(0.3, 0.6)), (1, 2, 0.1)),
    }
