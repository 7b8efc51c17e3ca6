"""Numbers and tokens as people read them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Literal


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


DifferenceOf = Literal["prob", "rank", "logit", "nats"]

LEAST: dict[DifferenceOf, tuple[float, str]] = {
    "prob": (0.005, "a point"),
    "rank": (0.5, "a rank"),
    "logit": (0.05, "0.1 logits"),
    "nats": (0.005, "0.01 nats"),
}
"""The largest difference that is written as nothing, and by what nothing differs then."""


def difference(value: float, of: DifferenceOf) -> str:
    """A difference with its sign, as people read it: +38 points, -1 rank, +0.25 nats; "" of one that is nothing."""
    if abs(value) <= LEAST[of][0]:
        return ""
    number, unit = {
        "prob": (f"{100 * value:+.0f}", "point"),
        "rank": (f"{value:+,.0f}", "rank"),
        "logit": (f"{value:+.1f}", "logit"),
        "nats": (f"{value:+.2f}", "nat"),
    }[of]
    return f"{number} {unit if number in ('+1', '-1') else f'{unit}s'}"


def again_clause(more: float, digits: int = 0) -> str:
    """What of a change in probability or share comes with merely being asked again; "" where that is not known."""
    if math.isnan(more):
        return ""
    points = round(100 * more, digits)
    return f" (merely asked again: {f'{points:+.{digits}f}' if points else '0'})"


def one_in(share: float) -> str:
    """A very small share as people write it: 1 in 21,000, 1 in 3.4 million."""
    if share < 1e-12:
        return "less than 1 in a trillion"
    several = float(f"{1 / share:.1e}")
    if several < 1e6:
        return f"1 in {several:,.0f}"
    name, unit = ("million", 1e6) if several < 1e9 else ("billion", 1e9)
    return f"1 in {several / unit:,.3g} {name}"


def nats(value: float) -> str:
    """A number of nats with as many digits as it means: 0.02 nats, 1.3 nats, 14 nats."""
    return f"{amount(value)} nats"


def amount(value: float) -> str:
    """A number of nats or logits with as many digits as it means: 0.02, 1.3, 14."""
    return f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"


def signed_nats(value: float) -> str:
    """The same with its sign: +0.02 nats, -1.3 nats, +14 nats."""
    return f"{'-' if value < 0 else '+'}{nats(abs(value))}"


def signed_amount(value: float) -> str:
    """A number of nats with its sign and without its unit: +0.02, -1.3; 0 has none."""
    return "0" if abs(value) < LEAST["nats"][0] else signed_nats(value).removesuffix(" nats")


def tiny(gap: float) -> str:
    """A very small number as people write it: 1·10⁻⁶."""
    if gap == 0:
        return "0"
    digits, exponent = f"{gap:.0e}".split("e")
    return f"{digits}·10{str(int(exponent)).translate(_SUPERSCRIPT)}"


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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
    return f"“{shown(text.strip() or text)}”"


def quoted_token(token: str) -> str:
    """A token in quotation marks, with its space: “·Paris” and “Paris” are two tokens."""
    return f"“{shown(token)}”"


def listed(parts: Sequence[str]) -> str:
    """One or more parts as a sentence lists them: “a”, “a and b”, “a, b and c”."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def capitalised(sentence: str) -> str:
    """The sentence with a capital in front; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]
