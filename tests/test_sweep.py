"""Every family of causal language models is tried; a third of them here, all of them by `make sweep`."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import CONFIG_MAPPING, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from llm_tracker.models.forward.attention_rows import whole_row
from llm_tracker.tracing import recorder
from sweep import trial
from sweep.families import FAMILIES
from sweep.page import TITLES, counted, page
from sweep.tiny_configs import OWN, SMALL
from sweep.trial import Outcome, tried

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
THIRD = FAMILIES[::3]


def listed(verdict: str) -> set[str]:
    """The types under a verdict's heading on the page."""
    _, _, after = PAGE.partition(f"## {TITLES[verdict]}")
    return {line.split("`")[1] for line in after.partition("\n## ")[0].splitlines() if line.startswith("| `")}


def test_the_frozen_list_is_transformers_own() -> None:
    assert set(FAMILIES) == set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def test_the_page_lists_every_type_once_and_counts_what_it_lists() -> None:
    lists = {verdict: listed(verdict) for verdict in TITLES}
    assert sorted(name for names in lists.values() for name in names) == sorted(FAMILIES)
    assert counted(PAGE) == {verdict: len(names) for verdict, names in lists.items()}


def test_the_page_shows_the_goal_reached_and_nothing_wrong() -> None:
    counts = counted(PAGE)
    assert counts["exact"] + counts["exact, no attention"] >= 160
    assert counts["wrong"] == counts["crashed"] == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", THIRD)
def test_a_family_comes_out_as_the_page_says(model_type: str) -> None:
    outcome = tried(model_type)
    assert model_type in listed(outcome.verdict), outcome


def test_every_small_size_is_one_that_some_family_has() -> None:
    assert set(OWN) <= set(FAMILIES)
    defaults = [CONFIG_MAPPING[name]() for name in FAMILIES if name != "gemma4_assistant"]  # whose default is invalid
    assert set(SMALL) - {name for each in defaults for name in names_in(each)} == set()


def names_in(config: PreTrainedConfig) -> set[str]:
    """The values that a configuration and its parts have."""
    parts = [value for value in vars(config).values() if isinstance(value, PreTrainedConfig)]
    return set(config.to_dict()).union(*(names_in(each) for each in parts))


def test_what_is_wrong_is_counted_as_wrong() -> None:
    written = page([Outcome("one", "wrong", "lens of every layer 1.0e-02"), Outcome("two", "refused", "sees | ahead")])
    assert counted(written)["wrong"] == 1
    assert "sees \\| ahead" in written


def test_rows_that_are_recorded_wrongly_are_found_also_where_transformers_hands_out_no_patterns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "_patterns", lambda *_: [])
    outcome = tried("llama")
    assert outcome.verdict == "exact"
    assert any("compared with what its attention modules return" in note for note in outcome.notes)
    monkeypatch.setattr(recorder, "whole_row", lambda row, length: whole_row(row, length).flip(-1))
    assert tried("llama").reason.startswith("attention ")
