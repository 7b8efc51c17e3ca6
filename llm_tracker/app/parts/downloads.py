"""Downloads of what a view shows, with the full numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from llm_tracker.languages.texts import say


def csv_button(view: str, frames: Callable[[], Mapping[str, pd.DataFrame]]) -> None:
    """A button that hands out a view's frames, made when it is pressed, as one CSV file with a column `turn`."""
    st.download_button(
        say("Download as CSV"),
        lambda: _csv(frames()),
        file_name=f"{view}.csv",
        mime="text/csv",
        key=f"download {view}",
        on_click="ignore",
    )


def _csv(frames: Mapping[str, pd.DataFrame]) -> str:
    return pd.concat([frame.assign(turn=name) for name, frame in frames.items()]).to_csv(index=False)
