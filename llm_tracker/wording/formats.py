"""Numbers and tokens as people read them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Literal

from llm_tracker.languages.numbers import MINUS, number
from llm_tracker.languages.texts import later, say, say_n


def percent(share: float, sign: str = " %") -> str:
    """A share with as many digits as it means: 97 %, 3 %, 0.3 %, under 0.1 %, over 99.9 %."""
    if share <= 0:
        return f"0{sign}"
    if share < 0.001:
        return say("under {share}", share=f"{number(0.1)}{sign}")
    if 0.9995 <= share < 1:
        return say("over {share}", share=f"{number(99.9)}{sign}")
    return f"{number(share * 100, '.1f' if share < 0.0095 or 0.995 <= share < 1 else '.0f')}{sign}"


DifferenceOf = Literal["prob", "rank", "logit", "nats"]

LEAST: dict[DifferenceOf, tuple[float, str]] = {
    "prob": (0.005, later("a point")),
    "rank": (0.5, later("a rank")),
    "logit": (0.05, later("0.1 logits")),
    "nats": (0.005, later("0.01 nats")),
}
"""The largest difference that is written as nothing, and by what nothing differs then."""


def difference(value: float, of: DifferenceOf) -> str:
    """A difference with its sign, as people read it: +38 points, −1 rank, +0.25 nats; "" of one that is nothing."""
    if abs(value) <= LEAST[of][0]:
        return ""
    n = number(100 * value, "+.0f") if of == "prob" else number(value, "+,.0f")
    several = 1 if n in ("+1", f"{MINUS}1") else 2
    if of == "prob":
        return say_n("{n} point", "{n} points", several, n=n)
    if of == "rank":
        return say_n("{n} rank", "{n} ranks", several, n=n)
    return say("{n} logits", n=number(value, "+.1f")) if of == "logit" else say("{n} nats", n=number(value, "+.2f"))


def again_clause(more: float, digits: int = 0) -> str:
    """What of a change in probability or share comes with merely being asked again; "" where that is not known."""
    if math.isnan(more):
        return ""
    points = round(100 * more, digits)
    return f" ({say('merely asked again: {points}', points=number(points, f'+.{digits}f') if points else '0')})"


def one_in(share: float) -> str:
    """A very small share as people write it: 1 in 21,000, 1 in 3.4 million."""
    if share < 1e-12:
        return say("less than 1 in a trillion")
    several = float(f"{1 / share:.1e}")
    if several < 1e6:
        return say("1 in {n}", n=number(several, ",.0f"))
    if several < 1e9:
        return say("1 in {n} million", n=number(several / 1e6, ",.3g"))
    return say("1 in {n} billion", n=number(several / 1e9, ",.3g"))


def nats(value: float) -> str:
    """A number of nats with as many digits as it means: 0.02 nats, 1.3 nats, 14 nats."""
    return say("{n} nats", n=amount(value))


def amount(value: float) -> str:
    """A number of nats or logits with as many digits as it means: 0.02, 1.3, 14."""
    return number(value, ".2f" if abs(value) < 1 else ".1f" if abs(value) < 10 else ".0f")


def signed_nats(value: float) -> str:
    """The same with its sign: +0.02 nats, −1.3 nats, +14 nats."""
    return say("{n} nats", n=_signed(value))


def signed_amount(value: float) -> str:
    """A number of nats with its sign and without its unit: +0.02, −1.3; 0 has none."""
    return "0" if abs(value) < LEAST["nats"][0] else _signed(value)


def _signed(value: float) -> str:
    return f"{MINUS if value < 0 else '+'}{amount(abs(value))}"


def tiny(gap: float) -> str:
    """A very small number as people write it: 1·10⁻⁶."""
    return "0" if gap == 0 else number(gap, ".0e")


_VISIBLE = {"\n": "↵", "\t": "⇥", "\r": "␍"}


def shown(token: str) -> str:
    """A token as text that can be seen: outer spaces as dots, line ends as arrows, invisible characters by number."""
    inner = token.strip(" ")
    start = len(token) - len(token.lstrip(" "))
    dots = "·" * start + inner + "·" * (len(token) - start - len(inner)) if inner else "·" * len(token)
    return visible(dots)


def visible(text: str, but: str = "") -> str:
    """Text in which every character can be seen: line ends as arrows, control and bidi characters by number.

    Characters in `but` stay as they are.
    """
    return "".join(character if character in but else _visible(character) for character in text)


def _visible(character: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and character != "\u200d":
        return f"⟨U+{ord(character):04X}⟩"
    return character


def quoted(text: str) -> str:
    """A word in quotation marks, fit to be seen, without the white space around it."""
    return in_quotes(shown(text.strip() or text))


def quoted_token(token: str) -> str:
    """A token in quotation marks, with its space: “·Paris” and “Paris” are two tokens."""
    return in_quotes(shown(token))


def in_quotes(text: str) -> str:
    """A text as it is, in the quotation marks of the language."""
    return say("“{text}”", text=text)


def listed(parts: Sequence[str]) -> str:
    """One or more parts as a sentence lists them: “a”, “a and b”, “a, b and c”."""
    if len(parts) == 1:
        return parts[0]
    return say("{first} and {last}", first=", ".join(parts[:-1]), last=parts[-1])


def capitalised(sentence: str) -> str:
    """The sentence with a capital in front; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]
