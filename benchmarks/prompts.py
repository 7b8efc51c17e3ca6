"""Fresh prompts: of an exact number of tokens, and questions of one word."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from llm_tracker.places import app_dir

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

COUNTRIES = (
    "Peru Chile Italy Egypt Japan Kenya Norway Cuba Greece Turkey Poland Sweden Ireland Portugal Austria Hungary "
    "Finland Denmark Iceland Thailand Vietnam Nepal India Iran Iraq Morocco Tunisia Ghana Nigeria Angola Canada Mexico "
    "Panama Brazil Bolivia Ecuador Uruguay Paraguay Colombia Venezuela"
).split()
CORRECTION = "That is wrong. The correct answer is London."


def prompts(model: LoadedModel, length: int) -> Iterator[list[int]]:
    """Token ids of `length` tokens of English, each beginning at another place of the project's README."""
    text = (app_dir() / "README.md").read_text(encoding="utf-8")
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    endless = ids * (length // len(ids) + 2)
    for number in count():
        start = number * 41 % len(ids)
        yield endless[start : start + length]


def questions() -> Iterator[str]:
    """Questions that differ in one word."""
    for number in count():
        what = ("capital", "largest city", "language", "currency")[number // len(COUNTRIES) % 4]
        yield f"What is the {what} of {COUNTRIES[number % len(COUNTRIES)]}?"
