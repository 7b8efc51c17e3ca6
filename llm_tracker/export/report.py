"""A session as one page that stands alone: what was said, what happened inside, and how to make it again.

The page asks no server for anything, and its own policy forbids it to: it names the scripts that may run by their
digests. It is report.html, with report.css and report.js in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from llm_tracker.export.archive import without_paths
from llm_tracker.export.copy_as import FOLDER, session_command
from llm_tracker.export.html_text import exact, script_json, verbatim
from llm_tracker.export.report_sections import conversation_html, figure_html, provenance_html
from llm_tracker.export.theme import LOOKS, Scheme, Spec, chart_config, has_own_width, responsive, spec_of
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import language
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session
from llm_tracker.wording.formats import visible


def html_report(
    title: str,
    session: Session,
    figures: Sequence[Figure],
    command: str,
    *,
    made_at: str,
    scheme: Scheme | None = None,
) -> str:
    """A session and its figures as one HTML page, to be kept as UTF-8.

    It has the conversation with its controls and with what the model read, each figure with its chart, its sentence and
    its numbers, what made them, and the `command` that makes them again. Paths of this machine are left out of all that
    the session says (`without_paths`), not out of `title` and `command`. `made_at` is a date as it is to be read. The
    page is light or dark as its reader's system is, or always as `scheme` says.
    """
    session = without_paths(session)
    head = f'<h2 id="conversation">{escape(say("The conversation"))}</h2>'
    return page_html(
        title,
        figures,
        command,
        made=f"{session.model.title}, {made_at}",
        first=f'<section aria-labelledby="conversation">{head}{conversation_html(session)}</section>',
        figures_title=say("What happened inside"),
        provenance=provenance_html(session, made_at),
        scheme=scheme,
    )


def page_html(
    title: str,
    figures: Sequence[Figure],
    command: str,
    *,
    made: str,
    first: str,
    figures_title: str,
    provenance: str,
    scheme: Scheme | None = None,
) -> str:
    """A page of figures that stands alone; `first`, a section in front of them, and `provenance` are HTML already."""
    specs = [responsive(spec_of(figure.chart)) for figure in figures]
    scripts = [_drawing_scripts(), _part("report.js")] if figures else [_part("report.js")]
    configs = {each: chart_config(each) for each in LOOKS}
    return Template(_part("report.html")).substitute(
        _page_texts(),
        title=escape(visible(title)),
        policy=_policy(scripts),
        style=_colours(scheme) + _part("report.css"),
        scheme=scheme or "",
        made=exact(made),
        first=first,
        figures=_figures_html(figures_title, figures, specs),
        provenance=provenance,
        command=verbatim(command),
        charts=script_json({"specs": specs, "configs": configs, "texts": _script_texts()}),
        scripts="".join(f"<script>{script}</script>\n" for script in scripts),
    )


def _page_texts() -> dict[str, str]:
    """What report.html says itself, as HTML."""
    said = {
        "language": language(),
        "origin": say("Where these numbers come from"),
        "again": say("Make it again"),
        "command_label": say("Command"),
        "copy": say("Copy the command"),
        "without_scripts": say("The charts need JavaScript. Their numbers stand in the tables."),
    }
    return {name: escape(text) for name, text in said.items()}


def _script_texts() -> dict[str, str]:
    """What report.js says."""
    return {
        "undrawn": say("This chart could not be drawn. Its numbers are in the table below."),
        "copied": say("Copied."),
        "selected": say("Selected: copy it with Ctrl+C or ⌘C."),
    }


def session_report(session: Session, figures: Sequence[Figure], scheme: Scheme | None = None) -> str:
    """The report of a session as it is now: named for its question, with the commands that make it again."""
    title = f"{session.turns[0].said} · {without_paths(session).model.title}"
    command = f"{session_command(session)}\nllm-tracker report {FOLDER} --out report.html"
    made_at = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return html_report(title, session, figures, command, made_at=made_at, scheme=scheme)


def _figures_html(title: str, figures: Sequence[Figure], specs: Sequence[Spec]) -> str:
    """The section of the figures; nothing where there are none."""
    if not figures:
        return ""
    pairs = enumerate(zip(figures, specs, strict=True))
    drawn = "".join(figure_html(at, figure, has_own_width(spec)) for at, (figure, spec) in pairs)
    return f'<section aria-labelledby="inside"><h2 id="inside">{escape(title)}</h2>{drawn}</section>'


def _colours(scheme: Scheme | None) -> str:
    """The colours of the page as variables of its style sheet: both schemes', of which the browser takes one."""
    light, dark = asdict(LOOKS["light"]), asdict(LOOKS["dark"])
    pairs = "".join(f"--{name}: light-dark({light[name]}, {dark[name]}); " for name in light)
    return f":root {{ color-scheme: {scheme or 'light dark'}; {pairs}}}\n"


def _policy(scripts: Sequence[str]) -> str:
    """A content security policy: nothing is loaded from anywhere, and no script is begun but these.

    Eval stays allowed: drivers of browsers wait by it, and no script here gives it any text of the page.
    """
    digests = (base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    script = f"script-src {allowed} 'unsafe-eval'"
    return f"default-src 'none'; {script}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@cache
def _drawing_scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, put together once: that takes more than a second."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")


@cache
def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
