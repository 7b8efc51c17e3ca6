"""The parity badge: how exactly a model's numbers are read."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.frame.model_facts import gigabytes
from llm_tracker.app.parts import html
from llm_tracker.models.loading.loaded_model import LoadedModel
from llm_tracker.wording.models import read_exactly

KERNEL_NAMES = {
    "plain": "torch's own",
    "onednn": "oneDNN",
    "upcast": "in float32, a slice of a weight at a time",
    "upcast_plain": "in float32, a slice of a weight at a time",
}


def parity_badge(model: LoadedModel) -> None:
    """The parity badge: this model's numbers are read exactly, with the largest gap that was measured."""
    checks, architecture = model.proof.checks, model.architecture
    parts = [read_exactly(len(checks), max(check.gap for check in checks), model.dtype)]
    parts.append(f"{architecture.n_layers} layers")
    if architecture.n_heads:
        parts.append(f"{architecture.n_heads} heads")
    st.caption(" · ".join([*parts, f"{gigabytes(model.weights_bytes)} of {model.dtype} on {model.device}"]))
    from llm_tracker.tracing.provenance import model_notices

    for notice in model_notices(model):
        html.paragraph(notice, quiet=True)
    with st.expander("How exactly?"):
        _proof_table(model)
        _engine_room(model)


def _proof_table(model: LoadedModel) -> None:
    st.caption("Compared with the model itself when it was loaded: the largest gap found, and the bound.")
    rows = [[each.name, f"{each.gap:.0e}", f"{each.bound:.0e}"] for each in model.proof.checks]
    st.html(html.table_html("Gaps and bounds", ["check", "gap", "bound"], rows, ("gap", "bound")))


def _engine_room(model: LoadedModel) -> None:
    """What makes answers fast: the chosen kernels, and the memory of what was read already."""
    kept, most = gigabytes(model.kv_caches.n_bytes), gigabytes(model.kv_caches.budget_bytes)
    st.caption(f"Texts that begin alike are not read twice: {kept} are kept for that, {most} at most.")
    if model.way.kernels is not None:
        routines = ", or ".join(dict.fromkeys(KERNEL_NAMES[name] for name in model.way.kernel_names))
        st.caption(f"Weights are multiplied by the fastest routine that was timed when it was loaded: {routines}.")
