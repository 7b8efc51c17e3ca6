"""A study that was run: its plan, its models, and its tables as frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_tracker.studies.values.rows import Record, TableName

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Study:
    """What was asked, of whom, and what came of it."""

    plan: Record
    """All that the numbers depend on (`Plan.record`)."""
    models: tuple[Record, ...]
    """As a session has them, in the plan's order."""
    versions: Mapping[str, str]
    """Of Python and the packages that computed the numbers."""
    tables: Mapping[TableName, pd.DataFrame]
    """By name: results, chains, lens, paths, heads; columns as `rows.COLUMNS` has them."""

    @property
    def rows(self) -> pd.DataFrame:
        """The results: a row for each question, condition, wording and model."""
        return self.tables["results"]
