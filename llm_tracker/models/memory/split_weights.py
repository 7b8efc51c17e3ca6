"""Models whose weights are split over devices (accelerate's device_map): what lies where, and how it can be read.

accelerate puts code of its own around the `forward` of each module with weights. It brings what the module is called
with to the module's device, and fetches weights that are offloaded, to the disk or beside a GPU, for that one call.
Outside of the call such a weight is a `meta` tensor: it has a shape and no numbers. torch does not refuse to multiply
by one: what comes out has whatever stood in memory, zeros too. So passes of a split model are watched (`watched`).
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from llm_tracker.errors import ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.models.memory.device_memory import DISK

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_OF_ACCELERATE = ("forward", "_old_forward", "_hf_hook")
"""What accelerate sets on a module."""


def is_split(module: nn.Module) -> bool:
    """Whether accelerate runs a module."""
    return hasattr(module, "_hf_hook")


def is_offloaded(model: nn.Module) -> bool:
    """Whether some weights of a model are there only while the module that they belong to runs."""
    return any(weight.is_meta for weight in model.parameters())


def input_device(model: PreTrainedModel) -> torch.device:
    """The device that a model takes its tokens on and gives its logits on; rows of the residual stream may be on it.

    Not `model.device` of a split one, which is that of its first weight: `meta` where that is offloaded.
    """
    hook: Any = getattr(model, "_hf_hook", None)
    return model.device if hook is None else torch.device(hook.execution_device)


def watched(model: nn.Module) -> AbstractContextManager[object]:
    """Within this context nothing is computed of an offloaded weight that is not there: ModelRefusedError is raised.

    Some code reads the weights of a module without calling it, so that accelerate does not fetch them.
    """
    return _Watched() if is_split(model) and is_offloaded(model) else nullcontext()


class _Watched(TorchFunctionMode):
    """Refuses every operation on tensors of which some have numbers and others none."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords = kwargs or {}
        is_of_one = len(args) == 1 and not keywords and isinstance(args[0], Tensor)  # most ask for a shape or the like
        if not is_of_one and _are_mixed((*args, *keywords.values())):
            raise ModelRefusedError(
                say(
                    "Split over devices this model would give other numbers: its code reads a weight in a way that "
                    "does not fetch it ({function}). Load it on one device, such as “cpu”, or choose a smaller model.",
                    function=getattr(func, "__name__", func),
                ),
                ("device",),
            )
        return func(*args, **keywords)


def _are_mixed(values: Iterable[Any]) -> bool:
    """Whether some of these tensors have numbers and others none."""
    several = [each for value in values for each in (value if isinstance(value, (tuple, list)) else (value,))]
    return len({each.is_meta for each in several if isinstance(each, Tensor)}) > 1


@contextmanager
def in_place(*modules: nn.Module) -> Iterator[None]:
    """Within this context the modules' own weights can be read, where they are offloaded too.

    Calling a module takes them away again. Hold `LoadedModel.running`: so does the pass of another thread.
    """
    from accelerate.utils import align_module_device  # type: ignore[import-untyped]

    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(align_module_device(module))
        yield


def standing_alone(module: nn.Module) -> nn.Module:
    """A module that has its weights and runs without accelerate: itself, or a copy where the model is split."""
    if not any(map(is_split, module.modules())):
        return module
    hooks = [each._hf_hook for each in module.modules() if is_split(each)]
    with in_place(*module.modules()):
        twin = copy.deepcopy(module, {id(hook): hook for hook in hooks})  # hooks lead to all weights of the model
    for each in twin.modules():
        for name in _OF_ACCELERATE:
            vars(each).pop(name, None)
    return twin


def weights_once(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """All weights by their names, shared ones once."""
    seen: set[Hashable] = set()
    for path, module in model.named_modules():
        for name, weight in module.named_parameters(path, recurse=False):
            source = _source(module, name, weight)
            if source not in seen:
                seen.add(source)
                yield name, weight


def _source(module: nn.Module, name: str, weight: Tensor) -> Hashable:
    """What a weight is told by: modules that share one which is offloaded have a `meta` tensor each, of one source."""
    hook: Any = getattr(module, "_hf_hook", None)
    stored = getattr(getattr(hook, "weights_map", None), "dataset", None)
    if not weight.is_meta or stored is None:
        return id(weight)
    if name in stored.state_dict:
        return int(stored.state_dict[name].data_ptr())
    entry = stored.index[name]
    return str(entry["safetensors_file"]), str(entry["weight_name"])


def bytes_by_place(model: PreTrainedModel) -> dict[str, int]:
    """What a model's weights take on each device, and on the disk; the devices first, the disk last."""
    taken: Counter[str] = Counter()
    for name, weight in weights_once(model):
        taken[_place_of(model, name, weight)] += weight.numel() * weight.element_size()
    return dict(sorted(taken.items(), key=lambda each: (each[0] == DISK, each[0] == "cpu", each[0])))


def _place_of(model: PreTrainedModel, name: str, weight: Tensor) -> str:
    """Where a weight lies: as the device map has the longest path that it is within."""
    places: dict[str, Any] = getattr(model, "hf_device_map", {}) if is_split(model) else {}
    paths = [path for path in places if path == "" or name == path or name.startswith(f"{path}.")]
    if not paths:
        return str(weight.device)
    place = places[max(paths, key=len)]
    return f"cuda:{place}" if isinstance(place, int) else str(place)
