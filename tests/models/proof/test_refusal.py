"""A proof that cannot be carried out says whose failure that is, in words that its reader can act on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import SIZES, tiny_network, tiny_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.models.loading.load import adapter_of
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import own_failure_told

FILE = r"test_refusal\.py"


class Headless(lt.ModelAdapter):
    """An adapter whose author took a part for granted that this model does not have."""

    model_types = ("llama",)

    def unembed(self, model: Any, normed: Any) -> Any:
        return model.project_out(normed)


def test_a_method_of_an_adapter_that_raises_is_named_with_its_line() -> None:
    line = Headless.unembed.__code__.co_firstlineno + 1
    said = rf"^Headless\.unembed\(\) raises AttributeError: .*project_out.*{FILE}, line {line}\)\. Compare it"
    with pytest.raises(lt.ModelError, match=said):
        prove(tiny_network("llama"), Headless())


def test_an_inherited_method_is_named_too_where_a_path_leads_to_the_wrong_module() -> None:
    class TooNarrow(lt.ModelAdapter):
        model_types = ("llama",)
        unembed_path = "model.layers.0.mlp.down_proj"

    with pytest.raises(lt.ModelError, match=rf"^TooNarrow\.unembed\(\) raises RuntimeError: mat1 and mat2 .*{FILE}"):
        prove(tiny_network("llama"), TooNarrow())


@pytest.mark.parametrize("family", ["llama", "olmo"])  # with an adapter, and by probing
def test_sizes_that_do_not_fit_are_told_as_the_models_own_failure(family: str, tmp_path: Path) -> None:
    sizes = {**SIZES, "num_key_value_heads": 3}  # 4 heads cannot share 3
    config = AutoConfig.for_model(family, vocab_size=len(tiny_tokenizer()), pad_token_id=2, **sizes)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    said = f"does not run in transformers itself.*“{family}” raises RuntimeError .*Check that the sizes in its config"
    with pytest.raises(lt.ModelError, match=said) as caught:
        lt.check(str(tmp_path))
    assert "another model" not in str(caught.value)


def test_a_model_that_runs_is_not_blamed_for_what_stops_the_tracing() -> None:
    said = "cannot be traced"
    with pytest.raises(lt.ModelError, match=said), own_failure_told(tiny_network("llama")):
        raise lt.ModelError(said) from ValueError("a cache of its own")


def test_a_model_that_only_lacks_memory_is_not_told_to_mend_its_sizes() -> None:
    network = tiny_network("llama")

    def out_of_memory(*_: Any) -> None:
        raise torch.OutOfMemoryError("no room")

    network.model.layers[0].register_forward_pre_hook(out_of_memory)
    with pytest.raises(lt.ModelError, match=re.escape("no room")), own_failure_told(network):
        raise lt.ModelError("no room") from torch.OutOfMemoryError("no room")


def test_memory_that_runs_out_while_a_model_is_proved_is_no_fault_of_its_kind_nor_of_its_adapter() -> None:
    network = tiny_network("llama")

    def out_of_memory(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    network.model.norm.register_forward_pre_hook(out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        prove(network, adapter_of(network))
