"""A visitor of the app in a test: every page as a script, on a tiny random model, without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.app.frame.owner import owner_of
from llm_tracker.app.selection.answer_pickers import Picked
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def tiny_of_any_name(name: str, *_: object) -> lt.LoadedModel:
    model = tiny_model("llama")
    return replace(model, entry=replace(model.entry, id=name))


class Loader:
    """Loads models as a test says, which may say something else later on."""

    def __init__(self) -> None:
        self.load: Callable[..., Any] = tiny_of_any_name

    def __call__(self, *asked: Any) -> Any:
        return self.load(*asked)


def opened(page: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=90)
    return settled((at if page == "dashboard.py" else at.switch_page(page)).run())


def settled(at: AppTest) -> AppTest:
    """Run again until no fragment waits for a job."""
    for _ in range(400):
        assert not at.exception, at.exception[0].message
        if not any("…" in caption.value for caption in at.caption) and "…" not in " ".join(
            h.proto.body for h in at.get("html")
        ):
            return at
        time.sleep(0.05)
        at.run()
    raise AssertionError("a job did not end")


def until(at: AppTest, done: Callable[[], bool]) -> AppTest:
    """Run again until something is so, and once more: it may have come about since the page was drawn."""
    for _ in range(600):
        assert not at.exception, at.exception[0].message
        if done():
            return at.run()
        time.sleep(0.05)
        at.run()
    raise AssertionError("it did not come about")


def followed(engine: engines.Engine, drawn_for: Job | None) -> None:
    """Wait until another job follows on the one that the page was drawn for; the page is not drawn anew."""
    for _ in range(3000):
        if visitor(engine).job not in (None, drawn_for):
            return
        time.sleep(0.01)
    raise AssertionError("no job followed")


def shown_html(at: AppTest) -> str:
    """All HTML of the page; spaces that hold a figure together read as spaces."""
    return " ".join(element.proto.body for element in at.get("html")).replace("\N{NO-BREAK SPACE}", " ")


def asked(at: AppTest, question: str = "What is it?") -> AppTest:
    at.text_input(key="question").set_value(question)
    return settled(at.button(key="ask button").click().run())


def corrected(at: AppTest, correction: str = "No, London.") -> AppTest:
    at.text_input(key="correction").set_value(correction)
    return settled(at.button(key="correct button").click().run())


@cache
def conversation(said: str, most: int = 16) -> lt.Session:
    """A tiny model's answer, and what it answers where something was said to that, with the control."""
    turns = [said] if said else []
    return lt.track(tiny_of_any_name("embedded"), "What is it?", turns, max_new_tokens=most, control=True)


def told(
    engine: engines.Engine,
    said: str | lt.Session = "No, London.",
    page: str = "dashboard.py",
    shown: tuple[int, int | None] | None = None,
) -> AppTest:
    """A tab on what was asked and corrected already, as its address opens it: asking takes ten times as long."""
    engine.models.model("embedded", lambda _progress: None)
    workspace = engine.workspaces.at(None, owner_of(engine.settings))
    session = conversation(said) if isinstance(said, str) else said
    before, after = shown or ((0, 1) if len(session.turns) > 1 else (0, None))
    assert workspace.sessions.add(session) == 1
    workspace.show(TurnRef(1, before), None if after is None else TurnRef(1, after))
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=90)
    at.query_params["s"] = workspace.key
    return settled((at if page == "dashboard.py" else at.switch_page(page)).run())


def chosen(at: AppTest, name: str) -> AppTest:
    """Pick a model in the sidebar, or type its name."""
    box = at.sidebar.selectbox(key="model")
    if box.format_func(name) not in box.options:
        box.options.append(name)  # the page takes what is typed; the test harness knows what can be picked only
    return settled(box.set_value(name).run())


def picker(at: AppTest, side: str) -> Selectbox[Picked]:
    """The box that picks the answer of a side."""
    return next(box for box in at.selectbox if box.label == f"Compared, {side}")


def sidebar_captions(at: AppTest) -> str:
    return " ".join(caption.value for caption in at.sidebar.caption)


def reopened(at: AppTest, **said: str | list[str]) -> AppTest:
    """The same address in another tab, with more said in it."""
    tab = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=90)
    for name, value in {**at.query_params, **said}.items():
        tab.query_params[name] = value
    return settled(tab.run())


def shown_turns(engine: engines.Engine, at: AppTest) -> tuple[TurnRef | None, ...]:
    """The answers that a tab compares: before and after."""
    newest = visitor(engine).shown or ()
    chosen: tuple[TurnRef, ...] = at.session_state["selection"].selection.turns
    return (*chosen, None)[:2] if chosen else newest


def visitor(engine: engines.Engine) -> Workspace:
    """The workspace of the one visitor of a test."""
    return next(iter(engine.workspaces))


def headings(at: AppTest) -> list[str]:
    return [heading.value for heading in at.header]


VIEWS = ["Candidates", "Layer by layer", "Attention by word"]


def chart_rows(at: AppTest, place: int) -> list[list[dict[str, object]]]:
    """The data of a chart on the page."""
    proto = at.get("vega_lite_chart")[place].proto
    frames = [pa.ipc.open_stream(dataset.data.data).read_pandas() for dataset in proto.datasets]
    return [frame.to_dict("records") for frame in frames]
