"""Every family of causal language models is tried; some here, a third in the soak, all of them by `make sweep`."""

from __future__ import annotations

from pathlib import Path

import pytest
from repeated import one_of_each
from transformers import CONFIG_MAPPING, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from llm_tracker.experiments import hand_over, knock_out
from llm_tracker.experiments.passes import interventions
from llm_tracker.experiments.passes.interventions import KnockOut, at_depth
from llm_tracker.models.forward.attention_rows import whole_row
from llm_tracker.models.forward.sites import SiteName
from llm_tracker.prompts.words import Span
from llm_tracker.tracing import recorder
from sweep import trial
from sweep.experiments_page import HOLDS, TITLE, WRONG
from sweep.experiments_trial import QUANTITIES, Quantity, Tried
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


def held() -> dict[str, dict[Quantity, str]]:
    """By type, what the page says of each quantity of an experiment."""
    _, _, after = PAGE.partition(f"## {TITLE}")
    rows = [line.strip("| ").split(" | ") for line in after.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): dict(zip(QUANTITIES, row[1:], strict=True)) for row in rows}


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


def test_the_page_says_of_each_type_that_is_read_exactly_which_quantities_hold_and_counts_them() -> None:
    rows = held()
    assert set(rows) == listed("exact") | listed("exact, no attention")
    assert counted(PAGE, 1) == {name: sum(row[name] == HOLDS for row in rows.values()) for name in QUANTITIES}


def test_the_page_shows_the_goals_of_experiments_reached_and_nothing_wrong() -> None:
    counts = counted(PAGE, 1)
    assert counts["patching"] >= 80
    assert counts["knock-out"] >= 80
    assert counts["frozen routes"] >= 40
    assert WRONG not in PAGE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", one_of_each(THIRD, THIRD[::2]))
def test_a_family_comes_out_as_the_page_says(model_type: str) -> None:
    outcome = tried(model_type)
    assert model_type in listed(outcome.verdict), outcome
    said = {name: mark == HOLDS for name, mark in held().get(model_type, {}).items()}
    assert {name: each.holds for name, each in outcome.experiments.items()} == said, outcome.experiments


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


def test_a_quantity_holds_only_where_it_is_shown_and_right() -> None:
    several = [
        Tried(1e-6),
        Tried(1e-2),
        Tried(why_not="off by 0.31: no"),
        Tried(crash="IndexError"),
        Tried(float("nan")),
    ]
    assert [each.holds for each in several] == [True, False, False, False, False]
    assert [each.is_wrong for each in several] == [False, True, False, True, True]
    experiments = dict(zip(QUANTITIES, [*several[:4], *several[2:3] * 2], strict=True))
    written = page(
        [Outcome("one", "exact", experiments=experiments, heads=(1,), gaps=dict.fromkeys(trial.BOUNDS, 0.0))]
    )
    assert counted(written, 1) == {name: int(at == 0) for at, name in enumerate(QUANTITIES)}
    assert f"| `one` | {HOLDS} | {WRONG} | 1 | {WRONG} | 1 | 1 |" in written
    assert "1. off by …: no" in written


@pytest.mark.filterwarnings("ignore")
def test_what_is_patched_or_hidden_in_another_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(depth: int, n_layers: int) -> tuple[SiteName, int]:
        return at_depth(min(depth + 1, n_layers) if depth else 0, n_layers)

    def hiding(keys: Span, slot: int, layers: Span) -> tuple[KnockOut, ...]:
        return (KnockOut(((max(0, keys[0] - 1), keys[1]),), (slot, slot + 1), layers),)

    assert all(each.holds for each in tried("llama").experiments.values())
    monkeypatch.setattr(hand_over, "at_depth", shifted)
    monkeypatch.setattr(knock_out, "_hiding", hiding)
    monkeypatch.setattr(interventions, "_columns", lambda head, *_: slice(None) if head is None else slice(8))
    wrong = {name for name, each in tried("llama").experiments.items() if each.is_wrong}
    assert wrong == {"patching", "knock-out", "head patches"}


def test_rows_that_are_recorded_wrongly_are_found_also_where_transformers_hands_out_no_patterns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "_patterns", lambda *_: [])
    outcome = tried("llama")
    assert outcome.verdict == "exact"
    assert any("compared with what its attention modules return" in note for note in outcome.notes)
    monkeypatch.setattr(recorder, "whole_row", lambda row, length: whole_row(row, length).flip(-1))
    assert tried("llama").reason.startswith("attention ")
