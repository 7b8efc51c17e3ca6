"""The pages of docs/ as what they tell a reader to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Language and text of each block in one of these languages, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```({'|'.join(languages)})\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def typed(page: Path) -> list[tuple[str, str]]:
    """What is typed, in order: each line of a `bash` block, without what is said of it, and each `python` block."""
    found: list[tuple[str, str]] = []
    for language, text in blocks(page, "bash", "python"):
        if language == "python":
            found.append(("python", text))
        else:
            lines = (re.sub(r"\s+#\s.*", "", line).strip() for line in text.splitlines())
            found += [("bash", line) for line in lines if line]
    return found


def section(page: Path, heading: str) -> str:
    """The text below a heading, up to the next of the same level or a higher one."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    assert found is not None, f"{page.name} has no heading “{heading}”"
    return found[2]


def first_column(text: str) -> list[str]:
    """The names in backticks of the first column of a section's table."""
    cells = re.findall(r"^\|(.*?)\|", text, flags=re.MULTILINE)[2:]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
