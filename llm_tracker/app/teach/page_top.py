"""A lesson, or a slide, is opened at its top, wherever the page before it had been scrolled to."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

SCRIPT = Path(__file__).with_suffix(".js")


@cache
def _component() -> Any:
    return st.components.v2.component("llm_tracker_page_top", js=SCRIPT.read_text(encoding="utf-8"))


def begin_at_the_top(shown: str) -> None:
    """Scroll to the top where something else is shown than before."""
    _component()(key="page top", data=shown)
