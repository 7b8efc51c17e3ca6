"""From a name to a model: what is found, and a clear sentence for what is not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import tiny_model, tiny_network, tiny_tokenizer
from transformers import AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.cli.main import main
from llm_tracker.models.loading import load as loading
from llm_tracker.models.loading.pool import ModelPool
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.progress import Report


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    tiny_network("llama").save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_directory_is_loaded_and_proved(directory: Path, own_cache: Path) -> None:
    stages: list[str] = []
    model = lt.load_model(str(directory), "cpu", report=lambda progress: stages.append(progress.stage))
    assert model.proof.ok
    assert (model.dtype, model.device) == ("float32", "cpu")
    assert stages == ["Starting the engine", "Loading the weights", "Checking that it is read exactly"]
    session = lt.track(model, "What is it?", max_new_tokens=2)
    assert session.model.path == str(directory)
    assert len(session.model.weights_sha256 or "") == 64


def test_another_number_format_can_be_asked_for(directory: Path) -> None:
    assert lt.load_model(str(directory), dtype="bfloat16").dtype == "bfloat16"


def test_weights_are_summed_once_and_change_with_the_file(directory: Path, own_cache: Path) -> None:
    first = lt.load_model(str(directory)).weights_sha256
    assert lt.load_model(str(directory)).weights_sha256 == first
    network = tiny_network("llama")
    network.lm_head.weight.data += 1
    save_file(
        {k: v.contiguous() for k, v in network.state_dict().items()}, directory / "model.safetensors", {"format": "pt"}
    )
    assert lt.load_model(str(directory)).weights_sha256 != first


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("embeded", r"no model “embeded”. Did you mean “embedded”\? Known ids: embedded, gemma3"),
        ("zzz", "There is no model “zzz”. Known ids"),
        ("missing.gguf", "no file missing.gguf"),
        ("./not/there", "There is no model"),
        ("", "There is no model"),
    ],
)
def test_a_name_that_is_no_model_is_refused_with_what_to_do(name: str, message: str) -> None:
    with pytest.raises(lt.ModelError, match=message):
        lt.load_model(name)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_directory_without_a_whole_model_is_refused(directory: Path, missing: str) -> None:
    (directory / missing).unlink()
    with pytest.raises(lt.ModelError, match=r"no model: there is no config|is incomplete"):
        lt.load_model(str(directory))


def test_of_a_directory_with_a_gguf_file_the_files_own_path_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(lt.ModelError, match=r"give the path of the file itself: .*model\.gguf\."):
        lt.load_model(str(tmp_path))


def test_a_damaged_weight_file_is_refused_with_a_sentence(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(lt.ModelError, match="could not be loaded"):
        lt.load_model(str(directory))


def test_a_file_that_only_claims_to_be_gguf_is_refused_with_a_sentence(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "fake.gguf").write_bytes(b"nothing")
    with pytest.raises(lt.ModelError, match=r"could not be converted.*GGUF"):
        lt.load_model(str(tmp_path / "fake.gguf"))


def test_an_unknown_number_format_or_device_is_refused(directory: Path) -> None:
    with pytest.raises(lt.ModelError, match="auto, float32, bfloat16, float16"):
        lt.load_model(str(directory), dtype="int3")
    with pytest.raises(lt.ModelError, match="device “teapot”"):
        lt.load_model(str(directory), device="teapot")
    if not torch.cuda.is_available():
        with pytest.raises(lt.ModelError, match="no CUDA device for “cuda:1” here"):
            lt.load_model(str(directory), device="cuda:1")


def test_a_family_without_an_adapter_is_probed(tmp_path: Path) -> None:
    from transformers import PhiConfig, PhiForCausalLM

    sizes = {"num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    ids = {"vocab_size": len(tiny_tokenizer()), "bos_token_id": 1, "eos_token_id": 0}
    PhiForCausalLM(PhiConfig(**sizes, **ids)).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    model = lt.load_model(str(tmp_path))
    assert model.adapter.name == "AnyCausalLM"
    assert any("found by probing" in notice for notice in model.notices)


def test_a_hub_id_may_carry_a_revision() -> None:
    entry = find_entry("owner/name@v2")
    assert (entry.source, entry.location, entry.revision) == ("hub", "owner/name", "v2")


@pytest.mark.parametrize("name", ["<b>a</b>", "my models/a", "owner/two words", "./a", "~/a", "/a", "a/", "a--b/c"])
def test_a_name_that_no_repository_can_have_is_not_taken_for_one_of_the_hub(name: str) -> None:
    with pytest.raises(lt.ModelError, match="There is no model"):
        find_entry(name)


def pool_of(budget_bytes: int, loads: list[str]) -> ModelPool:
    def load(name: str, _options: object, _report: Report, _make_room: object) -> lt.LoadedModel:
        loads.append(name)
        return tiny_model("llama")

    return ModelPool(budget_bytes, load)


def test_a_model_that_two_threads_ask_for_is_loaded_once() -> None:
    loads: list[str] = []
    pool = pool_of(10**9, loads)
    threads = [threading.Thread(target=pool.model, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["a"]


def test_the_model_used_longest_ago_is_let_go_past_the_budget() -> None:
    size = tiny_model("llama").weights_bytes
    loads: list[str] = []
    pool = pool_of(int(size * 2.5), loads)
    pool.model("a")
    pool.model("b")
    pool.model("a")
    pool.model("c")
    assert [pool.peek(name) is not None for name in "abc"] == [True, False, True]


def test_one_model_is_kept_whatever_its_size() -> None:
    pool = pool_of(1, [])
    pool.model("a")
    assert pool.peek("a") is not None


def test_a_device_without_room_for_the_weights_is_not_called_unusable(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(loading, "_device", lambda _device: "meta")
    monkeypatch.setattr(torch.nn.Module, "to", out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        lt.load_model(str(directory))


def test_memory_that_runs_out_while_weights_are_read_is_not_the_files_fault(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def out_of_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", out_of_memory)
    assert main(["track", "Who?", "--model", str(directory)]) == 2
    assert "The memory ran out (MemoryError). Let other models go" in capsys.readouterr().err
