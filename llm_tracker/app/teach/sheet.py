"""A lesson's sheet as a page to print: one file, which needs nothing else."""

from __future__ import annotations

from html import escape

from llm_tracker.app.teach.lessons import LessonText
from llm_tracker.languages.spoken import language

STYLE = """
@page { size: A4; margin: 18mm; }
body { font: 12pt/1.5 sans-serif; max-width: 46rem; margin: 2rem auto; color: #111; }
h1 { font-size: 18pt; margin: 0 0 .6rem; }
.name { display: flex; gap: 2rem; color: #444; margin-bottom: 1.2rem; }
.name span { flex: 1; border-bottom: 1px solid #777; padding-bottom: .2rem; }
li { margin: .7rem 0 1.6rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.2rem; }
th, td { border: 1px solid #777; padding: .45rem .6rem; text-align: left; height: 1.3rem; }
"""


def sheet_html(text: LessonText, name: str, date: str) -> str:
    """The sheet of a lesson, with a line for a `name` and a `date` as they are called in its language."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text.sheet)
    title = escape(text.title)
    return (
        f'<!doctype html><html lang="{language()}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="name"><span>{escape(name)}</span><span>{escape(date)}</span></p>{body}</body></html>'
    )
