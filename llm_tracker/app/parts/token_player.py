"""The token player: an answer's tokens as a strip and as playback, with what was likely at each."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.pictures import remembered
from llm_tracker.app.parts.token_strip import said
from llm_tracker.charts.palette import TURN_COLOURS
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import place_of_token
from llm_tracker.wording.formats import capitalised, nats, percent, shown, visible
from llm_tracker.wording.labels import TURN_LABELS

HERE = Path(__file__).parent
N_CANDIDATES = 6
"""Candidates that are shown of each token."""


@cache
def _component() -> Any:
    read = [HERE.joinpath(name).read_text(encoding="utf-8") for name in ("token_player.css", "token_player.js")]
    return st.components.v2.component("llm_tracker_token_player", css=read[0], js=read[1])


def token_player(
    side: Side,
    key: str,
    pick: Callable[[int], None],
    what_if: Callable[[int, int], None] | None = None,
    is_ready: bool = True,
) -> None:
    """All tokens of an answer, its thought included; `pick` is called with the step where a walk stopped.

    With `what_if` each candidate that lost has a button, which calls it with the step and the candidate's token id;
    they can be pressed once `is_ready`.
    """

    def picked() -> None:
        step = st.session_state[key].get("picked")
        if step is not None and 0 <= int(step) < side.turn.trace.n_steps:
            pick(int(step))

    def asked() -> None:
        chosen = st.session_state[key].get("what_if")
        if chosen is not None and what_if is not None:
            what_if(int(chosen["step"]), int(chosen["token_id"]))

    data = {
        "tokens": remembered(f"player {side.name}", side.turn, lambda: _tokens(side.turn)),
        "chosen": side.step,
        "colour": TURN_COLOURS[side.name],
        "label": say("Token to look at, {side}: arrow keys walk, space plays", side=say(TURN_LABELS[side.name])),
        "texts": _texts(),
        "what_if": what_if is not None,
        "what_if_ready": is_ready,
    }
    _component()(key=key, data=data, on_picked_change=picked, on_what_if_change=asked)


def _texts() -> dict[str, str]:
    """What the player's buttons are called."""
    return {
        "first": say("First token"),
        "back": say("Token before"),
        "next": say("Next token"),
        "last": say("Last token"),
        "play": say("Play"),
        "pause": say("Pause"),
        "what_if": say("what if"),
        "written": say("This token was written"),
        "ask": say("What if it had said {token} here?"),
    }


def _tokens(turn: Turn) -> list[dict[str, Any]]:
    return [_token(turn, step) for step in range(turn.trace.n_steps)]


def _token(turn: Turn, step: int) -> dict[str, Any]:
    """What the player shows of one token."""
    trace = turn.trace
    return {
        "text": shown(trace.tokens[step]),
        "raw": visible(trace.tokens[step], but="\n"),
        "prob": float(trace.token_probs[step]),
        "said": said(turn, step),
        "place": capitalised(place_of_token(turn, step)),
        "facts": _facts(turn, step),
        "candidates": _candidates(turn, step),
    }


def _facts(turn: Turn, step: int) -> str:
    trace = turn.trace
    told = [say("{share} likely", share=percent(float(trace.token_probs[step])))]
    rank = int(trace.token_ranks[step])
    if rank > 1:
        told.append(say("rank {rank}", rank=number(rank, ",")))
    if trace.entropies is not None and not math.isnan(trace.entropies[step]):
        told.append(say("entropy of the prediction {entropy}", entropy=nats(float(trace.entropies[step]))))
    return " · ".join(told)


def _candidates(turn: Turn, step: int) -> list[dict[str, Any]]:
    """The best candidates, and the written token where it is not among them."""
    trace, own = turn.trace, int(turn.trace.token_ids[step])
    ids = trace.top_token_ids[step].tolist()
    rows = list(zip(ids, trace.top_tokens[step], trace.top_probs[step].tolist(), strict=True))[:N_CANDIDATES]
    if own not in [each for each, _, _ in rows]:
        rows = [*rows[: N_CANDIDATES - 1], (own, trace.tokens[step], float(trace.token_probs[step]))]
    return [
        {"id": each, "text": shown(token), "prob": prob, "percent": percent(prob), "own": each == own}
        for each, token, prob in rows
    ]
