"""The frame of every page: its title, the sidebar with the model, and the visitor's workspace."""

from __future__ import annotations

import streamlit as st

from llm_tracker.analysis.wording import tiny
from llm_tracker.app import html
from llm_tracker.app.engine import Engine, choose_model, should_load, the_engine
from llm_tracker.app.jobs import Job
from llm_tracker.app.workspace import Workspace
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA, ModelEntry
from llm_tracker.models.finding import find_entry
from llm_tracker.models.listing import is_local
from llm_tracker.models.loading import LoadedModel
from llm_tracker.models.plugins import installed_plugins

PRODUCT = "LLM Inference Tracker"
PAGES = {"dashboard.py": "Ask", "pages/1_Models.py": "Models", "pages/2_Guide.py": "Guide"}
RECIPE_LABELS = {
    "one-word": "One-word answers",
    "chat": "Plain chat",
    "raw": "Raw text",
}
RECIPE_CAPTIONS = [
    "five worked examples in front, each with a correction",
    "the model's own chat template, nothing in front",
    "the text as typed, without a template",
]


KERNEL_NAMES = {
    "plain": "torch's own",
    "onednn": "oneDNN",
    "upcast": "in float32, a slice of a weight at a time",
}


def open_page(title: str) -> tuple[Engine, Workspace]:
    """Begin a page: configure it, find the visitor's workspace by the address, and draw the sidebar."""
    st.set_page_config(page_title=f"{title} · {PRODUCT}", layout="wide", initial_sidebar_state="auto")
    html.style()
    engine = the_engine()
    workspace = engine.workspaces.at(st.query_params.get("s") or st.session_state.get("workspace"))
    st.session_state["workspace"] = st.query_params["s"] = workspace.key
    choose_model(engine, workspace)
    with st.sidebar:
        _links(workspace)
        if engine.settings_error:
            html.failure(engine.settings_error)
        _model_choice(engine, workspace)
        _recipe_choice(workspace)
        _control_choice(workspace)
        _length_choice(workspace)
        _failed_plugins()
    return engine, workspace


def _links(workspace: Workspace) -> None:
    for path, label in PAGES.items():
        st.page_link(path, label=label, query_params={"s": workspace.key})


def _model_choice(engine: Engine, workspace: Workspace) -> None:
    """The model's name, how far its load has come, the offer to download one, and the proof that it is read exactly."""
    entries = installed_plugins().models
    others = (engine.settings.model, workspace.model_id, workspace.wanted_id)
    ids = list(dict.fromkeys([*entries, *filter(None, others)]))

    def choose() -> None:
        workspace.wanted_id = st.session_state["model"]

    st.session_state["model"] = workspace.wanted_id
    st.selectbox(
        "Model",
        ids,
        format_func=lambda model_id: find_entry(model_id).title,
        key="model",
        on_change=choose,
    )
    wanted = find_entry(workspace.wanted_id)
    loading = engine.load_job(wanted.id)
    if should_load(engine, workspace):
        _begin_load(engine, wanted)
    elif loading is not None and loading.active:
        _watch_load(engine, wanted, loading)
    elif engine.loaded(wanted.id) is not None:
        _badge(engine, wanted)
    elif loading is not None and loading.error:
        _failed_load(engine, wanted, loading)
    elif not is_local(wanted):
        _offer_download(engine, wanted, workspace)
    if wanted.id == EMBEDDED.id and not is_local(TINYLLAMA):
        st.caption("The usual model, TinyLlama, is not on this machine; this smaller one is built in.")
        _offer_download(engine, TINYLLAMA, workspace)


@st.fragment(run_every=0.3)
def _begin_load(engine: Engine, entry: ModelEntry) -> None:
    """Load the chosen model, once the page has been painted: that comes first, and needs no model."""
    if st.session_state.get("painted"):
        engine.load(entry.id)
        st.rerun()
    st.session_state["painted"] = True
    st.caption("The model comes next …")


@st.fragment(run_every=0.4)
def _watch_load(engine: Engine, entry: ModelEntry, job: Job) -> None:
    """Show a load's stage until it ends; then draw the page anew."""
    if not job.active:
        st.rerun()
    progress = job.progress
    if progress is not None and progress.total_bytes:
        done, total = progress.done_bytes, progress.total_bytes
        st.progress(min(1.0, done / total), text=f"Downloading: {_gigabytes(done)} of {_gigabytes(total)}")
        label = "Cancelling …" if job.stopping() else "Cancel"
        st.button(label, key=f"cancel {entry.id}", on_click=job.stop, disabled=job.stopping(), width="stretch")
    else:
        stage = progress.stage if progress is not None else "Waiting"
        st.caption(f"{stage} …")


def _badge(engine: Engine, entry: ModelEntry) -> None:
    """The parity badge: this model's numbers are read exactly, with the gaps that were measured."""
    model = engine.loaded(entry.id)
    if model is None:
        return
    proof = model.proof
    gap = tiny(max(proof.tail_gap, proof.pattern_gap))
    st.caption(
        f"✓ read exactly (gap {gap}) · {proof.n_layers} layers · {max(proof.heads)} heads · "
        f"{_gigabytes(model.weights_bytes)} of {model.dtype} on {model.device}"
    )
    for notice in model.notices:
        st.caption(notice)
    with st.expander("How exactly?"):
        _proof_table(model)
        _engine_room(model)


def _proof_table(model: LoadedModel) -> None:
    st.caption("Compared with the model itself when it was loaded: the largest gap found, and the bound.")
    rows = [[each.name, f"{each.gap:.0e}", f"{each.bound:.0e}"] for each in model.proof.checks]
    st.html(html.table_html("Gaps and bounds", ["check", "gap", "bound"], rows, ("gap", "bound")))


def _engine_room(model: LoadedModel) -> None:
    """What makes answers fast: the chosen kernels, and the memory of what was read already."""
    kept, most = _gigabytes(model.kv_caches.n_bytes), _gigabytes(model.kv_caches.budget_bytes)
    st.caption(f"Texts that begin alike are not read twice: {kept} are kept for that, {most} at most.")
    if model.kernels is not None:
        routines = ", or ".join(KERNEL_NAMES[name] for name in dict.fromkeys(model.kernels.names))
        st.caption(f"Weights are multiplied by the fastest routine that was timed when it was loaded: {routines}.")


def _failed_load(engine: Engine, entry: ModelEntry, job: Job) -> None:
    if job.status == "stopped":
        st.caption("The download was cancelled. What had arrived of finished files is kept.")
    else:
        html.failure(job.error)
    if st.button("Try again", key=f"retry {entry.id}", width="stretch"):
        engine.load(entry.id)
        st.rerun()


def _offer_download(engine: Engine, entry: ModelEntry, workspace: Workspace) -> None:
    """A button that says what it will fetch; the model in use stays until the new one is ready."""

    def begin() -> None:
        workspace.wanted_id = st.session_state["model"] = entry.id
        engine.load(entry.id)

    size = f", {_gigabytes(entry.download_bytes)}" if entry.download_bytes else ""
    name = "TinyLlama" if entry.id == TINYLLAMA.id else entry.title
    st.button(f"Download {name}{size}", key=f"download {entry.id}", on_click=begin, width="stretch")


def _recipe_choice(workspace: Workspace) -> None:
    def choose() -> None:
        workspace.recipe = st.session_state["recipe"]

    names = list(RECIPE_LABELS)
    st.radio(
        "In front of your next question",
        names,
        index=names.index(workspace.recipe),
        format_func=lambda name: RECIPE_LABELS[name],
        captions=RECIPE_CAPTIONS,
        key="recipe",
        on_change=choose,
    )


def _control_choice(workspace: Workspace) -> None:
    def choose() -> None:
        workspace.control = bool(st.session_state["control"])

    st.toggle(
        "Also ask again without a correction",
        workspace.control,
        key="control",
        on_change=choose,
        help="The neutral control: after each correction the same conversation is run once more with “Answer the "
        "question again.” in its place. What changes there too, the correction is not needed for.",
    )


def _length_choice(workspace: Workspace) -> None:
    def choose() -> None:
        workspace.max_new_tokens = int(st.session_state["longest answer"])

    st.number_input(
        "Longest answer, in tokens",
        1,
        256,
        workspace.max_new_tokens,
        key="longest answer",
        on_change=choose,
        help="A token is a word or a part of one. An answer that is longer is cut, and says so.",
    )


def _failed_plugins() -> None:
    for failure in installed_plugins().failures:
        st.warning(f"The plug-in {failure.name} could not be used.")
        st.code(failure.reason, language=None, wrap_lines=True)


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 0.95e9 else f"{n_bytes / 1e6:.0f} MB"
