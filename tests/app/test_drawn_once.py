"""A chart is built when something about it changes: a rerun of a page that changes nothing builds none."""

from __future__ import annotations

from typing import Any

import altair as alt
import pytest
from explore import ATTENTION, LAYERS, TOKENS, gone_to
from visitor import settled, told

from llm_tracker.app.work import engine as engines


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The charts that were built since."""
    charts: list[Any] = []
    to_dict = alt.LayerChart.to_dict

    def counted(chart: Any, *args: Any, **kwargs: Any) -> Any:
        charts.append(chart)
        return to_dict(chart, *args, **kwargs)

    monkeypatch.setattr(alt.LayerChart, "to_dict", counted)
    return charts


@pytest.mark.parametrize("page", ["dashboard.py", TOKENS, LAYERS, ATTENTION])
def test_a_rerun_that_changes_nothing_builds_no_chart(engine: engines.Engine, built: list[Any], page: str) -> None:
    at = told(engine)
    at = settled(at.run()) if page == "dashboard.py" else gone_to(at, page)
    assert built
    built.clear()
    at = at.run()
    assert len(at.get("vega_lite_chart")) > 0
    assert built == []
    back = at.switch_page(LAYERS if page == "dashboard.py" else "dashboard.py").run()
    back.switch_page(page).run()
    built.clear()
    back.run()
    assert built == [], "what was drawn stays drawn when the visitor comes back"
