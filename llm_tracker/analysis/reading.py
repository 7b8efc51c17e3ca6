"""Plain sentences about a session, made from its numbers. They say what was measured, never what a model "thinks"."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

from llm_tracker.analysis.attention import PARKED, attention_by_word, attention_groups
from llm_tracker.analysis.compare import WordChange, lead, same_answer, settled_layer, word_changes
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray
from llm_tracker.tracing.words import is_mark


def percent(share: float) -> str:
    """A share with as many digits as it means: 97 %, 3 %, 0.3 %, under 0.1 %, over 99.9 %."""
    if share <= 0:
        return "0 %"
    if share < 0.001:
        return "under 0.1 %"
    if 0.9995 <= share < 1:
        return "over 99.9 %"
    if share < 0.0095 or 0.995 <= share < 1:
        return f"{share * 100:.1f} %"
    return f"{share * 100:.0f} %"


def tiny(gap: float) -> str:
    """A very small number as people write it: 1·10⁻⁶."""
    if gap == 0:
        return "0"
    digits, exponent = f"{gap:.0e}".split("e")
    return f"{digits}·10{str(int(exponent)).translate(_SUPERSCRIPT)}"


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_VISIBLE = {" ": "·", "\n": "↵", "\t": "⇥", "\r": "␍"}


def shown(token: str) -> str:
    """A token as text that can be seen: outer spaces as dots, line ends as arrows, invisible characters by number."""
    inner = token.strip(" ")
    start = len(token) - len(token.lstrip(" "))
    dots = "·" * start + inner + "·" * (len(token) - start - len(inner)) if inner else "·" * len(token)
    return "".join(_visible(character) for character in dots)


def _visible(character: str) -> str:
    if character in _VISIBLE and character != " ":
        return _VISIBLE[character]
    if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs") and character != "\u200d":
        return f"⟨U+{ord(character):04X}⟩"
    return character


def quoted(text: str) -> str:
    """A word or token in quotation marks, fit to be seen."""
    return f"“{shown(text.strip() or text)}”"


def watched_name(change: WordChange) -> str:
    """A watch word as it was compared: by itself, or by its first token where it has several."""
    token = change.token.strip()
    if token == change.word:
        return quoted(change.word)
    return f"{quoted(token)}, the first piece of {quoted(change.word)},"


def headline(session: Session, before: int = -2, after: int = -1, steps: tuple[int, int] = (0, 0)) -> str:
    """What became of the watch words between two turns, at the first token of the answer or at others, and of it."""
    turns = session.turns
    changes = word_changes(session, before, after, steps)
    parts = [f"{watched_name(change)} {percent(change.before)} → {percent(change.after)}." for change in changes]
    return " ".join([*parts, _verdict(turns[before], turns[after])])


def _verdict(before: Turn, after: Turn) -> str:
    """Whether the answer changed, and from what to what where that is short."""
    if same_answer(before, after):
        return "The answer stayed the same."
    if before.answer and after.answer and max(len(before.answer), len(after.answer)) <= 30:
        return f"The answer changed from {quoted(before.answer)} to {quoted(after.answer)}."
    return "The answer changed."


def ending_note(turn: Turn) -> str:
    """How an answer ended, where it did not end by itself."""
    if turn.ended == "limit":
        return f" (cut after {turn.trace.n_steps} tokens)"
    return " (stopped by you)" if turn.ended == "stopped" else ""


def candidates_sentence(before: Turn, after: Turn | None = None, before_step: int = 0, after_step: int = 0) -> str:
    """Which token leads, by how much, and what became of it."""
    best, prob, rival, rival_prob = _best_two(before, before_step)
    if after is None:
        if rival is None:
            return f"{quoted(best)} is the only candidate."
        second = f"next comes {quoted(rival)} with {percent(rival_prob)}"
        return f"The likeliest next token is {quoted(best)} with {percent(prob)}; {second}."
    new, new_prob, _, _ = _best_two(after, after_step)
    if new == best:
        return f"{quoted(best)} leads before and after: {percent(prob)}, then {percent(new_prob)}."
    return f"Before, {quoted(best)} leads with {percent(prob)}; after, {quoted(new)} leads with {percent(new_prob)}."


def _best_two(turn: Turn, step: int) -> tuple[str, float, str | None, float]:
    tokens, probs = turn.trace.top_tokens[step], turn.trace.top_probs[step]
    if len(tokens) < 2:
        return tokens[0], float(probs[0]), None, 0.0
    return tokens[0], float(probs[0]), tokens[1], float(probs[1])


def layers_sentence(turn: Turn, words: tuple[str, ...] = (), step: int = 0) -> str:
    """From which layer on the read-out prefers one watch word to another, or ranks the token first."""
    n_layers = turn.trace.n_layers
    if len(words) >= 2:
        difference = lead(turn, words[0], words[1], step)
        if difference is None:
            return f"{quoted(words[0])} and {quoted(words[1])} begin with the same token: their lead cannot be read."
        return _lead_sentence(difference, words[0], words[1], n_layers)
    table = turn.trace.lens[step]
    layer = settled_layer(table.token_rank == 1)
    name = quoted(turn.trace.tokens[step])
    if layer is None:
        return f"No layer up to the last ranks {name} first: it ends at rank {int(table.token_rank[-1]):,}."
    if layer == n_layers:
        return f"Only the last layer's read-out, {layer} of {n_layers}, ranks {name} first."
    return f"From layer {layer} of {n_layers} on, the read-out ranks {name} first."


def _lead_sentence(difference: FloatArray, word: str, over: str, n_layers: int) -> str:
    last = float(difference[-1])
    if last == 0:
        return f"At the last layer the read-out prefers neither {quoted(word)} nor {quoted(over)}."
    ahead, behind = (word, over) if last > 0 else (over, word)
    layer = settled_layer(difference > 0 if last > 0 else difference < 0)
    where = "At every layer" if layer == 1 else f"From layer {layer} of {n_layers} on,"
    return f"{where} the read-out prefers {quoted(ahead)} to {quoted(behind)}.{_largest_step(difference)}"


def _largest_step(difference: FloatArray) -> str:
    """Where the lead moves most from one layer to the next, and by how much; nothing of a model with one layer."""
    if len(difference) < 2:
        return ""
    at = int(np.abs(np.diff(difference)).argmax())
    return f" Its largest step is at layer {at + 2}: from {_signed(difference[at])} to {_signed(difference[at + 1])}."


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def attention_sentence(turn: Turn, step: int = 0, layer: int | None = None) -> str:
    """How much is parked, and which of the conversation's own words was looked at most."""
    shares = attention_by_word(turn, step, layer)
    groups = attention_groups(shares)
    parked = f"{percent(float(groups.get(PARKED, 0.0)))} is parked on the first token and the template"
    examples = f", {percent(float(groups['recipe']))} goes to the worked examples" if "recipe" in groups else ""
    most = _most_looked_at(shares)
    words = f" Of the conversation's own words, {most}." if most else " There are no other words."
    return f"{parked}{examples}.{words}"


def _most_looked_at(shares: pd.DataFrame) -> str | None:
    own = shares[~shares["group"].isin([PARKED, "recipe"])]
    own = own[[not is_mark(word) for word in own["word"]]] if len(own) else own
    if own.empty:
        return None
    best = own.sort_values("share").iloc[-1]
    return f"{quoted(str(best['word']))} got most: {percent(float(best['share']))}"
