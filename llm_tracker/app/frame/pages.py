"""The pages that there are: found in their folder as Streamlit finds them, so that a new one is listed nowhere."""

from __future__ import annotations

from pathlib import Path

MAIN = {"dashboard.py": "Ask"}
"""The page that the app is started with; it has no number."""


def found_pages(directory: Path) -> dict[str, str]:
    """The title of each page by its path in the app's directory, in the order of the links.

    `pages/10_Two_models.py` is the page "Two models", behind those with lower numbers.
    """
    numbered = []
    for file in directory.joinpath("pages").glob("[0-9]*_*.py"):
        number, _, title = file.stem.partition("_")
        numbered.append((int(number), f"pages/{file.name}", title.replace("_", " ")))
    return MAIN | {path: title for _, path, title in sorted(numbered)}
