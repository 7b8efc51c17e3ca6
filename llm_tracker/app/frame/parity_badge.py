"""The parity badge: how exactly a model's numbers are read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import streamlit as st

from llm_tracker.app.frame.model_facts import gigabytes
from llm_tracker.app.parts import html
from llm_tracker.languages.texts import later, say
from llm_tracker.models.loading.loaded_model import LoadedModel
from llm_tracker.wording.formats import tiny
from llm_tracker.wording.models import read_exactly

KERNEL_NAMES = {
    "plain": later("torch's own"),
    "onednn": "oneDNN",
    "upcast": later("in float32, a slice of a weight at a time"),
    "upcast_plain": later("in float32, a slice of a weight at a time"),
}


def parity_badge(model: LoadedModel) -> None:
    """The parity badge: this model's numbers are read exactly, with the largest gap that was measured."""
    checks, architecture = model.proof.checks, model.architecture
    parts = [read_exactly(len(checks), max(check.gap for check in checks), model.dtype)]
    parts.append(say("{n} layers", n=architecture.n_layers))
    if architecture.n_heads:
        parts.append(say("{n} heads", n=architecture.n_heads))
    st.caption(" · ".join([*parts, weights_in_memory(model)]))
    from llm_tracker.tracing.provenance import model_notices

    for notice in model_notices(model):
        html.paragraph(notice, quiet=True)
    with st.expander(say("How exactly?")):
        _proof_table(model)
        _engine_room(model)


def weights_in_memory(model: LoadedModel) -> str:
    """How much a model's weights take, in which number format, and where."""
    size = gigabytes(model.weights_bytes)
    return say("{size} of {dtype} on {device}", size=size, dtype=model.dtype, device=model.device)


def _proof_table(model: LoadedModel) -> None:
    st.caption(say("Compared with the model itself when it was loaded: the largest gap found, and the bound."))
    rows = [[say(each.name), tiny(each.gap), tiny(each.bound)] for each in model.proof.checks]
    figures = (say("gap"), say("bound"))
    st.html(html.table_html(say("Gaps and bounds"), [say("check"), *figures], rows, figures))


def _engine_room(model: LoadedModel) -> None:
    """What makes answers fast: the chosen kernels, and the memory of what was read already."""
    kept, most = gigabytes(model.kv_caches.n_bytes), gigabytes(model.kv_caches.budget_bytes)
    st.caption(
        say(
            "Texts that begin alike are not read twice: {kept} are kept for that, {most} at most.", kept=kept, most=most
        )
    )
    if model.way.kernels is not None:
        st.caption(
            say(
                "Weights are multiplied by the fastest routine that was timed when it was loaded: {routines}.",
                routines=routines(model.way.kernel_names),
            )
        )


def routines(kernel_names: Sequence[str]) -> str:
    """What multiplies the weights: one routine, or one or another."""
    names = dict.fromkeys(say(KERNEL_NAMES[name]) for name in kernel_names)
    return reduce(lambda one, other: say("{one}, or {other}", one=one, other=other), names)
