"""A model that is split between memory and disk gives what it gives whole, or says that it does not: docs' table."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from repeated import but_repeated, one_of_each
from small_cases import RECIPE
from split_models import BOUND, FAMILIES, QUANTITIES, Refused, Twice, gap, layer_paths, spread, write_tiny

import llm_tracker as lt
from llm_tracker.models.kernels.matrix_products import computing_otherwise
from llm_tracker.models.loading.loaded_model import kv_caches_for

DOCS = Path(lt.__file__).parent.parent / "docs" / "models-over-devices.md"


@cache
def table() -> dict[str, str]:
    """What the documentation says of each quantity: holds, or refused."""
    rows = re.findall(r"^\| (?P<name>[^|]+) \| (?P<split>holds|refused) \|", DOCS.read_text(encoding="utf-8"), re.M)
    return {name.strip(): split for name, split in rows}


@pytest.fixture(scope="module")
def twices() -> dict[str, Twice]:
    return {}


@pytest.fixture
def twice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, twices: dict[str, Twice]) -> Twice:
    """A tiny model of the family that the test is for, twice; the same for all of its tests."""
    family = request.getfixturevalue("family")
    if family not in twices:
        directory = str(write_tiny(family, tmp_path_factory.mktemp(family) / "model"))
        whole = lt.load_model(directory)
        split = lt.load_model(directory, device=spread(layer_paths(whole)))
        twices[family] = Twice(whole, split, ("Bonn", "Rome"), RECIPE)
    return twices[family]


@pytest.fixture(scope="module")
def real(embedded: lt.LoadedModel) -> Twice:
    """The built-in model twice; the whole one without texts that other tests had it read."""
    whole = replace(embedded, kv_caches=kv_caches_for())
    return Twice(whole, lt.load_model("embedded", device=spread(layer_paths(embedded))), ("Paris", "London"), "chat")


def require_as_documented(twice: Twice, name: str) -> tuple[Any, Any]:
    whole, split = twice.both(name)
    assert whole is not None
    if table()[name] == "refused":
        assert isinstance(split, Refused)
        assert "Load it on one device" in split.why
    else:
        assert gap(whole, split) <= BOUND
    return whole, split


def test_the_documentation_has_every_quantity_and_no_other() -> None:
    assert list(table()) == list(QUANTITIES)


LONG = ("experiment: conditions", "experiment: paraphrases", "experiment: grid")
"""They read more texts, or more layers, in the way of the others: of one family here, and of the others in the soak."""


def repeats(of_family: tuple[str, str]) -> bool:
    """Whether a quantity of a family is read of one family for all."""
    name, family = of_family
    return name in LONG and family != "llama"


@pytest.mark.parametrize(("name", "family"), but_repeated(product(QUANTITIES, FAMILIES), repeats))
def test_what_the_documentation_says_holds_for_every_family(name: str, family: str, twice: Twice) -> None:
    require_as_documented(twice, name)


FEW = ("proof at load", "answers", "attention", "residual stream", "logit lens", "shared beginnings")
"""Of the built-in model, which is one of the families above: what its size and its layers could make another."""


@pytest.mark.real
@pytest.mark.parametrize("name", one_of_each(QUANTITIES, FEW))
def test_it_holds_for_the_built_in_model_which_has_every_quantity(name: str, real: Twice) -> None:
    whole, split = require_as_documented(real, name)
    assert not isinstance(whole, Refused)
    assert isinstance(split, Refused) == (table()[name] == "refused")


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_are_on_the_disk_when_nobody_runs_their_layer(family: str, twice: Twice) -> None:
    (_, between, _), weights = layer_paths(twice.split), dict(twice.split.model.named_parameters())
    in_memory = {name for name, weight in weights.items() if not weight.is_meta}
    assert in_memory == {name for name in weights if name.startswith(f"{between}.")}
    assert twice.split.device == "cpu + disk"
    assert twice.split.memory_bytes == sum(4 * weights[name].numel() for name in in_memory)


@pytest.mark.parametrize("family", ["llama"])
def test_no_kernel_is_chosen_for_what_accelerate_runs(family: str, twice: Twice) -> None:
    assert twice.split.way.kernels is None
    assert computing_otherwise(twice.split.model) == []


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_oss"])
def test_in_16_bits_it_is_proved_as_it_is_whole(family: str, tmp_path: Path) -> None:
    directory = str(write_tiny(family, tmp_path / "model"))
    whole = lt.load_model(directory, dtype="bfloat16")
    split = lt.load_model(directory, spread(layer_paths(whole)), "bfloat16")
    assert split.proof.ok
    assert [check.name for check in split.proof.checks] == [check.name for check in whole.proof.checks]
    assert split.proof.pattern_gap < 1e-3, "of each attention module in float32, or of eager attention with itself"


@pytest.mark.parametrize("family", ["llama"])
def test_what_is_compared_would_be_seen_to_differ(family: str, twice: Twice) -> None:
    whole, _ = twice.both("experiment: attribution")
    (before, *rest), checks = whole
    assert gap(whole, ((before, *rest), checks)) == 0
    assert gap(whole, ((replace(before, embedding=before.embedding + 1e-3), *rest), checks)) > BOUND
    assert gap(whole, ((*rest, before), checks)) == math.inf
    assert gap(np.array([1, 2]), np.array([1, 3])) == math.inf
    assert gap(torch.zeros(2), torch.zeros(3)) == math.inf
