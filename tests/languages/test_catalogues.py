"""Every text of the interface has its translation, with the same things filled in; every document has its sections."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from llm_tracker.app.teach.lessons import LESSONS, text_of
from llm_tracker.languages.spoken import ENGLISH, FOLDER, NAMES, document, in_language

ROOT = Path(__file__).resolve().parents[2]
OTHERS = sorted(set(NAMES) - {ENGLISH})
DOCUMENTS = sorted(path.name for path in (FOLDER / ENGLISH).glob("*.md"))
FILLED_IN = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def collected():
    sys.path.insert(0, str(ROOT / "scripts"))
    import texts

    yield texts.collected()
    sys.path.remove(str(ROOT / "scripts"))


def catalogue_of(path):
    with path.open("rb") as file:
        return read_po(file)


def keys(catalogue):
    return {(message.id, message.context) for message in catalogue if message.id}


def forms_of(text):
    return (text,) if isinstance(text, str) else tuple(text)


def test_the_template_has_every_text_that_is_said(collected):
    assert len(collected) > 100
    assert keys(catalogue_of(FOLDER / "messages.pot")) == keys(collected), "run: make texts"


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_a_translation_of_every_text_and_of_nothing_else(code, collected):
    catalogue = catalogue_of(FOLDER / code / "messages.po")
    assert keys(catalogue) == keys(collected), "run: make texts"
    empty = [message.id for message in catalogue if message.id and not all(forms_of(message.string))]
    assert empty == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_fills_in_what_the_text_does(code):
    wrong = {}
    for message in catalogue_of(FOLDER / code / "messages.po"):
        wanted = [sorted(FILLED_IN.findall(form)) for form in forms_of(message.id)]
        if not isinstance(message.id, str):  # a form for one alone may leave out the number
            wanted += [[name for name in names if name != "n"] for names in wanted]
        for form in forms_of(message.string) if message.id else ():
            if sorted(FILLED_IN.findall(form)) not in wanted:
                wrong[form] = wanted
    assert wrong == {}


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_keeps_marks_and_outer_spaces(code):
    wrong = []
    for message in catalogue_of(FOLDER / code / "messages.po"):
        for own, form in zip(forms_of(message.id), forms_of(message.string), strict=False) if message.id else ():
            same_ends = (own[:1] == " ", own[-1:] == " ") == (form[:1] == " ", form[-1:] == " ")
            if not same_ends or own.count("**") != form.count("**") or own.count("`") != form.count("`"):
                wrong.append((own, form))
    assert wrong == []


def test_german_texts_stand_in_german_quotation_marks():
    said = [form for message in catalogue_of(FOLDER / "de" / "messages.po") for form in forms_of(message.string)]
    written = [path.read_text(encoding="utf-8") for path in (FOLDER / "de").glob("*.md")]
    assert [text for text in (*said, *written) if set("„“”") & set(re.sub("„[^„“”]*“", "", text))] == []


@pytest.mark.parametrize("code", list(NAMES))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_the_same_sections_in_every_language(name, code):
    with in_language(code):
        own = document(name)
    with in_language(ENGLISH):
        english = document(name)
    for mark in ("\n## ", "\n| ", "\n* ", "\n1. "):
        assert own.count(mark) == english.count(mark), (name, code, mark)
    assert own.startswith("# ")


@pytest.mark.parametrize("code", list(NAMES))
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_has_its_five_parts(lesson, code):
    with in_language(code):
        text = text_of(lesson)
    assert all((text.title, text.goal, text.steps, text.say, text.do_not_say, text.sheet))
    assert len(set(text.headings)) == 5
