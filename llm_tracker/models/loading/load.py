"""From a name to a model that was proved: the catalogue, a hub id, a directory or a .gguf file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_tracker.errors import (
    HubUnreachableError,
    ModelDamagedError,
    ModelError,
    ModelRefusedError,
    ModelTooLargeError,
    TrackerError,
    is_lack_of_memory,
    one_line,
)
from llm_tracker.languages.texts import say
from llm_tracker.load_options import AUTO, NOTHING, SPLIT, LoadOptions, Trust
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.loading.device_maps import devices_of, load_split
from llm_tracker.models.loading.loaded_model import LoadedModel, kv_caches_for
from llm_tracker.models.loading.model_kinds import require_causal
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.models.loading.whole_models import (
    model_directory,
    one_of_several,
    require_all_weights,
    require_whole,
)
from llm_tracker.models.memory.device_memory import require_room
from llm_tracker.models.memory.mapped_weights import read_in_order
from llm_tracker.models.plugins.load_hook import load_by_plugin
from llm_tracker.models.plugins.manager import installed_plugins
from llm_tracker.models.sources import digests, gguf, hub
from llm_tracker.models.sources.checkpoint_files import pickle_files, weight_files
from llm_tracker.models.sources.model_size import weights_bytes
from llm_tracker.models.sources.quiet_load import quiet_load
from llm_tracker.models.sources.remote_code import lacks_code, own_code_of, require_trusted
from llm_tracker.models.sources.weight_file_kinds import require_weights
from llm_tracker.progress import Progress, Report, silent

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


MakeRoom = Callable[[int, str], None]
"""Is told how many bytes the weights will take, and on which device, before they are read. Raises ModelError where
they don't fit."""


def load_model(
    name: str,
    device: str | Mapping[str, str | int] = "auto",
    dtype: str = "auto",
    report: Report = silent,
    trust: Trust = NOTHING,
) -> LoadedModel:
    """Load a model and prove its adapter.

    `name` is a catalogue id, a hub id (owner/model, with @revision if wanted), a directory or a .gguf file. `device` is
    a torch device or "auto" (CUDA where there is one), `dtype` one of `load_options.DTYPES` ("auto": the file's own).
    A hub model that is not in the local cache is downloaded. A model that can't fit in memory is refused before its
    weights are read, and so is one that could run code here (its own, or a pickle file's) unless `trust` allows it.

    A model that is too big for one device can be split: "split" puts its layers on all CUDA devices, then in memory,
    then on the disk, as there is room. A mapping says it part by part, from the paths of modules to devices or "disk":
    {"": "cpu", "model.layers.9": "disk"}, where "" is all that no other path names. What holds of a split model is in
    docs/models-over-devices.md.

    Raises a kind of ModelError (`llm_tracker.errors`) with what to do next; of ModelRefusedError the subclass
    NotExactError, with what was compared, where the model cannot be read exactly.
    """
    return load(name, LoadOptions(device, dtype, trust), report)


def load(
    name: str, options: LoadOptions = AUTO, report: Report = silent, make_room: MakeRoom = require_room
) -> LoadedModel:
    """The same with its options as one value; `make_room` is asked before the weights are read."""
    entry = find_entry(name)
    own = load_by_plugin(entry, options)
    if own is not None:
        return _proved(entry, None, None, own, report)
    directory, revision = fetch(entry, report, options.trust)
    require_trusted(entry.id, directory, options.trust)
    if entry.source == "hub":
        digests.weights_sha256(directory, report)  # refuses a damaged file before its weights answer anything
    report(Progress(say("Starting the engine")))
    where = _device(options.device_name)
    files = [directory / name for name in sorted(weight_files(directory))]
    require_weights(files)
    computing = devices_of(options)[0] if where == SPLIT else where
    require_causal(directory, computing, bool(own_code_of(directory).model))
    n_bytes = weights_bytes(directory, options.dtype)
    with _split_instead():
        make_room(n_bytes, where)
    model, tokenizer, left_out = _from_directory(directory, where, options, report)
    read_in_order(files, n_bytes)
    return _proved(entry, directory, revision, (model, tokenizer), report, left_out)


@contextmanager
def _split_instead() -> Iterator[None]:
    """Says of a model that does not fit that it can be split."""
    try:
        yield
    except ModelTooLargeError as error:
        raise ModelTooLargeError(
            say(
                "{error} Or let it be split over all devices and the disk (device “split”), which is slow.", error=error
            ),
            dict.fromkeys((*error.parameters, "device")),
        ) from error


def fetch(entry: ModelEntry, report: Report = silent, trust: Trust = NOTHING) -> tuple[Path, str | None]:
    """The directory that `from_pretrained` reads, made or downloaded if need be, and its revision."""
    if entry.source == "embedded":
        file = gguf.embedded_gguf(entry.location)
        return gguf.converted(file, report, gguf.EMBEDDED_SHA256), f"{entry.location} 0.1.2"
    if entry.source == "gguf":
        require_weights([Path(entry.location)])
        return gguf.converted(Path(entry.location), report), None
    if entry.source == "directory":
        return model_directory(Path(entry.location)), None
    here = hub.cached_model(entry.location, entry.revision)
    if here is None or lacks_code(here, trust):
        report(Progress(say("Asking the model hub")))
        try:
            found = hub.ask_hub(entry.location, entry.revision, report, trust)
        except HubUnreachableError as error:
            whole = [] if entry.revision else hub.whole_snapshots(entry.location)
            if len(whole) != 1:
                raise one_of_several(entry, whole) or error from error
            return whole[0], whole[0].name
        here = hub.download(found, report, trust)
        require_whole(entry, here)
    return here, here.name


def _from_directory(
    directory: Path, device: str, options: LoadOptions, report: Report
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, tuple[str, ...]]:
    """Weights, tokenizer, and the names of weights that were left out; from CPU files they stay memory-mapped.

    Code of its own runs only where it is needed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    report(Progress(say("Loading the weights")))
    code, trust = own_code_of(directory), options.trust
    trusts_code = trust.remote_code and bool(code.model)
    read: Any = partial(
        AutoModelForCausalLM.from_pretrained,
        directory,
        dtype=options.dtype,
        ignore_mismatched_sizes=True,
        local_files_only=True,
        output_loading_info=True,
        trust_remote_code=trusts_code,
        use_safetensors=not (trust.pickle and pickle_files(directory)),
        weights_only=True,
    )
    try:
        with quiet_load():
            loaded = read() if device != SPLIT else load_split(read, directory, options, trusts_code)
            tokenizer = AutoTokenizer.from_pretrained(
                directory, local_files_only=True, trust_remote_code=trust.remote_code and bool(code.tokenizer)
            )
    except TrackerError:
        raise
    except Exception as error:  # whatever a damaged or foreign file makes the libraries raise
        if is_lack_of_memory(error):
            raise
        raise ModelDamagedError(
            say("The model in {directory} could not be loaded: {error}", directory=directory, error=one_line(error))
        ) from error
    model, info = loaded
    require_all_weights(directory, info["missing_keys"], info["mismatched_keys"])
    return _on_device(model, device), tokenizer, tuple(sorted(info["unexpected_keys"]))


def _device(device: str) -> str:
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            say(
                "There is no CUDA device for “{device}” here. Choose “cpu” for the device, or leave it to “auto”.",
                device=device,
            ),
            ("device",),
        )
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def _on_device(model: PreTrainedModel, device: str) -> PreTrainedModel:
    target: torch.nn.Module = model
    try:
        return target.to(device) if device not in ("cpu", SPLIT) else model  # type: ignore[return-value]
    except (RuntimeError, AssertionError) as error:
        if is_lack_of_memory(error):
            raise
        raise ModelError(
            say("The device “{device}” cannot be used: {error}", device=device, error=one_line(error))
        ) from error


def _proved(
    entry: ModelEntry,
    directory: Path | None,
    revision: str | None,
    pair: tuple[PreTrainedModel, PreTrainedTokenizerBase],
    report: Report,
    left_out: tuple[str, ...] = (),
) -> LoadedModel:
    """The loaded model, once its adapter has been proved on it."""
    from llm_tracker.models.kernels.matrix_products import choose_kernels
    from llm_tracker.models.memory.split_weights import is_split
    from llm_tracker.models.proof.finite import require_finite
    from llm_tracker.models.proof.prove import prove
    from llm_tracker.models.proof.refusal import own_failure_told, require_exact

    report(Progress(say("Checking that it is read exactly")))
    model, tokenizer = pair
    if not tokenizer.is_fast:
        raise ModelRefusedError(
            say("“{id}” has a tokenizer without character offsets; words cannot be cut exactly.", id=entry.id)
        )
    model.train(False)
    with own_failure_told(model):
        adapter = adapter_of(model)
        examination = prove(model, adapter, choose_kernels(model))
    if not examination.proof.ok:
        require_finite(model)
    require_exact(adapter, examination)
    loaded = LoadedModel(entry, directory, revision, model, tokenizer, adapter, *examination, left_out=left_out)
    return replace(loaded, kv_caches=kv_caches_for(0 if is_split(model) else loaded.weights_bytes))


def adapter_of(model: PreTrainedModel) -> ModelAdapter:
    """The adapter that a plug-in brings for the model's type, else what probing finds.

    Raises ModelError where probing finds no layers.
    """
    from llm_tracker.models.adapters.any_causal_lm import AnyCausalLM

    return installed_plugins().adapters.get(model.config.model_type) or AnyCausalLM.probed(model)
