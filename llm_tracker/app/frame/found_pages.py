"""The pages that there are: found in their folder as Streamlit finds them, so that a new one is listed nowhere."""

from __future__ import annotations

from pathlib import Path

from llm_tracker.languages.texts import later

MAIN = {"dashboard.py": later("Ask")}
"""The page that the app is started with; it has no number."""


def found_pages(directory: Path) -> dict[str, str]:
    """The title of each page by its path in the app's directory, in the order of the links.

    `pages/10_Two_models.py` is the page "Two models", behind those with lower numbers. Titles are said where they are
    shown.
    """
    named = {file.name: file.stem.partition("_") for file in directory.joinpath("pages").glob("*_*.py")}
    numbered = sorted((int(number), name, title) for name, (number, _, title) in named.items() if number.isdecimal())
    return MAIN | {f"pages/{name}": title.replace("_", " ") for _, name, title in numbered}
