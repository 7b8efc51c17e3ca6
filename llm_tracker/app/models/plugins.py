"""What plug-ins brought, and those that failed, with the place to look at."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from llm_tracker.app.parts.cards import failed_plugin


def adapters_panel(record: dict[str, Any]) -> None:
    """Which adapter reads which family."""
    st.subheader("Adapters", anchor=False)
    st.caption("An adapter names the parts of one family of models. A file dropped into adapters/ adds another.")
    rows = [{"adapter": each["name"], "model types": ", ".join(each["model_types"])} for each in record["adapters"]]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content")


def plugins_panel(record: dict[str, Any]) -> None:
    """Which plug-ins brought all this, and which failed."""
    st.subheader("Plug-ins", anchor=False)
    st.dataframe(pd.DataFrame(record["plugins"]), hide_index=True, height="content")
    for failure in record["failures"]:
        failed_plugin(**failure)
