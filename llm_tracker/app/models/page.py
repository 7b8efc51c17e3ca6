"""The Models page: the catalogue, the shape and the proof of the model in use, adapters and plug-ins."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from llm_tracker.app.models.architecture import architecture_panel
from llm_tracker.app.models.catalogue import models_panel
from llm_tracker.app.parts.cards import failed_plugin
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.models.loading.listing import models_record
from llm_tracker.wording.formats import tiny


def models_page(engine: Engine, workspace: Workspace) -> None:
    """All of the Models page."""
    record = models_record()
    models_panel(engine, workspace)
    architecture_panel(engine, workspace)
    _proof_panel(engine, workspace)
    _adapters_panel(record)
    _plugins_panel(record)


def _proof_panel(engine: Engine, workspace: Workspace) -> None:
    """Every check that the model in use passed when it was loaded."""
    st.subheader(say("Is it read exactly?"), anchor=False)
    model = engine.models.loaded(workspace.model_id)
    if model is None:
        title = engine.models.entry(workspace.model_id).title
        paragraph(say("{model} is not in memory; its proof will stand here once it is.", model=title), quiet=True)
        return
    paragraph(
        say(
            "{model}, {dtype} on {device}, read by {adapter} on {kind} attention. Each line compares what the app "
            "reads with what the model itself does.",
            model=model.entry.title,
            dtype=model.dtype,
            device=model.device,
            adapter=model.adapter.name,
            kind=model.way.attention,
        ),
        quiet=True,
    )
    checks = [
        {
            say("check"): say(each.name),
            say("largest gap"): tiny(each.gap),
            say("bound"): tiny(each.bound),
            say("what was compared"): each.note,
        }
        for each in model.proof.checks
    ]
    st.dataframe(pd.DataFrame(checks), hide_index=True, height="content")


def _adapters_panel(record: dict[str, Any]) -> None:
    """Which adapter reads which family."""
    st.subheader(say("Adapters"), anchor=False)
    st.caption(say("An adapter names the parts of one family of models. A file dropped into adapters/ adds another."))
    rows = [
        {say("adapter"): each["name"], say("model types"): ", ".join(each["model_types"])}
        for each in record["adapters"]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content")


def _plugins_panel(record: dict[str, Any]) -> None:
    """Which plug-ins brought all this, and which failed."""
    st.subheader(say("Plug-ins"), anchor=False)
    labels = {"name": say("name"), "origin": say("origin"), "version": say("version")}
    st.dataframe(pd.DataFrame(record["plugins"]).rename(columns=labels), hide_index=True, height="content")
    for failure in record["failures"]:
        failed_plugin(**failure)
