"""The sidebar's switch for thoughts, and their limit: only where the chosen model reasons before it answers."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.finding_thoughts import reasoning_of
from llm_tracker.prompts.thoughts import resolved_thinking, thinking_by_default

HELP = later(
    "A thought is written in front of the answer, between marks of the model's own. Off, the template closes it before "
    "it begins: for one-word answers that is the rule. What a thought says need not be what decided the answer."
)


def thinking_choice(engine: Engine, workspace: Workspace) -> None:
    """Whether the model may think before the next answer, and how long."""
    model, recipe = engine.models.loaded(workspace.wanted_id), workspace.recipe
    reasoning = None if model is None or recipe == "raw" else reasoning_of(model.tokenizer)
    if model is None or reasoning is None:
        return
    if reasoning.switch is None and reasoning.always:
        st.caption(say("This model reasons before it answers; its template has no switch for that."))
        _limit(workspace, engine.limits.thought_tokens)
    elif reasoning.switch is not None:
        thinks, _ = resolved_thinking(reasoning, workspace.thinking.get(recipe), thinking_by_default(recipe))
        _switch(workspace, thinks)
        if thinks:
            _limit(workspace, engine.limits.thought_tokens)


def _switch(workspace: Workspace, thinks: bool) -> None:
    key = f"thinking {workspace.recipe} {workspace.wanted_id}"  # each model has a default of its own

    def choose() -> None:
        workspace.thinking[workspace.recipe] = bool(st.session_state[key])

    st.toggle(say("Let it think before it answers"), thinks, key=key, on_change=choose, help=say(HELP))


def _limit(workspace: Workspace, longest: int) -> None:
    def choose() -> None:
        workspace.max_thought_tokens = int(st.session_state["longest thought"])

    st.number_input(
        say("Longest thought, in tokens"),
        0,
        longest,
        min(workspace.max_thought_tokens, longest),
        step=64,
        key="longest thought",
        on_change=choose,
        help=say(
            "From 0 to {longest}. A thought that is longer is closed for the model, and its answer comes.",
            longest=number(longest, ","),
        ),
    )
