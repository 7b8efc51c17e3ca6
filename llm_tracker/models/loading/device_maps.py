"""Device maps: which part of a model lies on which device, as accelerate splits it (device_map of `from_pretrained`).

A map may name a few parts and say under "" where all others lie. accelerate knows no such rest, so it is spelled out
here. Weights on the disk stay in the model's own safetensors files. What is stored there in another form than the model
has it, or in pickle files, is written out once, into a folder that goes when the model does.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from llm_tracker.errors import ModelError, ModelTooLargeError, is_lack_of_memory, one_line
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.memory.device_memory import DISK, split_devices, split_room
from llm_tracker.models.sources.checkpoint_files import pickle_files
from llm_tracker.models.sources.model_size import weights_bytes
from llm_tracker.places import cache_dir

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

N_NAMED = 8
"""Parts of a model that are named where one is asked for that there is not."""

Load = Callable[..., tuple["PreTrainedModel", dict[str, Any]]]
"""`from_pretrained`, of one model and with all that does not concern devices."""


def devices_of(options: LoadOptions) -> list[str]:
    """The devices that a split model may be run on. Raises ModelError for one that is not here."""
    here = split_devices()
    named: Mapping[str, str] = options.device_map or {}
    for part, place in named.items():
        if place not in (*here, DISK):
            raise ModelError(
                say(
                    "The device map puts “{part}” on “{place}”, which is not here. Choose from: {places}.",
                    part=part,
                    place=place,
                    places=", ".join([*here, DISK]),
                ),
                ("device",),
            )
    return list(dict.fromkeys(place for place in named.values() if place != DISK)) or here


def load_split(
    load: Load, directory: Path, options: LoadOptions, trusts_code: bool
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """What `load` returns, with the model split as the options say, or as there is room.

    Raises ModelError for a map that does not suit the model and where the model cannot be split, ModelTooLargeError
    where the disk has no room for what is written out.
    """
    empty = _empty_model(directory, trusts_code)
    places = "auto" if options.device_map is None else _whole_map(empty, options.device_map)
    room = split_room()
    folder = _own_folder()
    try:
        if pickle_files(directory) or _is_stored_otherwise(empty):
            in_memory = sum(room.values()) if options.device_map is None else 0
            _require_disk(folder, weights_bytes(directory, options.dtype) - in_memory)
        with _quiet_accelerate():
            model, info = load(device_map=places, max_memory=room, offload_folder=str(folder))
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        told = _told(error, folder)
        if told is None:
            raise
        raise told from error
    weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
    return model, info


def _told(error: BaseException, folder: Path) -> ModelError | None:
    """What is said of a failure; None of one that is no matter of devices."""
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
        return _no_room_on_disk(folder)
    if isinstance(error, ModelError) or not isinstance(error, Exception) or is_lack_of_memory(error):
        return None
    return ModelError(
        say(
            "The model could not be split over devices: {kind} ({error}). Choose one device for it, such as "
            "“cpu”, or a smaller model.",
            kind=type(error).__name__,
            error=one_line(error),
        ),
        ("device",),
    )


def _empty_model(directory: Path, trusts_code: bool) -> PreTrainedModel:
    """The model's parts, with weights that have shapes alone."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=trusts_code)
    causal: Any = AutoModelForCausalLM
    with torch.device("meta"):
        model: PreTrainedModel = causal.from_config(config, trust_remote_code=trusts_code)
    return model


def _whole_map(model: PreTrainedModel, named: Mapping[str, str]) -> dict[str, str | int]:
    """A map that covers all of a model, by those parts that are named."""
    _require_parts(model, named)
    places = dict(_spelled_out(model, "", named))
    for one, other in getattr(model, "all_tied_weights_keys", {}).items():
        if _place(one, places) != _place(other, places):
            raise ModelError(
                say(
                    "The device map puts “{one}” on “{place}” and “{other}” on “{other_place}”, and they are the same "
                    "weight. Put both on the same device.",
                    one=one,
                    place=_place(one, places),
                    other=other,
                    other_place=_place(other, places),
                ),
                ("device",),
            )
    # accelerate runs a model on the first of its GPUs: of numbers that is the lowest, of names any.
    return {part: int(place[5:]) if place.startswith("cuda:") else place for part, place in places.items()}


def _require_parts(model: nn.Module, named: Mapping[str, str]) -> None:
    known = {path for path, _ in (*model.named_modules(), *model.named_parameters(), *model.named_buffers())}
    unknown = next((part for part in named if part not in known), None)
    if unknown is not None:
        examples = [path for path, module in model.named_modules() if path and path.count(".") <= 2]
        raise ModelError(
            say(
                "The device map names “{part}”, and this model has no such part. It has {parts} and "
                "others; “” is all that no other name covers.",
                part=unknown,
                parts=", ".join(examples[:N_NAMED]),
            ),
            ("device",),
        )


def _spelled_out(part: Any, path: str, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each part with its place. What has a named part within it is taken apart, the rest of it lies where it does."""
    if not any(each != path and _is_within(each, path) for each in named):
        if not any(_is_within(path, each) for each in named):
            part_name = f"“{path}”" if path else "the model"
            raise ModelError(
                say(
                    "The device map does not say where {part} lies. Name it, or say under “” where all others lie.",
                    part=part_name,
                ),
                ("device",),
            )
        yield path, _place(path, named)
        return
    within = (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False), *part.named_children())
    for name, child in within:
        yield from _spelled_out(child, f"{path}.{name}" if path else name, named)


def _is_within(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(f"{outer}.")


def _place(name: str, places: Mapping[str, str]) -> str:
    """Where a weight lies."""
    return places[max((path for path in places if _is_within(name, path)), key=len)]


def _is_stored_otherwise(model: PreTrainedModel) -> bool:
    """Whether the files of such a model have weights in another form than it does: experts one by one, say."""
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightConverter

    return any(isinstance(each, WeightConverter) for each in get_model_conversion_mapping(model))


def _own_folder() -> Path:
    """An empty folder for weights that are written out; those of processes that are gone are cleared away."""
    every = cache_dir() / "offload"
    every.mkdir(exist_ok=True)
    for folder in every.iterdir():
        number = folder.name.split("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=every))


def _require_disk(folder: Path, n_bytes: int) -> None:
    if n_bytes > shutil.disk_usage(folder).free:
        raise _no_room_on_disk(folder, n_bytes)


def _no_room_on_disk(folder: Path, n_bytes: int = 0) -> ModelTooLargeError:
    free = shutil.disk_usage(folder.parent).free
    text = DISK_HAS_NO_ROOM if n_bytes else DISK_IS_FULL
    return ModelTooLargeError(
        say(
            text,
            most=number(n_bytes / 1e9, ".1f"),
            free=number(free / 1e9, ".1f"),
            folder=folder.parent,
        )
    )


DISK_HAS_NO_ROOM = later(
    "The disk has no room for the model's weights: up to {most} GB of them may have to be written there, and {free} GB "
    "are free in {folder}. Make room there, or choose a smaller model."
)
DISK_IS_FULL = later(
    "The disk has no room for the model's weights: more of them has to be written there, and {free} GB are free in "
    "{folder}. Make room there, or choose a smaller model."
)


@contextmanager
def _quiet_accelerate() -> Iterator[None]:
    """Within this context accelerate does not warn that weights are offloaded, which was asked for."""
    logger = logging.getLogger("accelerate.big_modeling")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
