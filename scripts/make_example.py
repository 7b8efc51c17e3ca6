"""Make the example session that the app shows before the first question, with the built-in model.

.venv/bin/python scripts/make_example.py
"""

from __future__ import annotations

from dataclasses import replace

import llm_tracker as lt
from llm_tracker.app.ask.suggestions import FIRST_QUESTION
from llm_tracker.app.parts.example import EXAMPLE_DIR
from llm_tracker.experiments.values.parts import PART_NAMES
from llm_tracker.progress import ended

CORRECTION = "That is wrong. The correct answer is London."


def example() -> lt.Session:
    """The example, without what is of this machine only."""
    model = lt.load_model("embedded")
    session = lt.track(model, FIRST_QUESTION, [CORRECTION], control=True)
    case = lt.Case(FIRST_QUESTION, "Paris", "London", CORRECTION, session.turns[0].answer)
    found = ended(lt.stream_experiment(model, session, 1, case, PART_NAMES))
    session = lt.with_experiment(session, replace(found, model=replace(found.model, path=None)))
    return replace(session, model=replace(session.model, path=None))


if __name__ == "__main__":
    lt.save_session(example(), EXAMPLE_DIR)
