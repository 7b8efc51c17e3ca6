"""Every page in a made-up language, whose texts stand in brackets: what has none no translator has seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from html import unescape
from importlib import import_module
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from visitor import asked, corrected, opened, settled, visitor

from llm_tracker.app.ask.suggestions import CORRECTIONS, QUESTIONS
from llm_tracker.app.frame.found_pages import found_pages
from llm_tracker.app.work import engine as engines
from llm_tracker.languages import spoken, texts
from llm_tracker.places import app_dir

MADE_UP = "xx"
PAGES = [page for page in found_pages(app_dir()) if page != "dashboard.py"]


class Bracketed(NullTranslations):
    """Each text in brackets, so that what is shown tells where it comes from."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, engine: engines.Engine) -> engines.Engine:
    """An engine whose visitors speak the made-up language."""
    import_module("llm_tracker.app.frame.language_choice")  # or it would say later on whom to ask
    monkeypatch.setattr(spoken, "_asked", lambda: MADE_UP)
    monkeypatch.setattr(texts, "_translations", lambda code: Bracketed() if code == MADE_UP else NullTranslations())
    for module in ("llm_tracker.languages.numbers", "llm_tracker.charts.base"):
        monkeypatch.setattr(f"{module}.marks", lambda _code: (".", ","))
    for module in ("llm_tracker.app.guide.page", "llm_tracker.app.teach.lessons"):
        monkeypatch.setattr(f"{module}.document", _bracketed)
    return engine


def _bracketed(name: str) -> str:
    """A document of this language: each line in brackets."""
    text = spoken.FOLDER.joinpath("en", name).read_text(encoding="utf-8")
    return re.sub(r"[A-Za-z].*", "⟦\\g<0>⟧", text)


def shown(at: AppTest) -> Iterator[str]:
    """Every text of a page that somebody reads: labels, help, options, paragraphs, text alternatives of charts."""
    nodes: list[Any] = [at.main, at.sidebar]
    while nodes:
        node = nodes.pop()
        nodes.extend(getattr(node, "children", {}).values())
        if getattr(node, "proto", None) is not None:
            yield from _texts(node.proto)


READ = {"label", "help", "body", "value", "text", "placeholder", "options", "captions", "alt", "content", "caption"}
"""Fields of Streamlit's messages to the browser that a person reads."""


def _texts(proto: Any) -> Iterator[str]:
    for field, value in proto.ListFields():
        several = value if _is_list(value) else [value]
        for each in several:
            if hasattr(each, "ListFields"):
                yield from _texts(each)
            elif isinstance(each, str) and field.name in READ:
                yield each


def _is_list(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) and hasattr(value, "__len__") and not hasattr(value, "ListFields")


def unsaid(text: str) -> list[str]:
    """What stands outside of brackets and reads as English: two words in a row, or more."""
    plain = re.sub(r"<(style|pre|bdi)\b.*?</\1>", " ", text, flags=re.DOTALL)
    plain = unescape(re.sub(r"<[^>]*>", " ", plain))
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", plain)) != plain:
        plain = shorter
    for own in sorted(OWN, key=len, reverse=True):
        plain = plain.replace(own, " ")
    plain = re.sub(r"“[^“”]*”|`[^`]*`", " ", plain)
    return re.findall(r"[A-Za-z’']{2,}(?: [A-Za-z’']{2,})+", plain)


OWN = (
    "LLM Inference Tracker",
    "What is it?",
    "No, London.",
    "My teacher says that it is London.",
    *(correction.text.partition("{word}")[0].strip() for correction in CORRECTIONS),
    "My book says {named}.",
    "Community License",
    "Gemma terms",
    *(question.question for question in QUESTIONS),
    *(correction.text.replace("{word}", "London") for correction in CORRECTIONS),
)
"""What stays as it is in every language: names, and what is said to a model."""


def missing(at: AppTest) -> dict[str, list[str]]:
    return {text[:200]: found for text in shown(at) if (found := unsaid(text))}


def test_the_ask_page_says_everything_through_the_catalogue(made_up: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert "⟦" in at.caption[0].value
    assert missing(at) == {}
    at = corrected(asked(at))
    assert visitor(made_up).results == 2
    assert missing(at) == {}


def test_every_other_page_says_everything_through_the_catalogue(made_up: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    found = {}
    for page in PAGES:
        at = settled(at.switch_page(page).run())
        assert any("⟦" in text for text in shown(at)), page
        found[page] = missing(at)
    assert {page: texts for page, texts in found.items() if texts} == {}
