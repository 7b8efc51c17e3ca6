"""The token strip: each generated token as a small button with its probability; click or arrow keys choose one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.charts.palette import TURN_COLOURS
from llm_tracker.wording.formats import percent, quoted, shown
from llm_tracker.wording.labels import TURN_LABELS

HERE = Path(__file__).parent


@cache
def _component() -> Any:
    read = [HERE.joinpath(name).read_text(encoding="utf-8") for name in ("token_strip.css", "token_strip.js")]
    return st.components.v2.component("llm_tracker_token_strip", css=read[0], js=read[1])


def token_strip(side: Side, key: str, pick: Callable[[int], None]) -> None:
    """The tokens of an answer, the one that is looked at outlined; `pick` is called with the step of another one."""
    turn = side.turn

    def picked() -> None:
        step = st.session_state[key].get("picked")
        if step is not None and 0 <= int(step) < turn.trace.n_steps:
            pick(int(step))

    tokens = [
        {"text": shown(token), "prob": float(prob), "said": said(turn.answer_step, step, token, float(prob))}
        for step, (token, prob) in enumerate(zip(turn.trace.tokens, turn.trace.token_probs, strict=True))
    ]
    data = {
        "tokens": tokens,
        "chosen": side.step,
        "colour": TURN_COLOURS[side.name],
        "label": f"Token to look at, {TURN_LABELS[side.name]}",
    }
    _component()(key=key, data=data, on_picked_change=picked)


def said(answer_step: int, step: int, token: str, prob: float) -> str:
    """What a token's button says aloud: its place, its text and how likely it was."""
    mark = ", the answer" if step == answer_step else ""
    return f"Token {step + 1}, {quoted(token)}, {percent(prob)} likely{mark}"
