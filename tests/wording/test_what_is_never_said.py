"""No sentence, title or label says that a model knows, believes, focuses, learns or is confident."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import llm_tracker as lt

ROOMS = ("wording", "charts", "figures", "export", "cli")
PACKAGE = Path(lt.__file__).parent
LANGUAGES = PACKAGE / "languages"

NEVER = re.compile(
    r"\b(know(s|n)?|knew|believ\w*|understand\w*|understood|admit\w*|focus\w*|learn(s|ed|t|ing)?|thinks?|confiden\w*"
    r"|sycophan\w*|wants?|feels?|remember\w*|realis\w*|realiz\w*|intend\w*)\b",
    re.IGNORECASE,
)
"""What a model does not do, as far as anything here can tell."""


def texts_of(path: Path) -> list[str]:
    """Every text of a module that may be read by a user: all but docstrings and what stands beside a name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in notes
        and " " in node.value
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_of_a_model_nothing_is_said_that_its_numbers_do_not_say(room: str) -> None:
    said = {
        f"{path.relative_to(PACKAGE)}: {text}"
        for path in (PACKAGE / room).rglob("*.py")
        for text in texts_of(path)
        if NEVER.search(text)
    }
    assert said == set()


OF_A_MODEL = {
    "en": r"knows|knew|believe[sd]|understands|understood|admit(s|ted)|focuse[sd]|learn(s|ed|t)|thinks|confident\w*"
    r"|sycophantic|wants|feels|felt|remember(s|ed)|reali[sz]e[sd]|intend(s|ed)",
    "de": r"weiß|wusste|glaubt\w*|versteht|verstand|verstanden|gibt zu|zugegeben|(fokuss|konzentr)iert|lernt\w*|gelernt"
    r"|denkt|dachte|zuversichtlich\w*|überzeugt|schmeichelt|will|möchte|fühlt\w*|erinnert\w*|beabsichtigt\w*",
    "es": r"sabe|sabía|supo|cree|creía|creyó|entiende|entendió|admitió|se (enfoca|concentra|enfocó|concentró)|aprende"
    r"|aprendió|aprendido|piensa|pensó|segur[oa] de sí|quiere|quería|siente|sintió|recuerda|recordó|pretende",
}
"""The same of each language that the app speaks, in the forms that a model would be said it with."""

ANOTHER_MEANING = re.compile(
    r"learned sink|this version knows|\{model\} thinks before|known to most|sumidero aprendido|no se sabe"
    r"|\{model\} denkt vor|\{model\} piensa antes",
    re.IGNORECASE,
)
"""A sink that training made, a version of the app, and what reasoning models are made to write before they answer."""

SAID_BY_OTHERS = re.compile(r"“[^”]*”|„[^“]*“|^\| [^|]*\||^\* .*\(\d{4}\).*|\*[^*]+\*", re.MULTILINE)
"""Quotations, what the Guide's table says not to say, and the titles of papers."""


def of_a_model(text: str, language: str) -> list[str]:
    """The words of a text that say of a model what its numbers do not."""
    plain = ANOTHER_MEANING.sub(" ", SAID_BY_OTHERS.sub(" ", text))
    return [found[0] for found in re.finditer(rf"\b({OF_A_MODEL[language]})\b", plain, re.IGNORECASE)]


def texts_in(language: str) -> list[str]:
    """Every message and every line of a document that the app shows in a language."""
    catalogue = LANGUAGES / ("messages.pot" if language == "en" else f"{language}/messages.po")
    with catalogue.open("rb") as file:
        messages = [message.id if language == "en" else message.string for message in read_po(file) if message.id]
    forms = [form for each in messages for form in ([each] if isinstance(each, str) else each)]
    lines = [
        line
        for document in (LANGUAGES / language).glob("*.md")
        for line in re.split(r"\n(?=[|*]|\n)", document.read_text(encoding="utf-8"))
    ]
    return forms + [line.strip() for line in lines]


@pytest.mark.parametrize("language", OF_A_MODEL)
def test_no_language_of_the_app_says_it_either(language: str) -> None:
    texts = texts_in(language)
    assert len(texts) > 2000
    assert {text: found for text in texts if (found := of_a_model(text, language))} == {}


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "The model knows it."), ("de", "Es hat aus der Korrektur gelernt."), ("es", "El modelo recuerda Londres.")],
)
def test_it_would_be_found(language: str, text: str) -> None:
    assert of_a_model(text, language)
