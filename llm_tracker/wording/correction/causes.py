"""What hiding words, taking a margin apart and swapping heads say."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.experiments.values.findings import (
    Attribution,
    FrozenRoute,
    Heads,
    HeadShare,
    HeadsTogether,
    KnockOuts,
)
from llm_tracker.wording.formats import nats, percent, quoted, signed_nats

LEAST_NATS = 0.05

PART_LABELS = {"recipe": "the worked examples", "system": "the system line", "template": "the template's marks"}


def named_part(text: str, role: str, is_segment: bool = False) -> str:
    """What a word or a segment is called in a sentence."""
    if role in PART_LABELS and (is_segment or role != "system"):
        return PART_LABELS[role]
    return quoted(text)


def hidden_sentence(found: KnockOuts) -> str:
    """Which word changes the margin most when it is hidden from the answer position."""
    words = [word for word in found.words if not word.is_segment]
    if not words:
        return "There is no word to hide."
    most = max(words, key=lambda word: abs(word.delta))
    where = "" if found.layers[0] == 1 else f" in layers {found.layers[0]} to {found.layers[1]}"
    if abs(most.delta) < LEAST_NATS:
        return f"Hiding any one word from the answer position{where} changes the lead by less than {nats(LEAST_NATS)}."
    others = [word for word in words if word is not most]
    second = max(others, key=lambda word: abs(word.delta), default=None)
    rest = "" if second is None else f"; the next is {quoted(second.text)} with {signed_nats(second.delta)}"
    hidden = f"Hiding {quoted(most.text)} from the answer position{where}"
    return f"{hidden} changes the lead by {signed_nats(most.delta)}{rest}."


def carried_sentence(found: FrozenRoute) -> str:
    """Which word adds most along the frozen routes, and what all add up to."""
    if not found.words:
        return "There is no word."
    most = max(found.words, key=lambda word: abs(word.contribution))
    bias = f", the model's own biases {signed_nats(found.bias)}" if abs(found.bias) >= LEAST_NATS else ""
    return (
        f"With attention, scales and gates held as they were, {named_part(most.text, most.role)} adds "
        f"{signed_nats(most.contribution)} of a lead of {signed_nats(found.margin)}{bias}; all words together are that "
        "lead."
    )


def looked_sentence(found: KnockOuts) -> str:
    """Where the answer position looked, parked attention named first."""
    words = [word for word in found.words if not word.is_segment and not word.out_of_distribution]
    shown = sum(word.share for word in words)
    most = max(words, key=lambda word: word.share, default=None)
    if most is None:
        return "There is no word to look at."
    return (
        f"Over all heads and layers, {quoted(most.text)} gets {percent(most.share)} of the answer position's "
        f"attention, the most of the words here; together they get {percent(shown)}, the rest goes to the worked "
        "examples, the template's marks and the first token. Looking is not a cause."
    )


def heads_sentence(found: Heads) -> str:
    """Which head brings most of the effect by itself, where it looked, and what chance brings."""
    if not found.shares:
        return "This model has no heads that could be replaced."
    best = found.shares[0]
    word = quoted(found.pair.target_word)
    looked = "" if best.attention_to_word is None else f"; it looks at {word} with {percent(best.attention_to_word)}"
    chance = max((abs(each.share) for each in found.random), default=0.0)
    return (
        f"Layer {best.layer} head {best.head} brings {_share(best.share)} of the effect by itself{looked}. Of "
        f"{len(found.random)} heads chosen by chance, the most is {_share(chance)}."
    )


def head_label(each: HeadShare, word: str, by_chance: bool = False) -> str:
    """A head above its bar, with how much of its attention is on the word."""
    named = f"layer {each.layer} head {each.head}" + (", by chance" if by_chance else "")
    return named if each.attention_to_word is None else f"{named}: {percent(each.attention_to_word)} on {quoted(word)}"


def _share(share: float) -> str:
    return f"-{percent(-share)}" if share < 0 else percent(share)


def together_sentence(found: Heads) -> str:
    """What the margin is without the strongest heads, beside as many by chance."""
    if not found.knocked_out:
        return ""
    last = found.knocked_out[-1]
    n = len(last.heads)
    chance = [each.delta for each in found.knocked_out_random if len(each.heads) == n]
    spread = f"; without {n} by chance, by {signed_nats(min(chance))} to {signed_nats(max(chance))}" if chance else ""
    return f"Without the first {n} heads at the answer position, the lead changes by {signed_nats(last.delta)}{spread}."


def attribution_sentence(found: Sequence[Attribution]) -> str:
    """Which part of the model adds most to the lead after the correction, directly."""
    after = next((each for each in found if each.name == "after"), None)
    if after is None:
        return "Nothing has been taken apart yet."
    parts = [(abs(value), value, layer.layer, kind) for layer in after.layers for kind, value in _parts(layer)]
    if not parts:
        return "This model has no layers."
    _, value, layer, kind = max(parts)
    return (
        f"After the correction, the {kind} of layer {layer} adds most directly: {signed_nats(value)} of a lead of "
        f"{signed_nats(after.logit_difference)}. What a part does through later layers is not in this."
    )


def _parts(layer: object) -> list[tuple[str, float]]:
    return [("attention", float(layer.attention)), ("feed-forward part", float(layer.mlp))]  # type: ignore[attr-defined]


def head_words_sentence(found: Attribution) -> str:
    """Which head brings most from which word, directly."""
    cells = [
        (abs(value), value, head, word)
        for head in found.head_words
        for value, word in zip(head.words, found.words, strict=True)
    ]
    if not cells:
        return ""
    _, value, head, word = max(cells, key=lambda each: each[0])
    return (
        f"The largest: layer {head.layer} head {head.head} brings {signed_nats(value)} from "
        f"{named_part(word.text, word.role)}."
    )


def knocked_out_label(each: HeadsTogether) -> str:
    """Heads in a table."""
    return ", ".join(f"{layer}.{head}" for layer, head in each.heads)
