"""The tab's selection, and the one place that reads it from the address and writes it there."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st

from llm_tracker.app.selection.selection import NAMES, Selection, of_address, to_address
from llm_tracker.app.work.workspace import Workspace

T = TypeVar("T")

KEY = "selection"

SHOWN = "shown choices"
"""What each widget was last given to show, by its key."""


@dataclass(frozen=True)
class _Kept:
    """What this tab keeps from one run to the next."""

    selection: Selection
    workspace: str
    results: int
    """How many answers had arrived in that workspace: the selection speaks of the newest, or of those that it names."""
    models: Hashable = None
    """The models that are compared, and how deep they are."""
    is_answering: bool = False
    """Whether another answer is on its way."""


def open_selection(workspace: Workspace) -> Selection:
    """What is looked at now: as the address says when a tab is opened, and as was chosen in the tab since.

    The address is read once: later it may be an older one than this tab's, since a browser sends along the one that
    it knew when something was pressed. A new answer, or turns that are not kept any more, begin anew.
    """
    now = (workspace.key, workspace.results)
    kept: _Kept = st.session_state.get(KEY) or _Kept(_read_address(), *now)
    if (kept.workspace, kept.results) != now or not all(map(workspace.has_turn, kept.selection.turns)):
        kept = _Kept(kept.selection.of_newest(), *now, kept.models)
    newest, _ = workspace.turns_or_newest(())
    return _keep(replace(kept, selection=kept.selection.in_short(newest), is_answering=workspace.answering))


def selected() -> Selection:
    """What is looked at, for a view: a page that shows answers has opened it."""
    kept: _Kept = st.session_state[KEY]
    return kept.selection


def opened_at() -> int:
    """How many answers had arrived when this tab last opened its selection."""
    kept: _Kept = st.session_state[KEY]
    return kept.results


def select(**changes: Any) -> None:
    """Look at something else, by the names of `Selection`'s fields."""
    kept: _Kept = st.session_state[KEY]
    _keep(replace(kept, selection=replace(kept.selection, **changes)))


def look_at_models(models: Hashable) -> None:
    """Note which models are compared: the layer and head of others say nothing about them."""
    kept: _Kept = st.session_state[KEY]
    if kept.models not in (None, models):
        kept = replace(kept, selection=kept.selection.of_another_model())
    _keep(replace(kept, models=models))


def show_choice(key: str, value: T, take: Callable[[T], object]) -> Callable[[], None]:
    """Let the widget of this key show what is selected; given back is its callback, and what is chosen goes to `take`.

    The widget has the value for its default too: it is written only where the widget shows something else, since each
    write is sent to the browser, and would take back what is being chosen there meanwhile; and one that is written
    while another run begins may never be sent.

    A browser that has just drawn a widget may report its value, and Streamlit then calls back although nobody chose
    anything: what the widget was given to show chooses nothing.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    shown: dict[str, object] = st.session_state.setdefault(SHOWN, {})
    shown[key] = value

    def choose() -> None:
        picked: T = st.session_state[key]
        if picked != shown[key]:
            shown[key] = picked
            take(picked)

    return choose


def _read_address() -> Selection:
    return of_address({name: st.query_params.get_all(name) for name in NAMES & st.query_params.keys()})


def _keep(kept: _Kept) -> Selection:
    """Keep it in the tab and in the address, whose other parameters stay."""
    st.session_state[KEY] = kept
    # While an answer is on its way the address names no earlier one: a tab that is reloaded then shows what arrives.
    said = kept.selection.of_newest() if kept.is_answering else kept.selection
    now = {name: st.query_params.get_all(name) for name in st.query_params}
    others = {name: values for name, values in now.items() if name not in NAMES}
    address = {**others, **to_address(said)}
    if address != now:
        st.query_params.from_dict(address)
    return kept.selection
