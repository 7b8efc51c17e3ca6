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
    follows,
    same_answer,
    settled_layer,
    word_changes,
)
from llm_tracker.prompts.words import is_mark
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.wording.formats import capitalised, percent, quoted, shown


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
    shift = f"{percent(change.before)} → {percent(change.after)}"
    if max(change.before, change.after) < TOO_SMALL:
        shift += f", rank {change.ranks[0]:,} → {change.ranks[1]:,}"
    return watched_name(change.word, change.tokens), shift, again


TOO_SMALL = 0.001
"""Probabilities below this are written alike; ranks tell them apart."""


def shift_split(sides: Sequence[Side], words: Sequence[str]) -> str:
    """How much of the first word's change comes with merely being asked again ; "" where none can be told.

    The two parts add up to the whole: before → asked again, and asked again → after.
    """
    changes = word_changes(sides, words)
    named = {side.name: side.turn for side in sides}
    if not changes or changes[0].again is None or not follows(named["before"], named["after"]):
        return ""
    change = changes[0]
    whole, again = round(100 * (change.after - change.before)), round(100 * (changes[0].again - change.before))
    if abs(whole) < 2 or not 0 <= again / whole <= 1:
        return ""
    name, moved = watched_name(change.word, change.tokens), "lost" if whole < 0 else "gained"
    told = f"Of the {abs(whole)} points that {name} {moved}"
    if again in (0, whole):
        return f"{told}, {'none comes' if again == 0 else 'all come'} with merely being asked again."
    rest = abs(whole - again)
    return f"{told}, {abs(again)} come with merely being asked again, the other {rest} with this correction."


def watched_name(word: str, tokens: Sequence[str]) -> str:
    """A watch word as it was compared: by itself, or by its first token, which may differ from side to side."""
    pieces = list(dict.fromkeys(token.strip() for token in tokens))
    if pieces == [word]:
        return quoted(word)
    if len(pieces) == 1:
        return f"{quoted(pieces[0])}, the first piece of {quoted(word)},"
    names = [f"“{shown(token)}”" for token in dict.fromkeys(tokens)]  # as the charts have them: a dot for a space
    return f"{quoted(word)}, read by its first tokens {_listed(names)},"


def verdict(sides: Sequence[Side]) -> str:
    """Whether the answer changed, and what merely asking again does to it."""
    named = {side.name: side.turn for side in sides}
    before, after, again = named["before"], named["after"], named.get("again")
    told = _changed(before, after)
    if again is None:
        return told
    if follows(before, after):
        return f"{told} {_asked_again(before, after, again)}"
    return f"{told} Merely asked again, the answer is{named_answer(again) or ' empty'}."


def _changed(before: Turn, after: Turn) -> str:
    """Whether the second answer is another one; of answers that were cut, as far as can be said."""
    same = same_answer(before, after)
    if same is None:
        return "An answer was cut short: whether it changed cannot be said."
    if same:
        return f"The answer stayed the same{' as far as it goes' if before.is_cut or after.is_cut else ''}."
    names = named_answer(before), named_answer(after)
    is_told = all(names) and names[0] != names[1]  # long answers are cut: what they begin with may be the same
    return f"The answer changed{f' from{names[0]} to{names[1]}' if is_told else ''}."


def _asked_again(before: Turn, after: Turn, again: Turn) -> str:
    """What the control did to the answer that was corrected."""
    as_before, as_after = same_answer(before, again), same_answer(after, again)
    if as_before:
        stays = " the same too" if same_answer(before, after) else named_answer(before) or " the same"
        return f"Merely asked again, it stays{stays}."
    if as_after:
        return "Merely asked again, it changes in the same way."
    if as_before is None or as_after is None:
        return "Merely asked again, it was cut short before that can be said."
    return f"Merely asked again, it becomes{named_answer(again) or ' empty'}."


def named_answer(turn: Turn) -> str:
    """The answer, or its beginning, in quotation marks, with a space in front; "" of an empty one."""
    if len(turn.answer) > LONG_ANSWER:
        return f" {quoted(turn.answer[:LONG_ANSWER].rstrip())[:-1]} …”"
    return f" {quoted(turn.answer)}" if turn.answer else ""


LONG_ANSWER = 40
"""Characters that a sentence quotes of an answer."""


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
    told = list(zip([side.when for side in sides], leaders, strict=True))
    if len({leader for leader, _ in leaders}) == 1:
        figures = _listed([f"{when} {percent(prob)}" for when, (_, prob) in told])
        return f"{capitalised(leaders[0][0])} every time: {figures}."
    return f"{capitalised('; '.join(f'{when}, {leader} with {percent(prob)}' for when, (leader, prob) in told))}."


def _one_sided(side: Side) -> str:
    best = _best(side)
    if len(best) < 2:
        return f"{_token(best[0][0])} is the only candidate."
    if best[0][1] == best[1][1]:
        return f"{capitalised(_leaders(side))} with {percent(best[0][1])} each."
    (token, prob), (rival, rival_prob) = best[:2]
    second = f"next comes {_token(rival)} with {percent(rival_prob)}"
    return f"The likeliest next token is {_token(token)} with {percent(prob)}; {second}."


def _best(side: Side) -> list[tuple[str, float]]:
    trace = side.turn.trace
    return list(zip(trace.top_tokens[side.step], map(float, trace.top_probs[side.step]), strict=True))


def _token(token: str) -> str:
    """A token in quotation marks, its space to be seen: “·Paris” and “Paris” are two."""
    return f"“{shown(token)}”"


def _leaders(side: Side) -> str:
    """Who leads: one token, or several that are exactly as likely."""
    best = _best(side)
    level = [token for token, prob in best if prob == best[0][1]]
    if len(level) == 1:
        return f"{_token(level[0])} leads"
    return f"{_listed([_token(each) for each in level]) if len(level) == 2 else f'{len(level)} tokens'} lead together"


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
            clause = _layer_clause(side, measure, values, word, over, first=not told or side.model != "")
            told.append(f"{side.when}, {clause}" if len(sides) > 1 else clause)
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
        return lead_clause(values, _read_name(side, word, first), _read_name(side, over, first), first)
    name = _read_name(side, word, first) if word is not None else quoted(side.token)
    told = prob_clause(values, name) if measure == "prob" else rank_clause(values, name)
    return f"{'the read-out' if first else 'it'} {told}"


def _read_name(side: Side, word: str, first: bool) -> str:
    """A watch word as a layer reads it: by itself, or by its first piece; of which word is said the first time only."""
    piece = side.piece(word)
    return f"{quoted(piece)} (the first piece of {quoted(word)})" if first and piece != word else quoted(piece)


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


def attention_sentence(sides: Sequence[Side], layer: int | None = None, head: int | None = None) -> str:
    """How much is parked on each side, and which of the conversation's own words was looked at most."""
    told: list[str] = []
    for side in sides:
        clause = attention_clause(side, layer, head, first=not told)
        told.append(f"{side.when}, {clause}" if len(sides) > 1 else clause)
    return f"{capitalised('; '.join(told))}."


def attention_clause(side: Side, layer: int | None, head: int | None, first: bool) -> str:
    """How much is parked on one side, and what was looked at most; in more words the `first` time."""
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
