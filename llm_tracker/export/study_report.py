"""A study as one page that stands alone: its limits, its charts, its tables, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from llm_tracker.export.html_text import exact, facts, folded, frame_table, sentence
from llm_tracker.export.report import page_html
from llm_tracker.figures.studies.views import study_figures
from llm_tracker.studies.statistics.published import PublishedTable, published_tables
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.labels import LIMITS


def study_report(study: Study, made: Mapping[str, Any], command: str, made_at: str = "") -> str:
    """The page of a study; `made` is its summary, `command` what makes it again."""
    made_at = made_at or datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    models = ", ".join(str(model["title"]) for model in study.models)
    name, n = study.plan["questions"]["name"], made["n_questions"]
    figures = [figure for figure in study_figures(study, dict(made)) if figure.chart is not None]
    return page_html(
        f"{n} questions of {name} · {models}",
        figures,
        command,
        made=f"{models}, {made_at}",
        first=_limits(study),
        figures_title="What was found",
        provenance=_tables(study) + _provenance(study, made_at),
    )


def _limits(study: Study) -> str:
    """What the numbers are true of, before any of them."""
    notices = [notice for model in study.models for notice in model.get("notices", ())]
    lines = "".join(f'<p class="quiet">{sentence(notice)}</p>' for notice in dict.fromkeys(notices))
    return (
        '<section aria-labelledby="limits"><h2 id="limits">What this is true of</h2>'
        f"<p>{sentence(LIMITS)}</p>{lines}</section>"
    )


def _tables(study: Study) -> str:
    return "".join(map(_table, published_tables(study)))


def _table(table: PublishedTable) -> str:
    source = f"In the shape of {table.source}. The numbers are this study's own." if table.source else ""
    note = f'<p class="quiet">{sentence(source)}</p>' if source else ""
    return folded(table.title, note + frame_table(table.title, table.frame))


def _provenance(study: Study, made_at: str) -> str:
    told = {
        "Questions": f"{study.plan['questions']['name']} (SHA-256 {study.plan['questions']['sha256'][:16]}…)",
        "Recipe": str(study.plan["recipe"]),
        "Wordings of each condition": str(study.plan["n_wordings"]),
        "Decoding": "greedy: always the likeliest token; at most 10 tokens an answer",
        "Intervals": f"95 %: Wilson of rates, paired bootstrap over questions of means (seed {study.plan['seed']})",
        "Versions": ", ".join(f"{name} {version}" for name, version in study.versions.items()),
        "Made": made_at,
    }
    models = "".join(f"<h3>{exact(str(model['title']))}</h3>{_model(model)}" for model in study.models)
    return facts(told) + models


def _model(model: Mapping[str, Any]) -> str:
    return facts(
        {
            "Id": str(model["id"]),
            "Revision": str(model.get("revision") or ""),
            "SHA-256 of its weights": str(model.get("weights_sha256") or ""),
            "Architecture": f"{model['model_type']}, {model['n_layers']} layers, {model['n_heads']} heads",
            "Numbers": f"{model['dtype']} on {model['device']}",
        }
    )


def study_command(study: Study, questions: str, out: str) -> str:
    """The command line that makes a study again."""
    plan, parts = study.plan, ["llm-tracker", "study", questions]
    for model in plan["models"]:
        parts += ["--model", model]
    for condition in plan["conditions"]:
        parts += ["--condition", condition]
    for correction in plan["corrections"]:
        parts += ["--correction", correction]
    parts += ["--wordings", str(plan["n_wordings"]), "--recipe", plan["recipe"], "--seed", str(plan["seed"])]
    parts += [flag for flag, name in (("--chain", "chain"), ("--inside", "inside")) if plan[name]]
    parts += [] if plan["dtype"] == "auto" else ["--dtype", plan["dtype"]]
    parts += ["--date", plan["date"]] if plan["date"] else []
    return " ".join(map(shlex.quote, [*parts, "--out", out]))
