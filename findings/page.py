"""docs/findings.md: limits first, then each finding with its figures, in view and held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from llm_tracker.studies.statistics.published import published_tables
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.labels import LIMITS

if TYPE_CHECKING:
    from findings.numbers import Figure

COMMAND = "make findings"

INTRODUCTION = """# Findings

Made by `{command}` (a run that was stopped goes on where it was) on {day}, from our own [120 questions](questions.md).

## What this is true of

{limits}

- **The weights** are 4-bit ones read as float32, of small files: {models}.
- **The form of asking** matters as much as the model: each figure says under which recipe it was measured.
- **The right word and the foil** are ours. A free answer may be neither: it is graded by its words, never by substring.
- **Held out** are 40 questions that no figure, example or threshold was chosen on. The other 80 are “in view”.
- **Intervals** are 95 %: of means a paired bootstrap over questions, of rates Wilson's. Wordings are averaged within a
  question. Many figures stand here; one of twenty intervals misses by chance alone.
- **The older figures** come from 1 to 14 questions and one wording. Whether each holds on the whole set is said by a
  rule that stands in the code (`findings/`), not by eye. F3, F4, F6, F7 and F9 were put anew after an
  earlier run had been seen.
"""


@dataclass(frozen=True)
class Finding:
    """One finding, what it rested on, and what the whole set says."""

    name: str
    claim: str
    before: str
    """The older figures."""
    holds: str
    figures: Sequence[Figure]
    lines: Sequence[Sequence[str]] = ()
    """Rows of a second table: a name and a value."""
    note: str = ""


def page(studies: Mapping[str, Study], findings: Sequence[Finding], day: str) -> str:
    """The whole page."""
    models = "; ".join(dict.fromkeys(_model(study) for study in studies.values()))
    parts = [INTRODUCTION.format(command=COMMAND, day=day, limits=LIMITS, models=models), _overview(findings)]
    parts += [_finding(each) for each in findings]
    parts.append(_published(studies))
    return "\n".join(parts).rstrip() + "\n"


def _model(study: Study) -> str:
    model = study.models[0]
    return f"{model['title']} (SHA-256 of the file {str(model['weights_sha256'])[:16]}…)"


def _overview(findings: Sequence[Finding]) -> str:
    rows = [[f"[{each.name}](#{each.name.lower()})", each.claim, f"**{each.holds}**"] for each in findings]
    return "## In short\n\n" + table(["", "finding", "on the whole set"], rows)


def _finding(finding: Finding) -> str:
    parts = [f'## <a id="{finding.name.lower()}"></a>{finding.name}: {finding.claim}\n']
    parts.append(f"Before: {finding.before}\n\nOn the whole set this **{finding.holds}**.\n")
    if finding.figures:
        head = ["", "in view (80)", "held out (40)"]
        parts.append(table(head, [figure.cells() for figure in finding.figures]))
    if finding.lines:
        parts.append(table(["", ""], finding.lines))
    if finding.note:
        parts.append(f"{finding.note}\n")
    return "\n".join(parts)


def _published(studies: Mapping[str, Study]) -> str:
    """The table shapes of others, filled: of the study that has all conditions, and of the chains."""
    parts = ["## Tables in the shape of published ones\n", "The shapes are theirs; the numbers are this study's own.\n"]
    wanted = {"all": None, "one-word": {"peak_excess", "persistence", "turns_of_flip"}}
    for name, names in wanted.items():
        shown = [each for each in published_tables(studies[name]) if names is None or each.name in names]
        parts += [f"### {each.title}\n\n{each.source}.\n\n{_frame(each.frame)}" for each in shown if each.source]
    return "\n".join(parts)


def _frame(frame: pd.DataFrame) -> str:
    shown = frame.drop(columns=["model", "dtype"])
    rows = [[_cell(value) for value in row] for row in shown.itertuples(index=False, name=None)]
    return table([str(column).replace("_", " ") for column in shown.columns], rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.2f}".replace("-", "−")
    return str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
