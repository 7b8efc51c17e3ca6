"""Whether a model fits: what its weights take in memory, and what this process may use."""

from __future__ import annotations

from pathlib import Path

import psutil

from llm_tracker.errors import ModelTooLargeError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.load_options import SPLIT
from llm_tracker.models.memory.control_groups import group_limits

WORKING_BYTES = 128 * 2**20
"""What reading a text takes besides the weights: activations, lenses, the first kept KV caches."""


DISK, AND = "disk", " + "
"""Of a split model: where the rest of its weights lies, and what stands between the places, as in “cuda:0 + disk”."""

SPLIT_SHARE = 0.9
"""How much of what is free on a device a split model's weights may take. The rest is for what is computed there."""

_CUDA_BYTES = ("reserved", "allocated", "inactive_split")
"""torch's names for what it holds of a GPU, what tensors take of it, and what is free between them."""


def limit_bytes() -> int:
    """What this process may use: the host's memory, or the limit of its control groups where that is lower."""
    return min([int(psutil.virtual_memory().total), *group_limits()])


def private_bytes() -> int:
    """What this process holds apart from mapped files; 0 where the system does not say (it does on Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def memory_of(device: str) -> tuple[int, int]:
    """What may be used of a device's memory, and how much of that is in use, in bytes.

    Weights that are mapped from files are not in use: the system takes their memory back when it needs it. Nor is what
    torch keeps of a GPU's freed memory and could give back. Of several devices (“cuda:0 + cpu”, `SPLIT`) it is the sum;
    the disk is none.
    """
    named = split_devices() if device == SPLIT else device.split(AND)
    several = [_memory_of(each) for each in named if each != DISK] or [_memory_of("cpu")]
    return sum(limit for limit, _ in several), sum(in_use for _, in_use in several)


def split_devices() -> list[str]:
    """The devices that a model can be split over here, the fastest first."""
    import torch

    return [*(f"cuda:{number}" for number in range(torch.cuda.device_count())), "cpu"]


def split_room() -> dict[str | int, int]:
    """What a split model's weights may take of each device, in bytes: accelerate's `max_memory`."""
    room = {device: _memory_of(device) for device in split_devices()}
    free = {device: max(0, limit - in_use - WORKING_BYTES) for device, (limit, in_use) in room.items()}
    return {
        device if device == "cpu" else int(device.removeprefix("cuda:")): int(SPLIT_SHARE * n_bytes)
        for device, n_bytes in free.items()
    }


def _memory_of(device: str) -> tuple[int, int]:
    """The same of one device."""
    if device.startswith("cuda"):
        import torch

        stats = torch.cuda.memory_stats(device)
        reserved, taken, split = (stats.get(f"{name}_bytes.all.current", 0) for name in _CUDA_BYTES)
        free, total = torch.cuda.mem_get_info(device)
        return total, max(0, total - free - (reserved - taken - split))
    return limit_bytes(), private_bytes()


def has_room(needed_bytes: int, device: str = "cpu") -> bool:
    """Whether weights of this size fit beside what is in use."""
    limit, in_use = memory_of(device)
    return needed_bytes + WORKING_BYTES + in_use <= limit


def require_room(needed_bytes: int, device: str = "cpu", reserved_bytes: int = 0) -> None:
    """Raise ModelTooLargeError, with the figures, where weights of this size don't fit beside what is in use.

    `reserved_bytes` are those of models that are being loaded meanwhile: in use as far as anybody else is concerned. A
    split model is never refused here: what has no room in memory lies on the disk.
    """
    if device != SPLIT and not has_room(needed_bytes + reserved_bytes, device):
        limit, in_use = memory_of(device)
        in_use += reserved_bytes
        is_cpu = device == "cpu"
        fits_elsewhere = not is_cpu and has_room(needed_bytes)
        figures = say(
            "The model does not fit: its weights take {weights} and reading {working} more; {place} allows {limit}, "
            "and {in_use} of that is in use.",
            weights=_gb(needed_bytes),
            working=_gb(WORKING_BYTES),
            place=say("this machine") if is_cpu else say("the device {device}", device=device),
            limit=_gb(limit),
            in_use=_gb(in_use),
        )
        remedy = (
            say("Choose a smaller model, or load it in a dtype of fewer bits or on the CPU (device “cpu”).")
            if fits_elsewhere
            else say("Choose a smaller model, or load it in a dtype of fewer bits.")
        )
        raise ModelTooLargeError(f"{figures} {remedy}", ("dtype", "device") if fits_elsewhere else ("dtype",))


def require_possible(needed_bytes: int, device: str = "cpu") -> None:
    """Raise ModelTooLargeError, with the figures, where weights of this size never fit, whatever is let go."""
    limit, _ = memory_of(device)
    if needed_bytes + WORKING_BYTES > limit:
        require_room(needed_bytes, device)


def _gb(n_bytes: int) -> str:
    return f"{number(n_bytes / 1e9, '.1f')} GB"
