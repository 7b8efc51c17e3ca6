"""Pages are found in their folder, and linked in the order of their numbers."""

from __future__ import annotations

import ast
from pathlib import Path

from visitor import ROOT

from llm_tracker.app.frame.found_pages import found_pages


def test_a_page_that_comes_is_found_by_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in (
        "9_Guide.py",
        "10_Two_models.py",
        "8_Models.py",
        "__init__.py",
        "notes.txt",
        "_3_Draft.py",
        "3b_Notes.py",
    ):
        folder.joinpath(name).touch()
    assert list(found_pages(tmp_path).items()) == [
        ("dashboard.py", "Ask"),
        ("pages/8_Models.py", "Models"),
        ("pages/9_Guide.py", "Guide"),
        ("pages/10_Two_models.py", "Two models"),
    ]


def test_every_page_is_opened_under_the_title_of_its_file() -> None:
    pages = found_pages(ROOT)
    titles = "Ask Tokens Layers Attention Correction Compare Study History Models Teach Guide"
    assert list(pages.values()) == titles.split()
    for path, title in pages.items():
        calls = [node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)]
        (opened,) = [call for call in calls if getattr(call.func, "id", "") == "open_page"]
        assert [ast.literal_eval(each) for each in opened.args] == [title]
