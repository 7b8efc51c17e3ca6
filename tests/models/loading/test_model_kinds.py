"""What is no causal language model, or no weights at all, is told by its files, with what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import tiny_network, tiny_tokenizer

import llm_tracker as lt
from llm_tracker.models.loading.model_kinds import require_causal
from llm_tracker.models.loading.notices import quantisation_notices


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tiny_network("llama").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def changed(directory: Path, **settings: Any) -> Path:
    file = directory / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))
    return directory


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"model_type": "of_tomorrow"},
            "“of_tomorrow”, which the installed transformers .* does not know. Install a newer",
        ),
        ({"model_type": "t5", "is_encoder_decoder": True}, "is an encoder-decoder"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "fills in masked words"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantised with GPTQ.*kernels need a GPU"),
        ({"quantization_config": {"quant_method": "awq"}}, "quantised with AWQ"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "quantised with bitsandbytes"),
    ],
)
def test_a_model_of_another_kind_is_refused_in_one_sentence(
    directory: Path, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(lt.ModelRefusedError, match=told) as caught:
        lt.load_model(str(changed(directory, **settings)), device="cpu")
    assert "\n" not in str(caught.value)


def test_on_a_gpu_a_quantised_model_needs_the_package_with_its_kernels(directory: Path) -> None:
    changed(directory, quantization_config={"quant_method": "awq"})
    with pytest.raises(lt.ModelRefusedError, match=r"the package with its kernels is not here.*pip install gptqmodel"):
        require_causal(directory, "cuda", has_own_code=False)


def test_quantised_weights_are_said_to_be_what_the_numbers_are_of() -> None:
    config = SimpleNamespace(quantization_config={"quant_method": "gptq"})
    assert list(quantisation_notices(config)) == [
        "Its weights are quantised (GPTQ): these are the numbers of the quantised model, not of the original."
    ]
    assert list(quantisation_notices(SimpleNamespace())) == []


def test_weights_of_another_shape_than_the_config_says_are_named(directory: Path) -> None:
    with pytest.raises(lt.ModelDamagedError, match=r"9 of its weights have another shape.*\(32, 48\) in the file and"):
        lt.load_model(str(changed(directory, intermediate_size=64)))


def test_what_a_load_has_to_say_is_said_by_nobody_else(directory: Path) -> None:
    rope = {"rope_type": "default", "rope_theta": 10000.0, "of_tomorrow": 1}
    changed(directory, num_hidden_layers=2, rope_parameters=rope)
    command = [sys.executable, "-m", "llm_tracker", "track", "Who?", "--model", str(directory), "--max-new-tokens", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "of the weights in its files were left out" in done.stdout


def test_sampling_that_a_checkpoint_asks_for_is_said_not_to_be_done(directory: Path) -> None:
    settings = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "eos_token_id": [0, 2]}
    (directory / "generation_config.json").write_text(json.dumps(settings))
    notices = lt.load_model(str(directory)).notices
    assert (
        "Its generation_config.json asks for sampling (temperature 0.6, top-p 0.95). Answers here take the likeliest "
        "token unless a temperature is given. Its 2 end tokens are honoured."
    ) in notices


def test_a_peft_adapter_names_its_base_and_how_to_merge_it(directory: Path) -> None:
    (directory / "config.json").unlink()
    (directory / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/base"}')
    with pytest.raises(lt.ModelNotFoundError, match=r"PEFT adapter, a small change to “owner/base”.*merge_and_unload"):
        lt.load_model(str(directory))


def pointer(file: Path) -> None:
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n")


def page(file: Path) -> None:
    file.write_text("\n<!DOCTYPE html><html><body>Log in</body></html>")


def half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def nothing(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (pointer, "is a Git LFS pointer, not the weights.*git lfs pull"),
        (page, "is a web page, not weights"),
        (half, "is cut off: [0-9,]+ of [0-9,]+ bytes are there"),
        (nothing, "is empty"),
    ],
)
def test_weights_that_are_none_say_what_they_are(directory: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(directory / "model.safetensors")
    with pytest.raises(lt.ModelDamagedError, match=f"model.safetensors {told}"):
        lt.load_model(str(directory))


@pytest.mark.parametrize("spoil", [pointer, page])
def test_a_gguf_file_that_is_none_says_what_it_is(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "model.gguf")
    with pytest.raises(lt.ModelDamagedError, match=r"is a (Git LFS pointer|web page)"):
        lt.load_model(str(tmp_path / "model.gguf"))


def test_a_missing_shard_is_named(directory: Path) -> None:
    shutil.rmtree(directory)
    tiny_network("llama").save_pretrained(directory, max_shard_size="50KB")
    tiny_tokenizer().save_pretrained(directory)
    gone = max(directory.glob("model-*.safetensors"))
    gone.unlink()
    with pytest.raises(lt.ModelDamagedError, match=f"lacks {gone.name}"):
        lt.load_model(str(directory))


def test_weights_that_the_config_has_no_place_for_are_said(directory: Path) -> None:
    model = lt.load_model(str(changed(directory, num_hidden_layers=2)))
    (notice,) = [each for each in model.notices if "left out" in each]
    assert "of the weights in its files were left out, such as model.layers.2." in notice
    session = lt.track(model, "Who?", max_new_tokens=1)
    assert notice in session.model.notices


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_to_blame_and_not_the_adapter(directory: Path, value: float) -> None:
    file = directory / "model.safetensors"
    weights = load_file(file)
    weights["model.layers.1.mlp.down_proj.weight"][0, 0] = torch.tensor(value)
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(lt.ModelDamagedError, match=r"not finite.*first in layer 2 \(model\.layers\.1\.mlp\.down_proj"):
        lt.load_model(str(directory))
