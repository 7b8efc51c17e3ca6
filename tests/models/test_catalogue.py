"""The catalogue: plain data whose figures are those of the models' own shapes."""

from __future__ import annotations

import pytest

from llm_tracker.models.catalogue import CATALOGUE, EMBEDDED, TINYLLAMA, ModelEntry
from llm_tracker.models.sources.model_size import weigh
from llm_tracker.wording.models import entry_facts
from sweep.shapes import PAGE, SHAPES, page, whole

BY_ID = {entry.id: entry for entry in CATALOGUE}


def test_the_default_comes_first_and_the_others_by_size() -> None:
    assert CATALOGUE[0] == TINYLLAMA
    sizes = [entry.parameters or 0 for entry in CATALOGUE[1:]]
    assert sizes == sorted(sizes)
    assert len({entry.id for entry in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("model_id", SHAPES)
def test_parameters_and_download_are_those_of_the_models_own_shape(model_id: str) -> None:
    entry = BY_ID[model_id]
    counted = sum(weight.numel() for weight in whole(model_id).parameters())
    assert entry.parameters == counted
    assert weigh(entry).memory_bytes == pytest.approx(2 * counted, rel=0.001), "bfloat16"


def test_every_model_of_the_hub_is_tried_in_its_shape_and_has_a_licence_and_a_note() -> None:
    assert {entry.id for entry in CATALOGUE if entry.tried == "shape"} == set(SHAPES)
    assert all(entry.licence and entry.note and entry.parameters for entry in CATALOGUE)
    assert all(entry.download_bytes for entry in CATALOGUE if entry.source == "hub")


def test_the_page_of_the_catalogue_is_that_of_its_data() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_what_is_known_of_a_model_is_told_in_a_line() -> None:
    assert entry_facts(EMBEDDED) == "135 million parameters, Apache-2.0. Tried with these weights."
    assert entry_facts(BY_ID["gemma3-1b"]) == (
        "1.0 billion parameters, Gemma terms, its terms have to be accepted on its page of the hub first."
    )
    assert "can reason first" in entry_facts(BY_ID["qwen3-0.6b"])
    assert entry_facts(ModelEntry("mine", "mine", "directory", "/mine")) == ""
