"""The Models page's panels: the catalogue, the proof of the model in use, adapters and plug-ins."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from llm_tracker.app.cards import model_line
from llm_tracker.app.engine import Engine
from llm_tracker.app.workspace import Workspace
from llm_tracker.models.finding import find_entry
from llm_tracker.models.listing import models_record


def models_page(engine: Engine, workspace: Workspace) -> None:
    """All of the Models page."""
    record = models_record()
    _models_panel(record, engine, workspace)
    _adapters_panel(record)
    _plugins_panel(record)


def _models_panel(record: dict[str, Any], engine: Engine, workspace: Workspace) -> None:
    """The catalogue, and the proof of the model in use."""
    st.title("Models", anchor=False)
    st.caption("Choose one in the sidebar. Nothing is downloaded before you press the button that says how much.")
    for entry in record["models"]:
        where = "on this machine" if entry["local"] else "to download"
        model_line(entry["title"], f"{entry['id']}, {where}", entry["note"])
    model = engine.loaded(workspace.model_id)
    st.subheader("Is it read exactly?", anchor=False)
    if model is None:
        st.caption(f"{find_entry(workspace.model_id).title} is not in memory; its proof will stand here once it is.")
        return
    st.caption(
        f"{model.entry.title}, {model.dtype} on {model.device}, read by {model.adapter.name} on "
        f"{model.proof.attention} attention. Each line compares what the app reads with what the model itself does."
    )
    checks = [
        {
            "check": each.name,
            "largest gap": f"{each.gap:.1e}",
            "bound": f"{each.bound:.0e}",
            "what was compared": each.note,
        }
        for each in model.proof.checks
    ]
    st.dataframe(pd.DataFrame(checks), hide_index=True, height="content")


def _adapters_panel(record: dict[str, Any]) -> None:
    """Which adapter reads which family."""
    st.subheader("Adapters", anchor=False)
    st.caption("An adapter names the parts of one family of models. A file dropped into adapters/ adds another.")
    rows = [{"adapter": each["name"], "model types": ", ".join(each["model_types"])} for each in record["adapters"]]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content")


def _plugins_panel(record: dict[str, Any]) -> None:
    """Which plug-ins brought all this, and which failed."""
    st.subheader("Plug-ins", anchor=False)
    st.dataframe(pd.DataFrame(record["plugins"]), hide_index=True, height="content")
    for failure in record["failures"]:
        st.error(f"The plug-in {failure['name']} could not be used:")
        st.code(failure["reason"], language=None, wrap_lines=True)
