"""No sentence, title or label says that a model knows, believes, focuses, learns or is confident."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import llm_tracker as lt

ROOMS = ("wording", "charts", "figures", "export", "cli")
PACKAGE = Path(lt.__file__).parent

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
