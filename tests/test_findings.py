"""The page of findings: limits first, each figure of the rows themselves."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from small_cases import small
from small_studies import QUESTIONS

import findings.plans as plans
from findings.__main__ import FINDINGS, ROOT
from findings.inside import named_path
from findings.numbers import both, difference, is_near_zero, told
from findings.page import page
from llm_tracker.progress import ended
from llm_tracker.studies.conduct import stream_study
from llm_tracker.studies.statistics.intervals import Estimate
from llm_tracker.studies.values.study import Study


@cache
def studies() -> dict[str, Study]:
    """The same studies of a few questions and a tiny model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "own_questions", lambda: QUESTIONS)
        found = {part.name: part.plan() for part in plans.parts(None)}
    return {name: ended(stream_study(plan, loads=lambda _: small("llama").model)) for name, plan in found.items()}


def test_a_figure_is_the_mean_of_the_rows_and_held_out_questions_stand_apart() -> None:
    rows = studies()["worked"].rows
    figure = both("asked again", rows, difference("asked_again", "baseline"))
    for held_out, estimate in ((False, figure.open), (True, figure.held_out)):
        own = rows[rows["held_out"] == held_out]
        margins = {
            name: own[own["condition"] == name].set_index("question_id")["margin"]
            for name in ("asked_again", "baseline")
        }
        differences = margins["asked_again"] - margins["baseline"]
        assert estimate.value == pytest.approx(float(np.mean(differences)))
        assert estimate.n == len(differences)
    assert (figure.open.n, figure.held_out.n) == (3, 2)


def test_the_page_says_its_limits_first_and_has_every_finding_with_its_verdict() -> None:
    made = page(studies(), [make(studies()) for make in FINDINGS[:2] + FINDINGS[3:4] + FINDINGS[5:8]], "2026-11-29")
    assert made.index("What this is true of") < made.index("In short") < made.index("F1")
    for name in ("F1", "F2", "F4", "F6", "F7", "F8"):
        assert re.search(rf'<a id="{name.lower()}"></a>{name}: ', made)
    assert len(re.findall(r"On the whole set this \*\*(?:holds|holds in part|does not hold)\*\*", made)) == 6
    assert "nan" not in made.lower().replace("finance", "")


def test_where_no_pair_could_be_traced_the_page_says_so() -> None:
    found = dict(studies())
    paths = found["one-word"].tables["paths"]
    untraced = paths.assign(depth=float("nan"), named_word=float("nan"), answer_slot=float("nan"))
    found["one-word"] = replace(found["one-word"], tables={**found["one-word"].tables, "paths": untraced})
    made = named_path(found)
    assert [line[1] for line in made.lines] == ["none of 3", "none of 2"]
    assert made.holds == "does not hold"


def test_near_zero_is_an_interval_around_0_that_is_narrow() -> None:
    around = {(-0.4, 0.3): True, (-3.0, 2.0): False, (0.1, 0.4): False, (float("nan"), float("nan")): False}
    assert {ends: is_near_zero(Estimate(0.0, *ends, 80)) for ends in around} == around


def test_numbers_are_written_with_their_interval_and_how_many_questions_they_come_from() -> None:
    assert told(Estimate(-1.234, -2.0, -0.5, 80)) == "−1.23 [−2.00, −0.50], n = 80"
    assert told(Estimate(0.5, 0.4, 0.6, 40), "share") == "50 % [40 %, 60 %], n = 40"
    assert told(Estimate(float("nan"), 0.0, 1.0, 0)) == "none"


def test_the_page_that_is_kept_is_one_that_the_command_makes() -> None:
    kept = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert "`make findings`" in kept
    assert kept.index("What this is true of") < kept.index("In short")
    for number in range(1, 10):
        assert f'<a id="f{number}"></a>F{number}: ' in kept
    for word in ("understood", "believed", "admitted", "sycophantic", "decided", "the model knows"):
        assert word not in kept.lower()
