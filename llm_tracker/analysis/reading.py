"""Plain sentences about a comparison, made from its numbers. They say what was measured, never what a model "thinks".

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from llm_tracker.analysis.attention import PARKED, attention_by_word, attention_groups
from llm_tracker.analysis.compare import (
    LayerMeasure,
    Side,
    WordChange,
    by_layer,
    same_answer,
    settled_layer,
    word_changes,
)
from llm_tracker.analysis.wording import capitalised, percent, quoted
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.tracing.words import is_mark

WHEN = {"before": "before", "after": "after", "again": "merely asked again"}
"""How a sentence names each side."""


def headline(sides: Sequence[Side], words: Sequence[str]) -> str:
    """What became of the watch words, against before and against merely being asked again, and of the answer."""
    parts = []
    for change in word_changes(sides, words):
        name, shift, again = change_parts(change)
        parts.append(f"{name} {shift}{f' ({again})' if again else ''}.")
    return " ".join([*parts, verdict(sides)])


def change_parts(change: WordChange) -> tuple[str, str, str]:
    """A change in three pieces: the word, before → after, and the control's value (empty where there is none)."""
    again = "" if change.again is None else f"asked again: {percent(change.again)}"
    return watched_name(change.word, change.token), f"{percent(change.before)} → {percent(change.after)}", again


def watched_name(word: str, token: str) -> str:
    """A watch word as it was compared: by itself, or by its first token where it has several."""
    if token.strip() == word:
        return quoted(word)
    return f"{quoted(token)}, the first piece of {quoted(word)},"


def verdict(sides: Sequence[Side]) -> str:
    """Whether the answer changed, and whether merely asking again changes it too."""
    named = {side.name: side.turn for side in sides}
    before, after, again = named["before"], named["after"], named.get("again")
    if same_answer(before, after):
        changed = "The answer stayed the same."
        as_before = "Merely asked again, it stays the same too."
    else:
        changed = f"The answer changed{_from_to(before, after)}."
        as_before = f"Merely asked again, it stays{_named(before)}."
    if again is None:
        return changed
    if same_answer(before, again):
        return f"{changed} {as_before}"
    if same_answer(after, again):
        return f"{changed} Merely asked again, it changes in the same way: the correction is not needed for that."
    return f"{changed} Merely asked again, it becomes{_named(again) or ' another one'}."


def _from_to(before: Turn, after: Turn) -> str:
    named = _named(before), _named(after)
    return f" from{named[0]} to{named[1]}" if all(named) else ""


def _named(turn: Turn) -> str:
    """The answer in quotation marks where it is short, with a space in front."""
    return f" {quoted(turn.answer)}" if 0 < len(turn.answer) <= 30 else ""


def ending_note(turn: Turn) -> str:
    """How an answer ended, where it did not end by itself."""
    if turn.ended == "limit":
        return f" (cut after {turn.trace.n_steps} tokens)"
    return " (stopped by you)" if turn.ended == "stopped" else ""


def candidates_sentence(sides: Sequence[Side]) -> str:
    """Which token leads on each side, and by how much."""
    if len(sides) == 1:
        return _one_sided(sides[0])
    leaders = [(_leaders(side), _best(side)[0][1]) for side in sides]
    if len({leader for leader, _ in leaders}) == 1:
        figures = _listed(
            [f"{WHEN[side.name]} {percent(prob)}" for side, (_, prob) in zip(sides, leaders, strict=True)]
        )
        return f"{capitalised(leaders[0][0])} every time: {figures}."
    clauses = [
        f"{WHEN[side.name]}, {leader} with {percent(prob)}" for side, (leader, prob) in zip(sides, leaders, strict=True)
    ]
    return f"{capitalised('; '.join(clauses))}."


def _one_sided(side: Side) -> str:
    best = _best(side)
    if len(best) < 2:
        return f"{quoted(best[0][0])} is the only candidate."
    if best[0][1] == best[1][1]:
        return f"{capitalised(_leaders(side))} with {percent(best[0][1])} each."
    (token, prob), (rival, rival_prob) = best[:2]
    second = f"next comes {quoted(rival)} with {percent(rival_prob)}"
    return f"The likeliest next token is {quoted(token)} with {percent(prob)}; {second}."


def _best(side: Side) -> list[tuple[str, float]]:
    trace = side.turn.trace
    return list(zip(trace.top_tokens[side.step], map(float, trace.top_probs[side.step]), strict=True))


def _leaders(side: Side) -> str:
    """Who leads: one token, or two that are exactly as likely."""
    best = _best(side)
    if len(best) > 1 and best[0][1] == best[1][1]:
        return f"{quoted(best[0][0])} and {quoted(best[1][0])} lead together"
    return f"{quoted(best[0][0])} leads"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def layers_sentence(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None = None) -> str:
    """From which layer on the read-out prefers one word, or how likely it makes it, or where it ranks it.

    Without a word it speaks of the token that each side wrote itself.
    """
    told: list[str] = []
    for side in sides:
        values = by_layer(side, measure, word, over)
        if values is not None:
            clause = _layer_clause(side, measure, values, word, over, first=not told)
            told.append(f"{WHEN[side.name]}, {clause}" if len(sides) > 1 else clause)
    return f"{capitalised('; '.join(told))}." if told else _unread(sides, measure, word, over)


def _unread(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None) -> str:
    if word is None:
        return "This token's layers have not been read."
    watched = [side for side in sides if side.watched(word) is not None]
    if measure == "lead" and over is not None and any(side.watched(over) is not None for side in watched):
        return f"{quoted(word)} and {quoted(over)} begin with the same token: their lead cannot be read."
    return f"{quoted(word)} has not been read at this token."


def _layer_clause(
    side: Side, measure: LayerMeasure, values: np.ndarray, word: str | None, over: str | None, first: bool
) -> str:
    if measure == "lead" and word is not None and over is not None:
        return lead_clause(values, word, over, first)
    name = quoted(word) if word is not None else quoted(side.token)
    told = prob_clause(values, name) if measure == "prob" else rank_clause(values, name)
    return f"{'the read-out' if first else 'it'} {told}"


def lead_clause(difference: FloatArray, word: str, over: str, first: bool = True) -> str:
    """Which of two words the last read-out prefers, from which layer on it does, and where the lead moves most."""
    last = float(difference[-1])
    opening = "the read-out prefers " if first else ""
    if last == 0:
        which = f"neither {quoted(word)} nor {quoted(over)}" if first else "neither"
        return f"{opening}{which} at the last layer{_largest_step(difference)}"
    ahead, behind = (word, over) if last > 0 else (over, word)
    which = f"{quoted(ahead)} to {quoted(behind)}" if first else quoted(ahead)
    layer = settled_layer(difference > 0 if last > 0 else difference < 0)
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
    """How likely a word is at the last layer, and where it was likelier."""
    last, at = float(probs[-1]), int(probs.argmax())
    most = "" if float(probs[at]) == last else f", after {percent(float(probs[at]))} at layer {at + 1}"
    return f"gives {name} {percent(last)} at the last layer{most}"


def rank_clause(ranks: np.ndarray, name: str) -> str:
    """From which layer on a word comes first, or at which rank it ends."""
    layer = settled_layer(ranks == 1)
    if layer is None:
        return f"ends with {name} at rank {int(ranks[-1]):,}"
    return f"ranks {name} first {_since(layer, len(ranks))}"


def attention_sentence(sides: Sequence[Side], layer: int | None = None, head: int | None = None) -> str:
    """How much is parked on each side, and which of the conversation's own words was looked at most."""
    told: list[str] = []
    for side in sides:
        clause = _attention_clause(side, layer, head, first=not told)
        told.append(f"{WHEN[side.name]}, {clause}" if len(sides) > 1 else clause)
    return f"{capitalised('; '.join(told))}."


def _attention_clause(side: Side, layer: int | None, head: int | None, first: bool) -> str:
    shares = attention_by_word(side.turn, side.step, layer, head)
    parked = percent(float(attention_groups(shares).get(PARKED, 0.0)))
    names, most = most_looked_at(shares)
    if not names:
        return f"{parked} is parked and no word of the conversation was looked at"
    best = f"{names} ({percent(most)}{' each' if ' and ' in names or names.endswith('words') else ''})"
    return (
        f"{parked} is parked and, of the conversation's own words, {best} got most" if first else f"{parked} and {best}"
    )


def most_looked_at(shares: pd.DataFrame) -> tuple[str, float]:
    """The conversation's own words with the largest share, several where they are exactly equal; "" for none."""
    own = shares[~shares["group"].isin([PARKED, "recipe"])]
    own = own[[not is_mark(word) for word in own["word"]]] if len(own) else own
    most = float(own["share"].max()) if len(own) else 0.0
    if most == 0:
        return "", 0.0
    best = [quoted(str(word)) for word in own["word"][own["share"] == most]]
    return (" and ".join(best) if len(best) <= 2 else f"{len(best)} words"), most
