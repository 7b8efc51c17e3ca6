"""What a visitor has chosen and looks at: noted in the store, and taken up again after a restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.errors import StoreError
from llm_tracker.prompts.recipes import RECIPES
from llm_tracker.storage.store.visits import note_visit

if TYPE_CHECKING:
    from llm_tracker.app.work.workspace import Workspace


CHOICES = (
    *("wanted_id", "typed_ids", "recipe", "max_new_tokens", "thinking", "max_thought_tokens", "control"),
    *("language", "tour"),
)
"""Fields that the store keeps of a visitor, besides what is shown."""


def note_choices(workspace: Workspace) -> None:
    """Keep what a visitor has chosen, once they did anything; nothing is written where nothing has changed."""
    if not (workspace.begun or workspace.noted or workspace.language or workspace.tour):
        return
    shown = [str(ref) for ref in workspace.shown or () if ref is not None]
    now = {**{name: getattr(workspace, name) for name in CHOICES}, "shown": shown}
    # As a copy: lists that are changed in place would never differ from what was noted.
    now = json.loads(json.dumps(now))
    store = workspace.sessions.store if now != workspace.noted else None
    if store is None:
        return
    try:
        note_visit(store.database, store.owner, workspace.key, now)
        workspace.noted = now
    except StoreError as error:
        workspace.sessions.trouble = str(error)


OF_A_PERSON = ("language", "tour", "typed_ids")
"""What holds for a person, in whichever workspace."""


def with_own_ways(workspace: Workspace, state: dict[str, Any]) -> Workspace:
    """A new workspace of somebody who was here before: their language, models, and first steps."""
    for name in OF_A_PERSON:
        if isinstance(state.get(name), type(getattr(workspace, name))):
            setattr(workspace, name, state[name])
    return workspace


def with_choices(workspace: Workspace, state: dict[str, Any]) -> Workspace:
    """The workspace as it was left: what an earlier version noted otherwise is left out."""
    for name in CHOICES:
        is_known = isinstance(state.get(name), type(getattr(workspace, name)))
        if is_known and (name != "recipe" or state[name] in RECIPES):
            setattr(workspace, name, state[name])
    workspace.model_id = workspace.wanted_id
    refs = [ref for ref in map(TurnRef.of, state.get("shown", ())) if ref is not None]
    if refs:
        workspace.shown = (refs[0], refs[1] if len(refs) > 1 else None)
    workspace.noted = state
    return workspace
