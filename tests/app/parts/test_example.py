"""The stored example is what the real model says today, and opens without any model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from recompute import largest_gaps

import llm_tracker as lt
from llm_tracker.analysis.compare import sides_of
from llm_tracker.app.parts.example import EXAMPLE_DIR
from llm_tracker.wording.headline import headline


@pytest.fixture(scope="module")
def example() -> lt.Session:
    return lt.load_session(EXAMPLE_DIR)


def test_it_opens_without_torch_and_tells_its_headline(example: lt.Session) -> None:
    assert headline(sides_of(example), example.watch_words) == (
        "“Paris” 95 % → under 0.1 % (asked again: 65 %). “London” 0.7 % → 65 % (asked again: 0.2 %). "
        "The answer changed from “Paris” to “London”. Merely asked again, it stays “Paris”."
    )
    code = (
        "import sys, llm_tracker as lt\n"
        f"lt.load_session({str(EXAMPLE_DIR)!r})\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_names_no_place_of_the_machine_that_made_it() -> None:
    record = json.loads((EXAMPLE_DIR / "session.json").read_text(encoding="utf-8"))
    assert record["model"]["path"] is None
    assert "/root" not in json.dumps(record)
    assert "/home" not in json.dumps(record)


@pytest.mark.real
def test_its_numbers_are_the_real_models_own(example: lt.Session, embedded: lt.LoadedModel) -> None:
    turns = (*example.turns, *example.controls.values())
    gaps = largest_gaps(embedded, replace(example, turns=turns, controls={}))
    assert {name: gap for name, gap in gaps.items() if gap > 1e-3} == {}


@pytest.mark.real
def test_asked_today_the_model_answers_the_same(example: lt.Session, embedded: lt.LoadedModel) -> None:
    said = [turn.said for turn in example.turns]
    today = lt.track(embedded, said[0], said[1:], control=True)
    for stored, fresh in zip(
        (*example.turns, *example.controls.values()), (*today.turns, *today.controls.values()), strict=True
    ):
        assert stored.prompt == fresh.prompt
        assert stored.trace.token_ids.tolist() == fresh.trace.token_ids.tolist()
        assert np.abs(stored.trace.top_probs - fresh.trace.top_probs).max() < 1e-3
