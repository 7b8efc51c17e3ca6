"""The token strip: each generated token as a small button with its probability; click or arrow keys choose one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.charts.palette import TURN_COLOURS
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import number_of
from llm_tracker.wording.formats import percent, quoted, shown
from llm_tracker.wording.labels import TURN_LABELS

HERE = Path(__file__).parent


@cache
def _component() -> Any:
    read = [HERE.joinpath(name).read_text(encoding="utf-8") for name in ("token_strip.css", "token_strip.js")]
    return st.components.v2.component("llm_tracker_token_strip", css=read[0], js=read[1])


def token_strip(side: Side, key: str, pick: Callable[[int], None], steps: range) -> None:
    """The tokens of these steps, the one that is looked at outlined; `pick` is called with the step of another one."""
    turn, trace = side.turn, side.turn.trace

    def picked() -> None:
        place = st.session_state[key].get("picked")
        if place is not None and 0 <= int(place) < len(steps):
            pick(steps[int(place)])

    tokens = [
        {"text": shown(trace.tokens[step]), "prob": float(trace.token_probs[step]), "said": said(turn, step)}
        for step in steps
    ]
    is_thought, name = steps.stop <= turn.answer_steps.start, say(TURN_LABELS[side.name])
    data = {
        "tokens": tokens,
        "chosen": steps.index(side.step) if side.step in steps else -1,
        "colour": TURN_COLOURS[side.name],
        "label": say("Token of its thought to look at, {side}", side=name)
        if is_thought
        else say("Token to look at, {side}", side=name),
    }
    _component()(key=key, data=data, on_picked_change=picked)


def said(turn: Turn, step: int) -> str:
    """What a token's button says aloud: its place, its text and how likely it was."""
    place, token = number_of(turn, step), quoted(turn.trace.tokens[step])
    share = percent(float(turn.trace.token_probs[step]))
    if turn.ended == "end" and step == turn.trace.n_steps - 1:
        return say(
            "Token {place}, {token}, {share} likely: the model's own mark that the answer ends here",
            place=place,
            token=token,
            share=share,
        )
    if step == turn.answer_step:
        return say("Token {place}, {token}, {share} likely, the answer", place=place, token=token, share=share)
    return say("Token {place}, {token}, {share} likely", place=place, token=token, share=share)
