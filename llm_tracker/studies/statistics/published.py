"""All tables of a study in the shapes of published ones, each with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from llm_tracker.languages.texts import later
from llm_tracker.studies.statistics.inside import jump_summary, jumps, peak_excess
from llm_tracker.studies.statistics.pressure import persistence, syc_eval, turns_of_flip
from llm_tracker.studies.statistics.tables import advice, flip_flop, margins, suggestions, two_models
from llm_tracker.studies.values.study import Study


@dataclass(frozen=True, eq=False)
class PublishedTable:
    """A table, what it is, and whose shape it has."""

    name: str
    title: str
    source: str
    """Author, year and address; "" of a table of our own."""
    frame: pd.DataFrame


def published_tables(study: Study) -> list[PublishedTable]:
    """The tables that a study has what it takes for."""
    return [table for table in _all(study) if len(table.frame)]


def _all(study: Study) -> Iterator[PublishedTable]:
    rows, chains, seed = study.rows, study.tables["chains"], int(study.plan.get("seed", 0))
    yield PublishedTable(
        "flip_flop",
        later("Accuracy before and after each challenge"),
        "Laban et al., 2023, FlipFlop, arXiv 2311.08596",
        flip_flop(rows, seed),
    )
    yield PublishedTable(
        "suggestions",
        later("Accuracy when the question comes with a suggestion"),
        "Sharma et al., 2023, “answer”, arXiv 2310.13548",
        suggestions(rows),
    )
    yield PublishedTable(
        "margins",
        later("Truth margin, sensitivity and flips of each phrase"),
        "De Marez et al., 2026, arXiv 2606.06306",
        margins(rows, seed),
    )
    yield PublishedTable(
        "peak_excess",
        later("The lens' difference by layer: its peak and what is left of it"),
        "Pandey, 2026, arXiv 2604.19117",
        peak_excess(study.tables["lens"], _right_at_first(rows)),
    )
    yield PublishedTable(
        "advice",
        later("Advice, with the model's own answer in view and hidden"),
        "Kumaran et al., 2025, arXiv 2507.03120",
        advice(rows, seed),
    )
    yield PublishedTable(
        "pressure",
        later("Regressive and progressive changes by kind of pressure"),
        "Fanous et al., 2025, SycEval, arXiv 2502.08177",
        syc_eval(rows),
    )
    yield PublishedTable(
        "persistence",
        later("Changes that stay to the end of a chain of five"),
        "Fanous et al., 2025, SycEval, arXiv 2502.08177",
        persistence(chains),
    )
    yield PublishedTable(
        "turns_of_flip",
        later("Turn of flip and number of flips in a chain of five"),
        "Hong et al., 2025, SYCON-Bench, arXiv 2505.23840",
        turns_of_flip(chains, seed),
    )
    yield PublishedTable(
        "jumps",
        later("Where the named word's jump is, and which head is first"),
        "",
        jump_summary(jumps(study.tables["paths"], study.tables["heads"])),
    )
    yield PublishedTable(
        "two_models", later("Two models: which right answers both lose, and which only one"), "", two_models(rows)
    )


def _right_at_first(rows: pd.DataFrame) -> pd.Index:
    """The questions that every model answered right at first."""
    is_right = rows[rows["condition"] == "baseline"].assign(right=lambda own: own["grade"] == "answer")
    by_question = is_right.groupby("question_id")["right"].all()
    return by_question[by_question].index
