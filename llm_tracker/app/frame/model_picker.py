"""The sidebar's choice of a model, picked or typed: what it costs, how far its load has come, and its proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

import streamlit as st

from llm_tracker.app.frame.model_facts import entry_sentence, gigabytes
from llm_tracker.app.frame.parity_badge import parity_badge
from llm_tracker.app.parts import html
from llm_tracker.app.parts.polling import follow_job, polled
from llm_tracker.app.work.engine import Engine, is_known, should_load
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import later, say
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA, ModelEntry
from llm_tracker.models.loading.listing import require_installed
from llm_tracker.models.plugins.manager import installed_plugins
from llm_tracker.models.sources.hub import HubModel
from llm_tracker.models.sources.hub_failures import FETCHING

HELP = later(
    "Pick one, or type another: a hub id such as owner/model (with @revision if you want one), a directory with "
    "safetensors, or the path of a .gguf file on the machine that runs this app."
)

PAINTED_SECONDS = 0.3
"""How soon the browser comes back once it has painted the page."""


def model_choice(engine: Engine, workspace: Workspace) -> None:
    """The model's name, how far its load has come, the offer to download one, and the proof that it is read exactly."""
    _name_field(engine, workspace)
    wanted = engine.models.entry(workspace.wanted_id)
    _state(engine, workspace, wanted)
    _stand_in(engine, workspace, wanted)
    if wanted.id == EMBEDDED.id and _is_missing(engine, TINYLLAMA):
        st.caption(say("The usual model, TinyLlama, is not on this machine; this smaller one is built in."))
        _download_button(engine, workspace, TINYLLAMA, TINYLLAMA.download_bytes)
    if wanted.id != EMBEDDED.id and engine.models.loaded(wanted.id) is None and _is_missing(engine, EMBEDDED):
        _how_to_install(EMBEDDED)


def _is_missing(engine: Engine, entry: ModelEntry) -> bool:
    """Whether a model may be used here, and would have to be downloaded."""
    is_offered = engine.models.offered is None or entry.id in engine.models.offered
    return is_offered and not engine.models.is_here(entry.id)


def _how_to_install(entry: ModelEntry) -> None:
    """What to install for the built-in model, which no button can bring."""
    try:
        require_installed(entry)
    except ModelError as error:
        html.paragraph(str(error), quiet=True)


def known_models(engine: Engine, workspace: Workspace) -> list[ModelEntry]:
    """The catalogue, what the app was started with, and what this visitor typed, as far as it is still there."""
    typed = [name for name in workspace.typed_ids if is_known(engine, name)]
    others = (engine.settings.model, workspace.model_id, workspace.wanted_id, *typed)
    names = engine.models.offered or (*installed_plugins().models, *filter(None, others))
    entries = [engine.models.entry(name) for name in names]
    return list({entry.id: entry for entry in entries}.values())


def choose(workspace: Workspace, entry: ModelEntry) -> None:
    """Want a model; one that is in no catalogue stays among those to choose from. A refused name is settled."""
    st.session_state.pop("model refused", None)
    workspace.choose(entry.id, is_typed=entry.id not in installed_plugins().models)


def use(engine: Engine, workspace: Workspace, entry: ModelEntry) -> None:
    """Want a model that a visitor has picked: one that is here is loaded, also where it was let go or has failed."""
    choose(workspace, entry)
    if engine.models.is_here(entry.id) and engine.models.loaded(entry.id) is None:
        engine.models.load(entry.id)


def told_apart(entries: Iterable[ModelEntry]) -> dict[str, str]:
    """A title for each id; where several models have the same one, with the id behind it.

    A model of the hub that was typed is called what was typed.
    """
    titles = {entry.id: entry.id if _is_typed_hub_id(entry) else entry.title for entry in entries}
    counts = Counter(titles.values())
    return {each: title if counts[title] == 1 else f"{title} · {each}" for each, title in titles.items()}


def _is_typed_hub_id(entry: ModelEntry) -> bool:
    return entry.source == "hub" and entry.id.partition("@")[0] == entry.location


def _name_field(engine: Engine, workspace: Workspace) -> None:
    """The field; a name that is no model is said below it, and changes nothing else."""
    titles = told_apart(known_models(engine, workspace))

    def named() -> None:
        name = str(st.session_state["model"]).strip()
        try:
            entry = engine.models.entry(_id_of(name, titles))
        except ModelError as error:
            st.session_state["model refused"] = (str(error), workspace.begun)
            return
        use(engine, workspace, entry)
        if entry.id in workspace.typed_ids and not engine.models.is_here(entry.id):
            engine.models.look_up(entry.id)

    st.session_state["model"] = workspace.wanted_id
    st.selectbox(
        say("Model"),
        sorted(
            titles, key=lambda model_id: model_id != workspace.wanted_id
        ),  # Enter in an emptied field takes the first
        format_func=lambda model_id: titles.get(model_id, model_id),
        key="model",
        on_change=named,
        accept_new_options=engine.models.offered is None,
        help=say(HELP) if engine.models.offered is None else say("The models that this host offers."),
    )
    with st.container():
        if _refusal(workspace):
            html.failure(_refusal(workspace))


def _refusal(workspace: Workspace) -> str:
    """Why the name that was typed last is no model; empty once something has been asked or corrected."""
    said, begun = st.session_state.get("model refused", ("", 0))
    return str(said) if begun == workspace.begun else ""


def _id_of(name: str, titles: dict[str, str]) -> str:
    """The id of a model that was named by its title, in any case; else the name itself."""
    if name in titles:
        return name
    by_title = {title.casefold(): model_id for model_id, title in titles.items()}
    return by_title.get(name.casefold(), name)


def _state(engine: Engine, workspace: Workspace, wanted: ModelEntry) -> None:
    """Where the chosen model stands: to be loaded, on its way, ready, failed, let go, or to be downloaded."""
    models = engine.models
    loading, model = models.load_job(wanted.id), models.loaded(wanted.id)
    if should_load(engine, workspace):
        polled(_begin_load, PAINTED_SECONDS)(engine, wanted)
    elif loading is not None and loading.active:
        watch_load(engine, loading, "sidebar")
    elif model is not None:
        workspace.model_id = wanted.id  # it may have become ready since the page began to be drawn
        parity_badge(model)
    elif loading is not None and loading.error:
        _failed_load(engine, workspace, wanted, loading)
    elif models.is_here(wanted.id):
        st.caption(say("Not in memory now. The next question loads it again."))
        st.button(say("Load"), key=f"load {wanted.id}", on_click=_load, args=(engine, wanted), width="stretch")
    elif wanted.download_bytes is not None:
        html.paragraph(entry_sentence(models, wanted, models.room()), quiet=True)
        _download_button(engine, workspace, wanted, wanted.download_bytes)
    elif wanted.source == "embedded":
        _how_to_install(wanted)
    else:
        _offer_unknown(engine, workspace, wanted)


def _load(engine: Engine, entry: ModelEntry) -> None:
    engine.models.load(entry.id)


def _look_up(engine: Engine, entry: ModelEntry) -> None:
    engine.models.look_up(entry.id)


def _stand_in(engine: Engine, workspace: Workspace, wanted: ModelEntry) -> None:
    """Which model questions go to, where that is not the chosen one."""
    answering = engine.models.entry(engine.answering_id(workspace))
    if answering.id == wanted.id:
        return
    html.paragraph(say("Until it is ready, questions go to {model}.", model=answering.title), quiet=True)
    label = say("Back to {model}", model=html.plain_label(answering.title))
    key = f"back to {answering.id}"
    st.button(label, key=key, on_click=use, args=(engine, workspace, answering), width="stretch")


def _begin_load(engine: Engine, entry: ModelEntry) -> None:
    """Load the chosen model, once the page has been painted: that comes first, and needs no model."""
    if st.session_state.get("painted"):
        engine.models.load(entry.id)
        st.rerun()
    st.session_state["painted"] = True
    st.caption(say("The model comes next …"))


def watch_load(engine: Engine, job: Job, place: str) -> None:
    """Show a load's stage until it ends, with a way to cancel it; then draw the page anew.

    Strangers who share a host wait for one load: none of them takes it from the others.
    """
    follow_job(job, partial(_load_state, job, place, not engine.settings.public))


def _load_state(job: Job, place: str, may_cancel: bool) -> None:
    progress = job.progress
    if progress is not None and progress.total_bytes:
        done, total = progress.done_bytes, progress.total_bytes
        said = say("Downloading: {done} of {total}", done=gigabytes(done), total=gigabytes(total))
        st.progress(min(1.0, done / total), text=said)
    else:
        stage = progress.stage if progress is not None else say("Waiting")
        st.caption(f"{stage} …")
    if may_cancel:
        _cancel_button(job, f"cancel {job.model_id} {place}")


def _failed_load(engine: Engine, workspace: Workspace, entry: ModelEntry, job: Job) -> None:
    if job.status != "stopped":
        _failure(workspace, job)
    elif job.progress is not None and job.progress.total_bytes:
        st.caption(f"{say('The download was cancelled.')} {say(FETCHING)}")
    else:
        st.caption(say("The loading was cancelled."))
    st.button(
        _retry_label(workspace, entry), key=f"retry {entry.id}", on_click=_load, args=(engine, entry), width="stretch"
    )


def _failure(workspace: Workspace, job: Job) -> None:
    """Why a job with the chosen model failed, unless another name has been refused since: one error at a time."""
    if not _refusal(workspace):
        html.failure(job.error)


def _retry_label(workspace: Workspace, entry: ModelEntry) -> str:
    """What is tried again is named where the error that stands above speaks of another name."""
    if _refusal(workspace):
        return say("Try {model} again", model=html.plain_label(entry.id))
    return say("Try again")


def _offer_unknown(engine: Engine, workspace: Workspace, entry: ModelEntry) -> None:
    """A typed model of the hub that is not here: what the hub says of it, and the offer to download it."""
    lookup = engine.models.lookup_job(entry.id)
    if lookup is not None and lookup.active:
        follow_job(lookup, partial(_lookup_state, lookup))
    elif lookup is not None and lookup.status == "done":
        found: HubModel = lookup.result
        said = entry_sentence(engine.models, entry, engine.models.room())
        html.paragraph(f"{_named(found)} {said}", quiet=True)
        _download_button(engine, workspace, entry, found.size_bytes)
    else:
        if lookup is not None and lookup.status == "stopped":
            st.caption(say("The question to the model hub was cancelled."))
        elif lookup is not None:
            _failure(workspace, lookup)
        label = _retry_label(workspace, entry) if lookup is not None else say("Ask the hub what it weighs")
        key = f"look up {entry.id}"
        st.button(label, key=key, on_click=_look_up, args=(engine, entry), width="stretch")


def _named(found: HubModel) -> str:
    """Which state of which repository the hub speaks of."""
    of = {"repository": found.repository, "commit": found.commit[:7]}
    if found.revision:
        return say("{repository}, revision {revision}, commit {commit}.", revision=found.revision, **of)
    return say("{repository}, commit {commit}.", **of)


def _lookup_state(job: Job) -> None:
    """That the hub's word is waited for, with a way to cancel that."""
    stage = job.progress.stage if job.progress is not None else say("Asking the model hub")
    st.caption(f"{stage} …")
    _cancel_button(job, f"cancel look-up {job.model_id}")


def _cancel_button(job: Job, key: str) -> None:
    """Stops a load or a question to the hub, of which there is one at a time for all visitors."""
    label, said = (
        say("Cancelling …") if job.stopping() else say("Cancel"),
        say("For everyone who waits for this model."),
    )
    st.button(label, key=key, on_click=job.stop, disabled=job.stopping(), help=said, width="stretch")


def _download_button(engine: Engine, workspace: Workspace, entry: ModelEntry, size_bytes: int | None) -> None:
    """A button that says what it will fetch; the model in use stays until the new one is ready."""

    def begin() -> None:
        choose(workspace, entry)
        engine.models.load(entry.id)

    name = "TinyLlama" if entry.id == TINYLLAMA.id else html.plain_label(entry.title)
    if size_bytes:
        label = say("Download {model}, {size}", model=name, size=gigabytes(size_bytes))
    else:
        label = say("Download {model}", model=name)
    st.button(label, key=f"download {entry.id}", on_click=begin, width="stretch")
