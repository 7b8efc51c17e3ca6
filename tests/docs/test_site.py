"""The pages of docs/ as a site: built strictly, with every link checked, and with nothing that comes from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from documents import PAGES, ROOT, blocks

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself, and by which attribute."""


class Fetches(HTMLParser):
    """Collects what a page has a browser fetch, and what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in FETCHED and named.get(FETCHED[tag]):
            self.fetched.append(str(named[FETCHED[tag]]))
        if tag == "a" and named.get("href"):
            self.links.append(str(named["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. A warning fails the build: a link that leads nowhere, a page that no menu has."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    quiet = {
        **os.environ,
        "NO_MKDOCS_2_WARNING": "1",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_of_the_folder_is_a_page_of_the_site(site: Path) -> None:
    assert {page.stem for page in PAGES} <= {page.stem for page in site.glob("*.html")}


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        found = Fetches()
        found.feed(page.read_text(encoding="utf-8"))
        assert [each for each in found.fetched if re.match(r"\w+:|//", each) and not each.startswith("data:")] == []
        assert [link for link in found.links if link.startswith("..")] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_every_formula_is_drawn(site: Path) -> None:
    source = (ROOT / "docs" / "science.md").read_text(encoding="utf-8")
    n_formulas = len(blocks(ROOT / "docs" / "science.md", "math")) + len(re.findall(r"\$`.+?`\$", source))
    page = (site / "science.html").read_text(encoding="utf-8")
    assert page.count("<math ") == n_formulas > 20
    assert "data-formula" not in page
    assert "```math" not in page


def test_what_is_code_is_no_formula(site: Path) -> None:
    assert all(
        "<math" not in page.read_text(encoding="utf-8") for page in site.glob("*.html") if page.stem != "science"
    )
