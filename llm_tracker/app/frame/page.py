"""The frame of every page: its title, the sidebar with the model, and the visitor's workspace."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.frame.found_pages import found_pages
from llm_tracker.app.frame.language_choice import language_choice, speak
from llm_tracker.app.frame.model_picker import model_choice
from llm_tracker.app.frame.owner import is_known_by_link, owner_of, register, sign_in_choice
from llm_tracker.app.frame.shared_link import open_shared
from llm_tracker.app.frame.thinking_choice import thinking_choice
from llm_tracker.app.parts import html
from llm_tracker.app.parts.cards import failed_plugin
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.address import show_choice
from llm_tracker.app.work.engine import Engine, choose_model, the_engine
from llm_tracker.app.work.keeping.choices import note_choices
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import later, say
from llm_tracker.models.plugins.manager import installed_plugins
from llm_tracker.places import app_dir

PRODUCT = "LLM Inference Tracker"
RECIPE_LABELS = {
    "one-word": later("One-word answers"),
    "chat": later("Plain chat"),
    "raw": later("Raw text"),
}
RECIPE_CAPTIONS = [
    later("five worked examples in front, each asked twice"),
    later("the model's own chat template, nothing in front"),
    later("the text as typed, without a template"),
]


def open_page(title: str) -> tuple[Engine, Workspace]:
    """Begin a page: configure it, find the visitor's workspace by the address, and draw the sidebar."""
    engine = the_engine()
    key = st.query_params.get("s") or st.session_state.get("workspace")
    workspace = engine.workspaces.at(key, owner_of(engine.settings))
    st.session_state["workspace"] = st.query_params["s"] = workspace.key
    speak(workspace)
    st.set_page_config(page_title=f"{say(title)} · {PRODUCT}", layout="wide", initial_sidebar_state="auto")
    html.style()
    register(workspace)
    workspace.save_again()
    open_shared(workspace)
    choose_model(engine, workspace)
    note_choices(workspace)
    with st.sidebar:
        _links(workspace)
        if is_known_by_link(workspace):
            html.paragraph(say("The address of this page is your way back to what you ask here: keep it."), quiet=True)
        sign_in_choice()
        if engine.settings_error:
            html.failure(engine.settings_error)
        model_choice(engine, workspace)
        _recipe_choice(workspace)
        thinking_choice(engine, workspace)
        _control_choice(workspace)
        _length_choice(workspace, engine.limits.answer_tokens)
        language_choice(workspace)
        for failure in installed_plugins().failures:
            failed_plugin(failure.name, failure.reason, failure.where)
    return engine, workspace


def _links(workspace: Workspace) -> None:
    for path, title in found_pages(app_dir()).items():
        st.page_link(path, label=say(title), query_params={"s": workspace.key})


def _recipe_choice(workspace: Workspace) -> None:
    def take(recipe: str) -> None:
        workspace.recipe = recipe

    names = list(RECIPE_LABELS)
    key = labelled_key("recipe")
    choose = show_choice(key, workspace.recipe, take)
    st.radio(
        say("In front of your next question"),
        names,
        index=names.index(workspace.recipe),
        format_func=lambda name: say(RECIPE_LABELS[name]),
        captions=[say(caption) for caption in RECIPE_CAPTIONS],
        key=key,
        on_change=choose,
    )


def _control_choice(workspace: Workspace) -> None:
    def take(control: bool) -> None:
        workspace.control = control

    choose = show_choice("control", workspace.control, take)
    st.toggle(
        say("Also ask again without a correction"),
        workspace.control,
        key="control",
        on_change=choose,
        help=say(
            "The neutral control: after each correction the same conversation is run once more with “Answer the "
            "question again.” in its place. What changes there too, the correction is not needed for."
        ),
    )


def _length_choice(workspace: Workspace, longest: int) -> None:
    def choose() -> None:
        workspace.max_new_tokens = int(st.session_state["longest answer"])

    st.number_input(
        say("Longest answer, in tokens"),
        1,
        longest,
        min(workspace.max_new_tokens, longest),
        key="longest answer",
        on_change=choose,
        help=say(
            "From 1 to {longest}. A token is a word or a part of one. An answer that is longer is cut, and says so.",
            longest=longest,
        ),
    )
