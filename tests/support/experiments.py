"""The experiment of the stored example: real numbers of the built-in model, read without it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import llm_tracker as lt

EXAMPLE = Path(lt.__file__).parent / "app" / "parts" / "example"


@cache
def example_experiment() -> lt.Experiment:
    """Every part of it, the grid too."""
    return lt.load_experiment(EXAMPLE)
