"""Texts and numbers in the language that is spoken; English where there is no translation."""

from __future__ import annotations

import contextvars

import pytest

from llm_tracker.languages import spoken, texts
from llm_tracker.languages.numbers import localised, number
from llm_tracker.languages.spoken import ask_for_language, in_language, in_this_language, language
from llm_tracker.languages.texts import later, say, say_n

PO = """
msgid ""
msgstr ""
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "{word} leads with {share}."
msgstr "Mit {share} führt {word}."

msgid "{n} wording"
msgid_plural "{n} wordings"
msgstr[0] "{n} Formulierung"
msgstr[1] "{n} Formulierungen"

msgid "after"
msgstr "nachher"

msgctxt "axis"
msgid "after"
msgstr "danach"
"""


@pytest.fixture
def german(tmp_path, monkeypatch):
    tmp_path.joinpath("de").mkdir()
    tmp_path.joinpath("de", "messages.po").write_text(PO, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    texts._translations.cache_clear()
    with in_language("de"):
        yield
    texts._translations.cache_clear()


def test_english_is_said_as_it_is_written():
    assert say("{word} leads with {share}.", word="Paris", share="95 %") == "Paris leads with 95 %."
    assert say("Braces {} stay where nothing is filled in") == "Braces {} stay where nothing is filled in"
    assert [say_n("{n} wording", "{n} wordings", n) for n in (0, 1, 2)] == ["0 wordings", "1 wording", "2 wordings"]


@pytest.mark.usefixtures("german")
def test_another_language_has_an_order_of_its_own():
    assert say("{word} leads with {share}.", word="Paris", share="95 %") == "Mit 95 % führt Paris."


@pytest.mark.usefixtures("german")
def test_a_number_chooses_the_form():
    assert say_n("{n} wording", "{n} wordings", 1) == "1 Formulierung"
    assert say_n("{n} wording", "{n} wordings", 4) == "4 Formulierungen"


@pytest.mark.usefixtures("german")
def test_a_context_tells_two_meanings_apart():
    assert say("after") == "nachher"
    assert say("after", context="axis") == "danach"


@pytest.mark.usefixtures("german")
def test_what_has_no_translation_is_said_in_english():
    assert say("{n} of these", n=3) == "3 of these"
    assert say(later("as it is")) == "as it is"
    assert say("") == ""


@pytest.mark.parametrize(
    ("code", "written"), [("en", "+1,234.50"), ("de", "+1.234,50"), ("es", "+1.234,50")], ids=["en", "de", "es"]
)
def test_numbers_have_the_marks_of_the_language(code, written):
    with in_language(code):
        assert number(1234.5, "+,.2f") == written
        assert localised("+1,234.50") == written
        assert number(-0.004, "+.2f") == number(-0.004, ".2f") == f"0{written[-3]}00", "nothing is not below nothing"
        assert number(-1.25e-6, ".3g") == f"\N{MINUS SIGN}1{written[-3]}25·10⁻⁶"
        assert number(-1234.5, "+,.2f") == localised("-1,234.50") == written.replace("+", "\N{MINUS SIGN}")


def test_a_thread_that_carries_no_language_asks_who_knows_it(monkeypatch):
    monkeypatch.setattr(spoken, "_asked", spoken._asked)
    ask_for_language(lambda: "es")
    assert contextvars.Context().run(language) == "es"
    with in_language("de"):
        assert language() == "de"


def test_what_is_made_later_is_made_in_the_language_of_now():
    with in_language("es"):
        made = in_this_language(language)
    assert made() == "es"
    assert language() == "en"
