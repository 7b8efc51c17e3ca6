"""The sentence below the layers: what the read-out prefers, from which layer on.

`sides` are one answer, or before and after, or both with the neutral control.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.layers import LayerMeasure, by_layer, parting_layer, settled_layer
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import capitalised, listed, percent, quoted, quoted_token, shown
from llm_tracker.wording.labels import TURN_CLAUSES, told_of

LEAST_PARTED = 0.5
"""Difference of two leads, in nats, below which nothing is said of where they part."""


def layers_sentence(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None = None) -> str:
    """From which layer on the read-out prefers one word, or how likely it makes it, or where it ranks it.

    Without a word it speaks of the token that each side wrote itself.
    """
    told: list[str] = []
    for side in sides:
        values = by_layer(side, measure, word, over)
        if values is not None:
            clause = _layer_clause(side, measure, values, word, over, first=not told or side.model != "")
            told.append(told_of(side, clause) if len(sides) > 1 else clause)
    if not told:
        return _unread(sides, measure, word, over)
    sentence = f"{capitalised('; '.join(told))}."
    return f"{sentence} {_where_they_part(sides, word, over)}".strip() if measure == "lead" else sentence


def _where_they_part(sides: Sequence[Side], word: str | None, over: str | None) -> str:
    """From which layer on two answers' leads differ by more than half of what they do at the end; "" where little."""
    pair = [by_layer(side, "lead", word, over) for side in sides if side.name in ("before", "after") and not side.model]
    if len(pair) != 2 or pair[0] is None or pair[1] is None or len(pair[0]) != len(pair[1]):
        return ""
    gaps = pair[1] - pair[0]
    if abs(gaps[-1]) < LEAST_PARTED:
        return ""
    return say(
        "Before and after part at layer {layer}: from there on their leads differ by more than half of what they do at "
        "the end.",
        layer=number(parting_layer(gaps)),
    )


def _unread(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None) -> str:
    if word is None:
        return say("This token's layers have not been read.")
    asked = [word, *([over] if measure == "lead" and over is not None else [])]
    unread = [quoted(each) for each in asked if not any(side.watched(each) for side in sides)]
    if not unread and over is not None:
        return _unparted(sides, word, over)
    named = unread or [quoted(word)]
    return say_n(
        "{words} has not been read at this token.",
        "{words} have not been read at this token.",
        len(named),
        words=listed(named),
    )


def _unparted(sides: Sequence[Side], word: str, over: str) -> str:
    """Why two words that begin with the same token have no lead."""
    both = listed([quoted(word), quoted(over)])
    if any(side.step not in side.turn.partings or None in (side.score(word), side.score(over)) for side in sides):
        return say(
            "{words} begin with the same token, and the one in which they differ has not been read here.", words=both
        )
    return say("Of {words} one is the beginning of the other: there is no token in which they differ.", words=both)


def unlike_tokens(sides: Sequence[Side], words: Sequence[str]) -> str:
    """Which first token stands for a word on each side, where these differ; "" where all have the same."""
    told = []
    for word in words:
        tokens = {side.name: lens.token for side in sides if (lens := side.watched(word)) is not None}
        if len(set(tokens.values())) > 1:
            named = ", ".join(f"{quoted(shown(token))} {say(TURN_CLAUSES[name])}" for name, token in tokens.items())
            told.append(
                say(
                    "{word} is read by its first token, as each answer would begin it: {tokens}.",
                    word=quoted(word),
                    tokens=named,
                )
            )
    if told:
        told.append(say("These are different tokens: compare where a line turns, not its height."))
    return " ".join(told)


def _layer_clause(
    side: Side, measure: LayerMeasure, values: np.ndarray, word: str | None, over: str | None, first: bool
) -> str:
    if measure == "lead" and word is not None and over is not None:
        return _lead_told(side, values, word, over, first)
    name = _read_name(side, word, first) if word is not None else quoted(side.token)
    told = prob_clause(values, name) if measure == "prob" else rank_clause(values, name)
    return say("the read-out {told}", told=told) if first else say("it {told}", told=told)


def _lead_told(side: Side, values: np.ndarray, word: str, over: str, first: bool) -> str:
    """The lead of two words at their first tokens, or where these are the same, at the first in which they differ."""
    parting, both = side.parting(word, over), side.read_for_lead(word, over)
    if parting is None or both is None:
        return lead_clause(values, _read_name(side, word, first), _read_name(side, over, first), first)
    name, over_name = (quoted_token(lens.token) for lens in both)
    if not first:
        return lead_clause(values, name, over_name, first)
    name = say("{token} (of {word})", token=name, word=quoted(word))
    told = lead_clause(values, name, say("{token} (of {word})", token=over_name, word=quoted(over)))
    return say("behind {token}, with which both begin, {told}", token=quoted_token(parting.shared), told=told)


def _read_name(side: Side, word: str, first: bool) -> str:
    """A watch word as a layer reads it: by itself, or by its first token; of which word is said the first time only."""
    token = side.first_token(word)
    if not first or token == word:
        return quoted(token)
    return say("{token} (the first piece of {word})", token=quoted(token), word=quoted(word))


def lead_clause(difference: FloatArray, name: str, over: str, first: bool = True) -> str:
    """Which of two words the last read-out prefers, from which layer on it does, and where the lead moves most."""
    last = float(difference[-1])
    if last == 0 and first:
        told = say("the read-out prefers neither {name} nor {over} at the last layer", name=name, over=over)
    elif last == 0:
        told = say("neither at the last layer")
    else:
        ahead, behind = (name, over) if last > 0 else (over, name)
        since = _since(settled_layer(difference > 0 if last > 0 else difference < 0), len(difference))
        if first:
            told = say("the read-out prefers {ahead} to {behind} {since}", ahead=ahead, behind=behind, since=since)
        else:
            told = say("{ahead} {since}", ahead=ahead, since=since)
    return f"{told}{_largest_step(difference)}"


def _largest_step(difference: FloatArray) -> str:
    """The layer at which a lead moves most; nothing where it never moves."""
    steps = np.abs(np.diff(difference))
    if not len(steps) or steps.max() == 0:
        return ""
    return f" ({say('largest step: layer {layer}', layer=number(int(steps.argmax()) + 2))})"


def _since(layer: int | None, n_layers: int) -> str:
    """Where something begins that holds up to the last layer."""
    if layer == 1:
        return say("at every layer")
    if layer is None or layer == n_layers:
        return say("only at the last layer, {layer}", layer=number(n_layers))
    return say("from layer {layer} of {all} on", layer=number(layer), all=number(n_layers))


def prob_clause(probs: FloatArray, name: str) -> str:
    """How likely a word is at the last layer, and where it was likelier, if that can be told apart."""
    at = int(probs.argmax())
    last, most = percent(float(probs[-1])), percent(float(probs[at]))
    told = say("gives {name} {share} at the last layer", name=name, share=last)
    if most == last:
        return told
    return f"{told}, {say('down from {share} at layer {layer}', share=most, layer=number(at + 1))}"


def rank_clause(ranks: np.ndarray, name: str) -> str:
    """From which layer on a word comes first, or at which rank it ends."""
    layer = settled_layer(ranks == 1)
    if layer is None:
        return say("ends with {name} at rank {rank}", name=name, rank=number(int(ranks[-1]), ","))
    return say("ranks {name} first {since}", name=name, since=_since(layer, len(ranks)))
