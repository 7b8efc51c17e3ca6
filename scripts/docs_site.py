"""What MkDocs does besides to the pages of docs/, which are written for a reader of the files as well: `make docs`.

Formulas stand in them as GitHub reads them: `math` blocks, and $`…`$ within a line. Here they become MathML, which
browsers draw by themselves, so that no script and no font has to be fetched. A link out of docs/ leads to no page of
the site: it becomes the name of the file.
"""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

CODE = r"(?P<code>^```(?!math).*?^```|`[^`\n$]+`)"
BLOCK = r"^```math\n(?P<block>.*?)^```"
WITHIN = r"\$`(?P<within>.+?)`\$"
FORMULAS = re.compile(rf"{WITHIN}|{BLOCK}|{CODE}", re.DOTALL | re.MULTILINE)
"""What is code stays as it is, a formula in it too."""

PLACE = re.compile(r'<(?:span|div) data-formula="(\d+)"></(?:span|div)>')
OUTWARDS = re.compile(r"\[`?([^\]`]+)`?\]\(\.\./[^)]+\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Take the formulas out, so that no mark in them is read as Markdown, and unlink what is no page."""
    formulas: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        is_block = found["block"] is not None
        formulas.append(math_ml(found["block"] or found["within"], is_block))
        kind = "div" if is_block else "span"
        return f'<{kind} data-formula="{len(formulas) - 1}"></{kind}>'

    left = FORMULAS.sub(place, markdown)
    page.meta["formulas"] = formulas
    return OUTWARDS.sub(r"`\1`", left)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Put the formulas into their places."""
    return PLACE.sub(lambda found: page.meta["formulas"][int(found[1])], html)


def math_ml(formula: str, is_block: bool) -> str:
    """A formula of LaTeX as MathML, with its LaTeX beside it for who copies it."""
    drawn = convert(" ".join(formula.split()), display="block" if is_block else "inline")
    return f'<div class="formula">{drawn}</div>' if is_block else drawn
