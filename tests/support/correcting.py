"""What a visitor does on the Correction page, and an experiment that waits there, in a test without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from explore import gone_to
from small_experiments import model_of
from streamlit.testing.v1 import AppTest
from visitor import conversation, settled, told, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.errors import Cancelled
from llm_tracker.experiments.run import Progress, stream_experiment
from llm_tracker.experiments.values.records import with_experiment

CORRECTION = "pages/4_Correction.py"


def on_correction(at: AppTest) -> AppTest:
    return gone_to(at, CORRECTION)


def of_correction(engine: engines.Engine, said: str = "No, London.") -> AppTest:
    """The Correction page of a visitor whose answer was corrected; it is their first conversation."""
    return told(engine, conversation(said, most=2), CORRECTION)


def pressed(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label.startswith(label)).click().run()


def begun(at: AppTest, answer: str, foil: str) -> AppTest:
    """Give the two words and press the button."""
    fields = {each.label: each for each in at.text_input}
    fields["Right word"].set_value(answer)
    fields["Other word"].set_value(foil)
    return pressed(at, "Find out")


def found_out(engine: engines.Engine, at: AppTest, answer: str = "Paris", foil: str = "London") -> AppTest:
    """The same, and wait until all is there."""
    return all_there(engine, begun(at, answer, foil))


def all_there(engine: engines.Engine, at: AppTest) -> AppTest:
    """Wait until nothing is computed any more, and the page is drawn."""
    return settled(until(at, lambda: visitor(engine).job is None))


def case_of(session: lt.Session, answer: str = "Bonn", foil: str = "Rome") -> lt.Case:
    """The case of a session's first correction, as the form makes it; the two words have as many tokens."""
    return lt.Case(session.turns[0].said, answer, foil, session.turns[1].said, session.turns[0].answer)


def keep(engine: engines.Engine, found: lt.Experiment) -> None:
    """Keep an experiment with the visitor's first conversation."""
    workspace = visitor(engine)
    workspace.keep_fuller(1, with_experiment(workspace.sessions[1], found))


def parts_of(engine: engines.Engine, only: Collection[str]) -> lt.Experiment:
    """Some parts of an experiment on the visitor's first conversation."""
    session, model = visitor(engine).sessions[1], engine.models.loaded("embedded")
    assert model is not None
    steps = stream_experiment(model, session, 1, case_of(session), only)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value


def kept(engine: engines.Engine) -> lt.Experiment:
    """What is kept of the visitor's first conversation."""
    return lt.experiment_of(visitor(engine).sessions[1].experiments[1])


def waits_behind(*parts: dict[str, Any]) -> Callable[..., Iterator[Progress]]:
    """In place of an experiment's run: these parts come, one after the other, and then nothing until it is stopped."""

    def stream(
        model: lt.LoadedModel,
        session: lt.Session,
        turn: int,
        case: lt.Case,
        only: Collection[str],
        *,
        stop: Callable[[], bool],
        begun: lt.Experiment | None,
        window: object,
    ) -> Iterator[Progress]:
        found = begun or lt.Experiment(model_of(), session.recipe, case, turn)
        yield Progress(found, "hand_over", 0.0, True)
        for part in parts:
            found = replace(found, **part)
            yield Progress(found, "hand_over", 0.5, True)
        while not stop():
            time.sleep(0.01)
        raise Cancelled("Stopped.")

    return stream
