"""The catalogue on the Models page: what each model weighs, whether it fits, what is in memory, and one button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from llm_tracker.app.frame.model_facts import entry_sentence, gigabytes, held_sentence, known_weight
from llm_tracker.app.frame.model_picker import choose, known_models, told_apart, use, watch_load
from llm_tracker.app.parts.cards import model_line
from llm_tracker.app.parts.html import failure, paragraph
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say, say_n
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.sources.model_size import Room
from llm_tracker.wording.models import HOW_TRIED, entry_facts

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def models_panel(engine: Engine, workspace: Workspace) -> None:
    """The search field, and a line for each model that it leaves."""
    st.title(say("Models"), anchor=False)
    st.caption(
        say(
            "Load or pick one here or in the sidebar, where a hub id, a directory or a .gguf file can be typed, too. "
            "Nothing is downloaded before you press the button that says how much, except the model to begin with, "
            "where no other is here."
        )
    )
    entries = known_models(engine, workspace)
    held = {model.id: model for model in engine.models.pool.held()}
    known = {entry.id for entry in entries}
    entries += [model.entry for model in held.values() if model.id not in known]
    query = st.text_input(
        say("Search the models by id, name or note"), key="model search", placeholder=say("such as llama")
    )
    found = [entry for entry in entries if matches(entry, query)]
    room = engine.models.room()
    _memory_line(engine, list(held.values()))
    paragraph(say(HOW_TRIED), quiet=True)
    titles = told_apart(entries)
    with st.container():
        if not found:
            paragraph(nothing_found(query))
        for entry in found:
            _line(engine, workspace, entry, titles[entry.id], held.get(entry.id), room)


def matches(entry: ModelEntry, query: str) -> bool:
    """Whether each word of a query stands somewhere in a model's id, title or note, in any case."""
    size = gigabytes(entry.download_bytes) if entry.download_bytes else ""
    text = f"{entry.id} {entry.title} {_note(entry)} {entry_facts(entry)} {size}".casefold()
    return all(word in text for word in query.casefold().split())


def _note(entry: ModelEntry) -> str:
    """What a model is good for, as whoever wrote its entry says."""
    return say(entry.note) if entry.note else ""


def nothing_found(query: str) -> str:
    """What to do where the catalogue has no such model."""
    return say(
        "No model here has “{query}” in its id, name or note. A model of the hub (owner/model, with @revision if you "
        "want one), a directory or a .gguf file can be typed into the field “Model” in the sidebar.",
        query=query.strip(),
    )


def _memory_line(engine: Engine, held: list[LoadedModel]) -> None:
    """What all models in memory take together, and what they may take."""
    takes = sum(model.weights_bytes + model.kv_caches.n_bytes for model in held)
    sizes = {"takes": gigabytes(takes), "budget": gigabytes(engine.models.pool.budget_bytes)}
    if held:
        said = say_n(
            "One model is in memory, {takes} of the {budget} that models may take together.",
            "{n} models are in memory, {takes} of the {budget} that models may take together.",
            len(held),
            **sizes,
        )
    else:
        said = say("No model is in memory, {takes} of the {budget} that models may take together.", **sizes)
    more = say("When there is too little room for another, the one that was used longest ago is let go.")
    paragraph(f"{said} {more}", quiet=True)


def _line(
    engine: Engine, workspace: Workspace, entry: ModelEntry, title: str, held: LoadedModel | None, room: Room | None
) -> None:
    """A model: what is known of it, and what can be done with it."""
    is_here = engine.models.is_here(entry.id)
    place = _place(workspace, entry, held is not None, is_here)
    facts = held_sentence(held) if held is not None else entry_sentence(engine.models, entry, room)
    text, buttons = st.columns([4, 1.3], vertical_alignment="center")
    with text:
        named = title.removesuffix(f" · {entry.id}")
        model_line(named, f"{entry.id}, {place}", _note(entry), entry_facts(entry), facts)
    loading = engine.models.load_job(entry.id)
    if loading is not None and loading.active:
        with buttons:
            watch_load(engine, loading, "page")
    else:
        with buttons:
            _buttons(engine, workspace, entry, held, is_here)
    if held is None and loading is not None and loading.status == "failed":
        failure(loading.error)
    if st.session_state.get("kept busy") == entry.id:
        del st.session_state["kept busy"]
        said = say(
            "{model} is at work. Stop it, or wait until it has answered, and press Unload again.", model=entry.title
        )
        failure(said)


def _place(workspace: Workspace, entry: ModelEntry, is_held: bool, is_here: bool) -> str:
    if not is_here:
        return say("to download")
    if is_held and entry.id == workspace.model_id:
        return say("in use") if entry.id == workspace.wanted_id else say("in use for now")
    return say("on this machine")


def _buttons(engine: Engine, workspace: Workspace, entry: ModelEntry, held: LoadedModel | None, is_here: bool) -> None:
    """Load or download; of a model in memory: use it, or let it go."""

    def load() -> None:
        choose(workspace, entry)
        engine.models.load(entry.id)

    def look_up() -> None:
        choose(workspace, entry)
        engine.models.look_up(entry.id)

    def unload() -> None:
        if not engine.models.unload(entry.id):
            st.session_state["kept busy"] = entry.id

    if held is None and not is_here and entry.source == "embedded":
        return  # no button installs a wheel; the line says how
    if held is None:
        size = None if is_here else known_weight(engine.models, entry).disk_bytes
        if is_here or size is not None:
            label = say("Load") if size is None else say("Download, {size}", size=gigabytes(size))
            st.button(label, key=f"page load {entry.id}", on_click=load, width="stretch")
        else:
            st.button(say("Ask its size"), key=f"page look up {entry.id}", on_click=look_up, width="stretch")
        return
    if entry.id != workspace.wanted_id:
        st.button(
            say("Use"), key=f"page use {entry.id}", on_click=use, args=(engine, workspace, entry), width="stretch"
        )
    if engine.settings.public:  # others are asking it too
        return
    st.button(say("Unload"), key=f"page unload {entry.id}", on_click=unload, width="stretch")
