"""Collect every text that the interface says, and bring the languages' catalogues up to date: `make texts`.

python scripts/texts.py        # writes messages.pot, and adds what is new to each messages.po, untranslated
python scripts/texts.py fr     # begins another language
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from llm_tracker.app.frame.found_pages import found_pages

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ROOT / "llm_tracker" / "languages"
TEMPLATE = LANGUAGES / "messages.pot"
BEGUN = datetime(2026, 11, 30, tzinfo=UTC)
"""What the files say of their date: the history has the others, and no file changes where no text does."""

SAYING = {"say": 1, "later": 1, "say_n": 2}
"""What says a text, and how many forms of it."""


@dataclass(frozen=True)
class Text:
    """A text as it stands in the code, with the place where it is said."""

    forms: tuple[str, ...]
    context: str
    place: str


def said_in(path: Path) -> Iterator[Text]:
    """Every text that a module says. Raises ValueError for one that is put together where it is said."""
    place = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in SAYING:
            continue
        forms = node.args[: SAYING[node.func.id]]
        if node.func.id == "say" and isinstance(forms[0], (ast.Name, ast.Attribute, ast.Subscript, ast.Call)):
            continue  # what was marked by `later`
        context = next((each.value for each in node.keywords if each.arg == "context"), ast.Constant(""))
        yield Text(tuple(_constant(form, place) for form in forms), _constant(context, place), place)


def _constant(node: ast.expr, place: str) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise ValueError(f"{place}:{node.lineno}: a text has to be written whole where it is said, with {{names}}")
    return node.value


def modules() -> list[Path]:
    """Where texts are said."""
    return [
        ROOT / "dashboard.py",
        *sorted((ROOT / "pages").glob("*.py")),
        *sorted((ROOT / "llm_tracker").rglob("*.py")),
    ]


def page_titles() -> Iterator[Text]:
    """The pages' titles, which are the names of their files."""
    for path, title in found_pages(ROOT).items():
        yield Text((title,), "", path)


def collected() -> Catalog:
    """All texts, in the order of the modules that say them."""
    catalogue = Catalog(
        project="LLM Inference Tracker", charset="utf-8", creation_date=BEGUN, revision_date=BEGUN, header_comment=""
    )
    for text in [*page_titles(), *(text for path in modules() for text in said_in(path))]:
        forms = text.forms if len(text.forms) > 1 else text.forms[0]
        catalogue.add(forms, locations=[(text.place, 0)], context=text.context or None)
    return catalogue


def write(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue, with the files that say each text but without line numbers, which change with any edit."""
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, include_lineno=False, omit_header=False, ignore_obsolete=True)


def updated(code: str, template: Catalog) -> Catalog:
    """A language's catalogue with all texts of now: those that are new are empty, those that nobody says are gone."""
    path = LANGUAGES / code / "messages.po"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        catalogue = Catalog(locale=code)
    else:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.project, catalogue.header_comment, catalogue.fuzzy = template.project, "", False
    catalogue.creation_date = catalogue.revision_date = BEGUN
    return catalogue


def main() -> None:
    """Write the template and every language's catalogue."""
    template = collected()
    write(template, TEMPLATE)
    for code in {path.parent.name for path in LANGUAGES.glob("*/messages.po")} | set(sys.argv[1:]):
        write(updated(code, template), LANGUAGES / code / "messages.po")


if __name__ == "__main__":
    main()
