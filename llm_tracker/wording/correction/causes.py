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
from llm_tracker.prompts.words import Span
from llm_tracker.wording.correction.amounts import LEAST_NATS, signed_share
from llm_tracker.wording.formats import nats, percent, quoted, signed_nats

PART_LABELS = {"recipe": "the worked examples", "system": "the system line", "template": "the template's marks"}


def named_part(text: str, role: str, is_segment: bool = False) -> str:
    """What a word or a segment is called in a sentence."""
    if role in PART_LABELS and (is_segment or role != "system"):
        return PART_LABELS[role]
    return quoted(text)


def hidden_sentence(found: KnockOuts, n_layers: int) -> str:
    """Which word changes the margin most when it is hidden from the answer position, of a model of so many layers."""
    single = [word for word in found.words if not word.is_segment]
    words = [word for word in single if not word.out_of_distribution]
    if not single:
        return "There is no word to hide."
    if not words:
        return "No word here can be hidden without the first token or the template's marks."
    aside = "" if words == single else " Words that hide the first token or the template's marks too are left out."
    first, *others = sorted(words, key=lambda word: -abs(word.delta))
    where = in_layers(found.layers, n_layers)
    if abs(first.delta) < LEAST_NATS:
        least = nats(LEAST_NATS)
        return f"Hiding any one word from the answer position{where} changes the lead by less than {least}.{aside}"
    rest = f"; the next is {quoted(others[0].text)} with {signed_nats(others[0].delta)}" if others else ""
    hidden = f"Hiding {quoted(first.text)} from the answer position{where}"
    return f"{hidden} changes the lead by {signed_nats(first.delta)}{rest}.{aside}"


def hidden_segments_sentence(found: KnockOuts, n_layers: int) -> str:
    """What the bars of whole messages are, and which are to be read with care."""
    return (
        f"Each message as a whole, hidden from the answer position{in_layers(found.layers, n_layers)}; grey hides the "
        "first token or the template's marks too, where attention is parked."
    )


def in_layers(window: Span, n_layers: int) -> str:
    """The layers of a window, from first to last, as a sentence goes on with them; "" where it is all of them."""
    first, last = window
    if (first, last) == (1, n_layers):
        return ""
    return f" in layer {first}" if first == last else f" in layers {first} to {last}"


def carried_sentence(found: FrozenRoute) -> str:
    """Which word adds most along the frozen routes, and what all add up to."""
    if not found.words:
        return "There is no word."
    most = max(found.words, key=lambda word: abs(word.contribution))
    bias, all_parts = "", "all words together"
    if abs(found.bias) >= LEAST_NATS:
        bias, all_parts = f", the model's own biases {signed_nats(found.bias)}", "all words and these biases together"
    return (
        f"With attention, scales and gates held as they were, {named_part(most.text, most.role)} adds "
        f"{signed_nats(most.contribution)} of a lead of {signed_nats(found.margin)}{bias}; {all_parts} are that lead."
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
    named, share = f"Layer {best.layer} head {best.head}", signed_share(best.share)
    if best.share >= 0:
        return f"{named} brings {share} of the effect by itself{looked}.{_by_chance(found.random)}"
    most = max(found.shares, key=lambda each: each.share)
    helps = f" Of those that bring it, layer {most.layer} head {most.head} brings {signed_share(most.share)}."
    others = (helps if most.share > 0 else "") + _by_chance(found.random)
    return f"{named} works against the effect ({share}){looked}.{others}"


def _by_chance(heads: Sequence[HeadShare]) -> str:
    """What the strongest of the heads chosen by chance brings; "" where there were none to choose."""
    if not heads:
        return ""
    most = signed_share(max((each.share for each in heads), key=abs))
    if len(heads) == 1:
        return f" One head chosen by chance brings {most}."
    return f" Of {len(heads)} heads chosen by chance, the most is {most}."


def head_label(each: HeadShare, word: str, by_chance: bool = False) -> str:
    """A head above its bar, with how much of its attention is on the word."""
    named = f"layer {each.layer} head {each.head}" + (", by chance" if by_chance else "")
    return named if each.attention_to_word is None else f"{named}: {percent(each.attention_to_word)} on {quoted(word)}"


def together_sentence(found: Heads) -> str:
    """What the margin is without the strongest heads, beside as many by chance."""
    if not found.knocked_out:
        return ""
    last = found.knocked_out[-1]
    n = len(last.heads)
    heads = "the first head" if n == 1 else f"the first {n} heads"
    spread = _spread([each.delta for each in found.knocked_out_random if len(each.heads) == n])
    chance = f"; without {'one' if n == 1 else n} by chance, by {spread}" if spread else ""
    told = f"Without {heads} at the answer position, the lead changes by {signed_nats(last.delta)}{chance}."
    by_chance = [each.delta for each in found.knocked_out_random if len(each.heads) == n]
    is_within = bool(by_chance) and min(by_chance) <= last.delta <= max(by_chance)
    return f"{told} That is no more than heads by chance do." if is_within else told


def _spread(deltas: Sequence[float]) -> str:
    """From the least to the most, or the one number that both are; "" of none."""
    ends = dict.fromkeys(signed_nats(end(deltas)) for end in (min, max)) if deltas else {}
    return " to ".join(ends)


ATTRIBUTION_CASES = {
    "before": "Before the correction",
    "asked_again": "Merely asked again",
    "after": "After the correction",
}

DIRECT_ALONE = "What a part does through later layers is not in this."


def attribution_sentence(found: Sequence[Attribution], name: str) -> str:
    """Which part of the model adds most to the lead, directly: of one answer, or of what changes (“difference”)."""
    by_name: dict[str, Attribution] = {each.name: each for each in found}
    needed = ("after", "asked_again") if name == "difference" else (name,)
    if any(each not in by_name for each in needed):
        return "Nothing has been taken apart yet."
    if name == "difference":
        return _difference_sentence(by_name["after"], by_name["asked_again"])
    own = by_name[name]
    if not own.layers:
        return "This model has no layers."
    part, value = _largest(_parts(own))
    return (
        f"{ATTRIBUTION_CASES[name]}, {part} adds most directly: {signed_nats(value)} of a lead of "
        f"{signed_nats(own.logit_difference)}. {DIRECT_ALONE}"
    )


def _difference_sentence(after: Attribution, again: Attribution) -> str:
    """Which part adds something else after the correction than when merely asked again."""
    of_again = _parts(again)
    changes = {part: value - of_again[part] for part, value in _parts(after).items() if part in of_again}
    if not changes:
        return "This model has no layers."
    part, value = _largest(changes)
    if abs(value) < LEAST_NATS:
        least = nats(LEAST_NATS)
        return f"No part adds {least} more or less after the correction than when merely asked again. {DIRECT_ALONE}"
    return (
        f"Against merely asking again, what {part} adds directly changes most: by {signed_nats(value)}; the lead "
        f"changes by {signed_nats(after.logit_difference - again.logit_difference)}. {DIRECT_ALONE}"
    )


def _parts(found: Attribution) -> dict[str, float]:
    """By name: what each part adds."""
    return {
        f"the {kind} of layer {layer.layer}": value
        for layer in found.layers
        for kind, value in (("attention", layer.attention), ("feed-forward part", layer.mlp))
    }


def _largest(parts: dict[str, float]) -> tuple[str, float]:
    return max(parts.items(), key=lambda each: abs(each[1]))


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
