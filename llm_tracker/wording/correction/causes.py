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
    WordEffect,
)
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.prompts.words import Span
from llm_tracker.wording.correction.amounts import LEAST_NATS, signed_share
from llm_tracker.wording.correction.parts import head_name, named_part, part_name
from llm_tracker.wording.formats import nats, percent, quoted, signed_nats


def hidden_sentence(found: KnockOuts, n_layers: int) -> str:
    """Which word changes the margin most when it is hidden from the answer position, of a model of so many layers."""
    single = [word for word in found.words if not word.is_segment]
    words = [word for word in single if not word.out_of_distribution]
    if not single:
        return say("There is no word to hide.")
    if not words:
        return say("No word here can be hidden without the first token or the template's marks.")
    told = _most_when_hidden(words, _answer_position(found.layers, n_layers))
    if words == single:
        return told
    aside = say("Words that hide the first token or the template's marks too are left out.")
    return f"{told} {aside}"


def _most_when_hidden(words: Sequence[WordEffect], position: str) -> str:
    """Which word changes the lead most, and which comes next."""
    first, *others = sorted(words, key=lambda word: -abs(word.delta))
    if abs(first.delta) < LEAST_NATS:
        return say(
            "Hiding any one word from {position} changes the lead by less than {least}.",
            position=position,
            least=nats(LEAST_NATS),
        )
    most = {"word": quoted(first.text), "position": position, "change": signed_nats(first.delta)}
    if not others:
        return say("Hiding {word} from {position} changes the lead by {change}.", **most)
    return say(
        "Hiding {word} from {position} changes the lead by {change}; the next is {next} with {its_change}.",
        **most,
        next=quoted(others[0].text),
        its_change=signed_nats(others[0].delta),
    )


def hidden_segments_sentence(found: KnockOuts, n_layers: int) -> str:
    """What the bars of whole messages are, and which are to be read with care."""
    return say(
        "Each message as a whole, hidden from {position}; grey hides the first token or the template's marks too, "
        "where attention is parked.",
        position=_answer_position(found.layers, n_layers),
    )


def _answer_position(window: Span, n_layers: int) -> str:
    """From what words are hidden: with the layers of a window, from first to last, unless it is all of them."""
    first, last = window
    if (first, last) == (1, n_layers):
        return say("the answer position")
    if first == last:
        return say("the answer position in layer {layer}", layer=first)
    return say("the answer position in layers {first} to {last}", first=first, last=last)


def carried_sentence(found: FrozenRoute) -> str:
    """Which word adds most along the frozen routes, and what all add up to."""
    if not found.words:
        return say("There is no word.")
    most = max(found.words, key=lambda word: abs(word.contribution))
    told = {
        "part": named_part(most.text, most.role),
        "value": signed_nats(most.contribution),
        "lead": signed_nats(found.margin),
    }
    if abs(found.bias) < LEAST_NATS:
        return say(
            "With attention, scales and gates held as they were, {part} adds {value} of a lead of {lead}; all words "
            "together are that lead.",
            **told,
        )
    return say(
        "With attention, scales and gates held as they were, {part} adds {value} of a lead of {lead}, the model's own "
        "biases {biases}; all words and these biases together are that lead.",
        **told,
        biases=signed_nats(found.bias),
    )


def looked_sentence(found: KnockOuts) -> str:
    """Where the answer position looked, parked attention named first."""
    words = [word for word in found.words if not word.is_segment and not word.out_of_distribution]
    shown = sum(word.share for word in words)
    most = max(words, key=lambda word: word.share, default=None)
    if most is None:
        return say("There is no word to look at.")
    return say(
        "Over all heads and layers, {word} gets {share} of the answer position's attention, the most of the words "
        "here; together they get {together}, the rest goes to the worked examples, the template's marks and the first "
        "token. Looking is not a cause.",
        word=quoted(most.text),
        share=percent(most.share),
        together=percent(shown),
    )


def heads_sentence(found: Heads) -> str:
    """Which head brings most of the effect by itself, where it looked, and what chance brings."""
    if not found.shares:
        return say("This model has no heads that could be replaced.")
    best = found.shares[0]
    own = {"layer": str(best.layer), "head": str(best.head), "share": signed_share(best.share)}
    if best.share >= 0:
        told = [say("Layer {layer} head {head} brings {share} of the effect by itself", **own)]
    else:
        told = [say("Layer {layer} head {head} works against the effect ({share})", **own)]
    if best.attention_to_word is not None:
        word, share = quoted(found.pair.target_word), percent(best.attention_to_word)
        told.append(say("it looks at {word} with {share}", word=word, share=share))
    return " ".join(filter(None, (f"{'; '.join(told)}.", _helping(found.shares), _by_chance(found.random))))


def _helping(heads: Sequence[HeadShare]) -> str:
    """Where the strongest head works against the effect, what the strongest of those that bring it does."""
    most = max(heads, key=lambda each: each.share)
    if heads[0].share >= 0 or most.share <= 0:
        return ""
    return say(
        "Of those that bring it, layer {layer} head {head} brings {share}.",
        layer=most.layer,
        head=most.head,
        share=signed_share(most.share),
    )


def _by_chance(heads: Sequence[HeadShare]) -> str:
    """What the strongest of the heads chosen by chance brings; "" where there were none to choose."""
    if not heads:
        return ""
    return say_n(
        "One head chosen by chance brings {most}.",
        "Of {n} heads chosen by chance, the most is {most}.",
        len(heads),
        most=signed_share(max((each.share for each in heads), key=abs)),
    )


def head_label(each: HeadShare, word: str, by_chance: bool = False) -> str:
    """A head above its bar, with how much of its attention is on the word."""
    named = head_name(each.layer, each.head)
    if by_chance:
        named = say("{head}, by chance", head=named)
    if each.attention_to_word is None:
        return named
    return say("{head}: {share} on {word}", head=named, share=percent(each.attention_to_word), word=quoted(word))


def together_sentence(found: Heads) -> str:
    """What the margin is without the strongest heads, beside as many by chance."""
    if not found.knocked_out:
        return ""
    last = found.knocked_out[-1]
    n = len(last.heads)
    told = say_n(
        "Without the first head at the answer position, the lead changes by {change}",
        "Without the first {n} heads at the answer position, the lead changes by {change}",
        n,
        change=signed_nats(last.delta),
    )
    by_chance = [each.delta for each in found.knocked_out_random if len(each.heads) == n]
    if not by_chance:
        return f"{told}."
    chance = say_n(
        "without one by chance, by {change}", "without {n} by chance, by {change}", n, change=_spread(by_chance)
    )
    told = f"{told}; {chance}."
    if not min(by_chance) <= last.delta <= max(by_chance):
        return told
    no_more = say("That is no more than heads by chance do.")
    return f"{told} {no_more}"


def _spread(deltas: Sequence[float]) -> str:
    """From the least to the most, or the one number that both are."""
    low, high = (signed_nats(end(deltas)) for end in (min, max))
    return low if low == high else say("{low} to {high}", low=low, high=high)


ATTRIBUTION_CASES = {
    "before": later("Before the correction"),
    "asked_again": later("Merely asked again"),
    "after": later("After the correction"),
}

DIRECT_ALONE = later("What a part does through later layers is not in this.")


def attribution_sentence(found: Sequence[Attribution], name: str) -> str:
    """Which part of the model adds most to the lead, directly: of one answer, or of what changes (“difference”)."""
    by_name: dict[str, Attribution] = {each.name: each for each in found}
    needed = ("after", "asked_again") if name == "difference" else (name,)
    if any(each not in by_name for each in needed):
        return say("Nothing has been taken apart yet.")
    if name == "difference":
        return _difference_sentence(by_name["after"], by_name["asked_again"])
    own = by_name[name]
    if not own.layers:
        return say("This model has no layers.")
    part, value = _largest(_parts(own))
    told = say(
        "{case}, {part} adds most directly: {value} of a lead of {lead}.",
        case=say(ATTRIBUTION_CASES[name]),
        part=part,
        value=signed_nats(value),
        lead=signed_nats(own.logit_difference),
    )
    return f"{told} {say(DIRECT_ALONE)}"


def _difference_sentence(after: Attribution, again: Attribution) -> str:
    """Which part adds something else after the correction than when merely asked again."""
    of_again = _parts(again)
    changes = {part: value - of_again[part] for part, value in _parts(after).items() if part in of_again}
    if not changes:
        return say("This model has no layers.")
    part, value = _largest(changes)
    if abs(value) < LEAST_NATS:
        told = say(
            "No part adds {least} more or less after the correction than when merely asked again.",
            least=nats(LEAST_NATS),
        )
    else:
        told = say(
            "Against merely asking again, what {part} adds directly changes most: by {value}; the lead changes by "
            "{change}.",
            part=part,
            value=signed_nats(value),
            change=signed_nats(after.logit_difference - again.logit_difference),
        )
    return f"{told} {say(DIRECT_ALONE)}"


def _parts(found: Attribution) -> dict[str, float]:
    """By name: what each part adds."""
    return {
        part_name(kind, layer.layer): value
        for layer in found.layers
        for kind, value in (("attention", layer.attention), ("mlp", layer.mlp))
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
    return say(
        "The largest: layer {layer} head {head} brings {value} from {word}.",
        layer=head.layer,
        head=head.head,
        value=signed_nats(value),
        word=named_part(word.text, word.role),
    )


def knocked_out_label(each: HeadsTogether) -> str:
    """Heads in a table."""
    return ", ".join(f"{layer}.{head}" for layer, head in each.heads)
