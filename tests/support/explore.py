"""What a visitor does on the pages that explore, in a test without a browser."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest
from visitor import settled, until, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.subject import Subject

TOKENS, LAYERS, ATTENTION = "pages/1_Tokens.py", "pages/2_Layers.py", "pages/3_Attention.py"


def gone_to(at: AppTest, page: str) -> AppTest:
    return settled(at.switch_page(page).run())


def computed(engine: engines.Engine, at: AppTest, subject: Subject) -> AppTest:
    """Press the button that computes something, and wait until it is there and drawn."""
    at = at.button(key=f"begin {subject}").click().run()
    at = until(at, lambda: subject in visitor(engine).computed and visitor(engine).job is None)
    return settled(at)


def specs(at: AppTest) -> list[Any]:
    """The charts of the page, in order."""
    return list(at.get("vega_lite_chart"))


def alts(at: AppTest) -> list[str]:
    """What is said of each chart to those who cannot see it."""
    return [chart.proto.alt for chart in specs(at)]


def players(at: AppTest) -> list[Any]:
    """The data of the token players on the page."""
    return [each.proto for each in at.get("bidi_component")]
