"""Numbers as the language that is spoken writes them."""

from __future__ import annotations

from functools import cache

from llm_tracker.languages.spoken import ENGLISH, language

MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, spec: str = "") -> str:
    """A number by Python's format specification, as people write it: −1,234.5 and 1.2·10⁻⁶.

    With the decimal mark and the thousands' mark of the language.
    """
    written, _, exponent = format(value, spec).partition("e")
    if not any(digit in written for digit in "123456789"):
        written = written.lstrip("-")  # what is rounded to nothing is not below it
    power = f"·10{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponent else ""
    return f"{localised(written)}{power}"


def localised(written: str) -> str:
    """A number that Python has written: -1,234.5 is −1.234,5 in German."""
    if language() == ENGLISH:
        return written.replace("-", MINUS)
    decimal, thousands = marks(language())
    return "".join({".": decimal, ",": thousands, "-": MINUS}.get(each, each) for each in written)


@cache
def marks(code: str) -> tuple[str, str]:
    """The decimal mark and the thousands' mark of a language."""
    from babel import Locale

    symbols = Locale(code).number_symbols["latn"]
    return symbols["decimal"], symbols["group"]
