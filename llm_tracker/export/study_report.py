"""A study as one page that stands alone: its limits, its charts, its tables, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from llm_tracker.export.html_text import exact, facts, folded, frame_table, sentence
from llm_tracker.export.report import page_html
from llm_tracker.export.study_paths import without_model_paths
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.studies.views import study_figures
from llm_tracker.languages.texts import later, say
from llm_tracker.studies.statistics.published import PublishedTable, published_tables
from llm_tracker.studies.statistics.tables import changes
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.asked import limits_paragraphs
from llm_tracker.wording.studies.labels import model_label, number_of

ANSWERS = later("Every question before and after each text, in its first wording")


def study_report(study: Study, made: Mapping[str, Any], command: str, made_at: str = "") -> str:
    """The page of a study; `made` is its summary, `command` what makes it again.

    Paths of this machine are left out of all that it says, not out of `command`.
    """
    study, made = without_model_paths(study, made)
    made_at = made_at or datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    models = ", ".join(model_label(model, study.models) for model in study.models)
    figures = study_figures(study, dict(made))
    asked, file = number_of(made["n_questions"]), study.plan["questions"]["name"]
    return page_html(
        f"{say('{questions} of {file}', questions=asked, file=file)} · {models}",
        [figure for figure in figures if figure.chart is not None],
        command,
        made=f"{models}, {made_at}",
        first=_limits(study) + _undrawn([figure for figure in figures if figure.chart is None]),
        figures_title=say("What was found"),
        provenance=_tables(study) + _provenance(study, made_at),
    )


def _limits(study: Study) -> str:
    """What the numbers are true of, before any of them."""
    notices = [notice for model in study.models for notice in model.get("notices", ())]
    said = "".join(f"<p>{sentence(each)}</p>" for each in limits_paragraphs(study))
    lines = "".join(f'<p class="quiet">{sentence(notice)}</p>' for notice in dict.fromkeys(notices))
    head = f'<h2 id="limits">{escape(say("What this is true of"))}</h2>'
    return f'<section aria-labelledby="limits">{head}{said}{lines}</section>'


def _undrawn(figures: Sequence[Figure]) -> str:
    """What is to be said of views in which there is nothing to draw; nothing where there are none."""
    if not figures:
        return ""
    lines = "".join(f"<p>{sentence(f'{figure.title}: {figure.sentence}')}</p>" for figure in figures)
    head = f'<h2 id="undrawn">{escape(say("What there is no chart of"))}</h2>'
    return f'<section aria-labelledby="undrawn">{head}{lines}</section>'


def _tables(study: Study) -> str:
    found = "".join(map(_table, published_tables(study)))
    published = _headed(say("Tables, in the shapes of published ones"), found) if found else ""
    answers = folded(say(ANSWERS), frame_table(say(ANSWERS), changes(study.rows)))
    return f"{_headed(say('What was said and written'), answers)}{published}"


def _table(table: PublishedTable) -> str:
    note, title = "", say(table.title)
    if table.source:
        source = say("In the shape of {source}. The numbers are this study's own.", source=table.source)
        note = f'<p class="quiet">{sentence(source)}</p>'
    return folded(title, note + frame_table(title, table.frame))


def _headed(title: str, content: str) -> str:
    return f"<h3>{escape(title)}</h3>{content}"


def _provenance(study: Study, made_at: str) -> str:
    decoding = f"{say('greedy: always the likeliest token')}; {say('at most {n} tokens an answer', n=10)}"
    intervals = say(
        "95 %: Wilson of rates, paired bootstrap over questions of means (seed {seed})", seed=study.plan["seed"]
    )
    told = {
        say("Questions"): f"{study.plan['questions']['name']} (SHA-256 {study.plan['questions']['sha256'][:16]}…)",
        say("Recipe"): str(study.plan["recipe"]),
        say("Wordings of each condition"): str(study.plan["n_wordings"]),
        say("Decoding"): decoding,
        say("Intervals"): intervals,
        say("Versions"): ", ".join(f"{name} {version}" for name, version in study.versions.items()),
        say("Made"): made_at,
    }
    own = {say("Your own correction {n}", n=at): text for at, text in enumerate(study.plan["corrections"], 1)}
    models = "".join(f"<h3>{exact(model_label(model, study.models))}</h3>{_model(model)}" for model in study.models)
    return _headed(say("The study"), f"{facts(told | own)}{models}")


def _model(model: Mapping[str, Any]) -> str:
    architecture = say(
        "{kind}, {layers} layers, {heads} heads",
        kind=model["model_type"],
        layers=model["n_layers"],
        heads=model["n_heads"],
    )
    return facts(
        {
            say("Id"): str(model["id"]),
            say("Revision"): str(model.get("revision") or ""),
            say("SHA-256 of its weights"): str(model.get("weights_sha256") or ""),
            say("Architecture"): architecture,
            say("Numbers"): say("{dtype} on {device}", dtype=model["dtype"], device=model["device"]),
        }
    )


def study_command(study: Study, questions: str, out: str, first: int | None = None) -> str:
    """The command line that makes a study again; a recipe of the reader's own has no name that it could take."""
    plan, parts = study.plan, ["llm-tracker", "study", questions]
    parts += [] if first is None else ["--first", str(first)]
    for model in plan["models"]:
        parts += ["--model", model]
    for condition in plan["conditions"]:
        parts += ["--condition", condition]
    for correction in plan["corrections"]:
        parts += ["--correction", correction]
    parts += ["--wordings", str(plan["n_wordings"]), "--seed", str(plan["seed"])]
    parts += [] if plan["recipe"] == "custom" else ["--recipe", plan["recipe"]]
    parts += [flag for flag, name in (("--chain", "chain"), ("--inside", "inside")) if plan[name]]
    parts += [] if plan["dtype"] == "auto" else ["--dtype", plan["dtype"]]
    parts += ["--date", plan["date"]] if plan["date"] else []
    return " ".join(map(shlex.quote, [*parts, "--out", out]))
