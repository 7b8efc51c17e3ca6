"""The sentence below the layers: what the read-out prefers, from which layer on.

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.layers import LayerMeasure, by_layer, settled_layer
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import capitalised, percent, quoted, quoted_token, shown
from llm_tracker.wording.labels import TURN_CLAUSES, side_clause


def layers_sentence(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None = None) -> str:
    """From which layer on the read-out prefers one word, or how likely it makes it, or where it ranks it.

    Without a word it speaks of the token that each side wrote itself.
    """
    told: list[str] = []
    for side in sides:
        values = by_layer(side, measure, word, over)
        if values is not None:
            clause = _layer_clause(side, measure, values, word, over, first=not told or side.model != "")
            told.append(f"{side_clause(side)}, {clause}" if len(sides) > 1 else clause)
    return f"{capitalised('; '.join(told))}." if told else _unread(sides, measure, word, over)


def _unread(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None) -> str:
    if word is None:
        return "This token's layers have not been read."
    asked = [word, *([over] if measure == "lead" and over is not None else [])]
    unread = [quoted(each) for each in asked if not any(side.watched(each) for side in sides)]
    if unread:
        return f"{' and '.join(unread)} {'have' if len(unread) > 1 else 'has'} not been read at this token."
    return _unparted(sides, word, over) if over is not None else f"{quoted(word)} has not been read at this token."


def _unparted(sides: Sequence[Side], word: str, over: str) -> str:
    """Why two words that begin with the same token have no lead."""
    both = f"{quoted(word)} and {quoted(over)}"
    if any(side.step not in side.turn.partings or None in (side.score(word), side.score(over)) for side in sides):
        return f"{both} begin with the same token, and the one in which they differ has not been read here."
    return f"Of {both} one is the beginning of the other: there is no token in which they differ."


def unlike_tokens(sides: Sequence[Side], words: Sequence[str]) -> str:
    """Which first token stands for a word on each side, where these differ; "" where all have the same."""
    told = []
    for word in words:
        tokens = {side.name: lens.token for side in sides if (lens := side.watched(word)) is not None}
        if len(set(tokens.values())) > 1:
            named = ", ".join(f"{quoted(shown(token))} {TURN_CLAUSES[name]}" for name, token in tokens.items())
            told.append(f"{quoted(word)} is read by its first token, as each answer would begin it: {named}.")
    return " ".join([*told, "These are different tokens: compare where a line turns, not its height."] if told else [])


def _layer_clause(
    side: Side, measure: LayerMeasure, values: np.ndarray, word: str | None, over: str | None, first: bool
) -> str:
    if measure == "lead" and word is not None and over is not None:
        return _lead_told(side, values, word, over, first)
    name = _read_name(side, word, first) if word is not None else quoted(side.token)
    told = prob_clause(values, name) if measure == "prob" else rank_clause(values, name)
    return f"{'the read-out' if first else 'it'} {told}"


def _lead_told(side: Side, values: np.ndarray, word: str, over: str, first: bool) -> str:
    """The lead of two words at their first tokens, or where these are the same, at the first in which they differ."""
    parting, both = side.parting(word, over), side.read_for_lead(word, over)
    if parting is None or both is None:
        return lead_clause(values, _read_name(side, word, first), _read_name(side, over, first), first)
    name, over_name = (
        f"{quoted_token(lens.token)}{f' (of {quoted(whole)})' if first else ''}"
        for lens, whole in zip(both, (word, over), strict=True)
    )
    behind = f"behind {quoted_token(parting.shared)}, with which both begin, " if first else ""
    return behind + lead_clause(values, name, over_name, first)


def _read_name(side: Side, word: str, first: bool) -> str:
    """A watch word as a layer reads it: by itself, or by its first token; of which word is said the first time only."""
    token = side.first_token(word)
    return f"{quoted(token)} (the first piece of {quoted(word)})" if first and token != word else quoted(token)


def lead_clause(difference: FloatArray, name: str, over: str, first: bool = True) -> str:
    """Which of two words the last read-out prefers, from which layer on it does, and where the lead moves most."""
    last = float(difference[-1])
    opening = "the read-out prefers " if first else ""
    if last == 0:
        which = f"neither {name} nor {over}" if first else "neither"
        return f"{opening}{which} at the last layer{_largest_step(difference)}"
    ahead, behind = (name, over) if last > 0 else (over, name)
    layer = settled_layer(difference > 0 if last > 0 else difference < 0)
    which = f"{ahead} to {behind}" if first else ahead
    return f"{opening}{which} {_since(layer, len(difference))}{_largest_step(difference)}"


def _largest_step(difference: FloatArray) -> str:
    """The layer at which a lead moves most; nothing where it never moves."""
    steps = np.abs(np.diff(difference))
    return f" (largest step: layer {int(steps.argmax()) + 2})" if len(steps) and steps.max() > 0 else ""


def _since(layer: int | None, n_layers: int) -> str:
    """Where something begins that holds up to the last layer."""
    if layer == 1:
        return "at every layer"
    return f"only at the last layer, {n_layers}" if layer == n_layers else f"from layer {layer} of {n_layers} on"


def prob_clause(probs: FloatArray, name: str) -> str:
    """How likely a word is at the last layer, and where it was likelier, if that can be told apart."""
    at = int(probs.argmax())
    last, most = percent(float(probs[-1])), percent(float(probs[at]))
    return f"gives {name} {last} at the last layer{'' if most == last else f', down from {most} at layer {at + 1}'}"


def rank_clause(ranks: np.ndarray, name: str) -> str:
    """From which layer on a word comes first, or at which rank it ends."""
    layer = settled_layer(ranks == 1)
    if layer is None:
        return f"ends with {name} at rank {int(ranks[-1]):,}"
    return f"ranks {name} first {_since(layer, len(ranks))}"
