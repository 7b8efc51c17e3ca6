"""A tab has one run at a time: what is pressed while a page is drawn waits until that run stops, which is soon."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from installations import ROOT
from serving import served_script
from websocket_visitor import WebsocketVisitor, run_visits

SLOW_PAGE = """
import time
from pathlib import Path
import streamlit as st

def note(what):
    with Path("runs").open("a") as runs:
        print(what, file=runs)

note("begins")
try:
    time.sleep(0.5)
    st.text("drawn")
finally:
    note("ends")
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A page that takes half a second, with the app's own settings of Streamlit."""
    shutil.copytree(ROOT / ".streamlit", tmp_path / ".streamlit")
    (tmp_path / "slow_page.py").write_text(SLOW_PAGE, encoding="utf-8")
    with served_script("slow_page.py", dict(os.environ), tmp_path) as url:
        yield url


async def impatient(url: str) -> None:
    """A visitor who presses something while the page is being drawn."""
    async with WebsocketVisitor(url) as visitor:
        for _ in range(3):
            await visitor.run()
            await asyncio.sleep(0.1)
        await visitor.until(lambda: visitor.n_drawn > 1)


def test_what_is_pressed_while_a_page_is_drawn_begins_no_second_run_beside_it(address: str, tmp_path: Path) -> None:
    run_visits(impatient(address))
    runs = (tmp_path / "runs").read_text(encoding="utf-8").split()
    assert len(runs) >= 6, "drawn when it was opened, once more for what was pressed first, and for what came meanwhile"
    assert runs == ["begins", "ends"] * (len(runs) // 2)
