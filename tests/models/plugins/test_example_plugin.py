"""The example package is as short as it claims, and its adapter reads OLMo 2 exactly."""

from __future__ import annotations

import pytest
import torch
from installations import EXAMPLE

from llm_tracker.load_options import LoadOptions
from llm_tracker.models.plugins.load_hook import load_by_plugin
from llm_tracker.models.plugins.manager import collect_plugins
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import require_exact

MODULE = EXAMPLE / "llm_tracker_olmo2.py"


def test_the_example_is_under_thirty_lines() -> None:
    assert len([line for line in MODULE.read_text(encoding="utf-8").splitlines() if line.strip()]) < 30


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_its_model_is_loaded_in_any_format_and_its_adapter_is_proved(dtype: str) -> None:
    plugins = collect_plugins(EXAMPLE)
    assert plugins.failures == []
    pair = load_by_plugin(plugins.models["olmo2-random"], LoadOptions("cpu", dtype), plugins)
    assert pair is not None
    model, tokenizer = pair
    assert (model.dtype, tokenizer.is_fast) == (getattr(torch, dtype), True)
    require_exact(plugins.adapters["olmo2"], prove(model.eval(), plugins.adapters["olmo2"]))


def test_every_text_can_be_written_with_its_tokens() -> None:
    plugins = collect_plugins(EXAMPLE)
    pair = load_by_plugin(plugins.models["olmo2-random"], LoadOptions("cpu"), plugins)
    assert pair is not None
    text = "Ünïcode, 漢字 and 👩‍🚀"
    assert pair[1].decode(pair[1](text)["input_ids"]) == text
