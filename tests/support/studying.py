"""What a visitor does on the Study page, on tiny models, in a test without a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

from streamlit.testing.v1 import AppTest
from visitor import opened, settled, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.studying.running import kept_study
from llm_tracker.app.work.studying.so_far import StudySoFar
from llm_tracker.errors import Cancelled
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.rows import Found

STUDY = "pages/6_Study.py"
THREE = "What is it?, Paris, London\nWho is it?, Bonn, Rome\nWhere is it?, Oslo, Bern"


def on_study(_engine: engines.Engine) -> AppTest:
    """The Study page of a visitor who has just come."""
    return opened(STUDY)


def typed(at: AppTest, text: str) -> AppTest:
    return settled(at.text_area(key="study questions").set_value(text).run())


def chosen_source(at: AppTest, source: str) -> AppTest:
    return settled(at.segmented_control(key="study source").set_value(source).run())


def pressed(at: AppTest, key: str) -> AppTest:
    """Press a button as soon as it can be: it waits while anything else is computed."""
    return until(at, lambda: not at.button(key=key).disabled).button(key=key).click().run()


def all_run(engine: engines.Engine, at: AppTest) -> AppTest:
    """Wait until no model is at work, and the page is drawn."""
    return until(at, lambda: visitor(engine).job is None)


def run_study(engine: engines.Engine, at: AppTest, text: str = THREE) -> AppTest:
    """Type questions, press the button and wait until all is there."""
    return all_run(engine, pressed(typed(at, text), "run study"))


def kept(engine: engines.Engine) -> StudySoFar:
    found = kept_study(visitor(engine))
    assert found is not None
    return found


def said_in_red(at: AppTest) -> str:
    """The red sentences of the page."""
    found = " ".join(each.proto.body for each in at.get("html") if 'class="lt-error"' in each.proto.body)
    return found.replace("<bdi>", "").replace("</bdi>", "")


class Reader:
    """In place of reading a block: notes which questions are asked, and stands still before one of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waits_before = ""
        self.go_on = threading.Event()

    def __call__(
        self, model: lt.LoadedModel, plan: Plan, questions: Sequence[Question], stop: Callable[[], bool]
    ) -> Found:
        asked = [f"{model.id}: {each.question}" for each in questions]
        while self.waits_before in asked and not self.go_on.wait(0.01):
            if stop():
                raise Cancelled("Stopped.")
        self.asked += asked
        return read_block(model, plan, questions, stop)


def table_rows(at: AppTest, caption: str) -> list[list[str]]:
    """The cells of a table on the page, with its head."""
    (body,) = [each.proto.body for each in at.get("html") if f"<caption>{caption}" in each.proto.body]
    table: Any = ElementTree.fromstring(body)
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
