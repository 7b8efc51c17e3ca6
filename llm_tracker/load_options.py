"""How a model is loaded: where, in which number format, and what of it may run code here. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say

DTYPES = ("auto", "float32", "bfloat16", "float16")

SPLIT = "split"
"""The device of a model that is too big for one: split over all CUDA devices, then memory, then the disk."""


@dataclass(frozen=True)
class Trust:
    """What of a model may run code here. Nothing, unless the command line or a caller in Python says otherwise."""

    remote_code: bool = False
    """Run the Python files that a model's repository brings, where transformers does not know its type."""
    pickle: bool = False
    """Read weights from pickle files, where there are no safetensors."""


NOTHING = Trust()


class DeviceMap(Mapping[str, str]):
    """Where each part of a split model lies, as a value: the path of a module → a torch device or "disk".

    The path "" is all that no other path names. A GPU may be given by its number.
    """

    def __init__(self, places: Mapping[str, str | int]) -> None:
        self._places = {part: f"cuda:{place}" if isinstance(place, int) else place for part, place in places.items()}

    def __getitem__(self, part: str) -> str:
        return self._places[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __hash__(self) -> int:
        return hash(frozenset(self._places.items()))

    def __repr__(self) -> str:
        return repr(self._places)


@dataclass(frozen=True)
class LoadOptions:
    """Device, number format and trust, as one value. Raises ModelError for a format that there is not."""

    device: str | Mapping[str, str | int] = "auto"
    """A torch device; "auto": CUDA where there is one; `SPLIT`: over several; a map (`DeviceMap`): over those in it."""
    dtype: str = "auto"
    """One of `DTYPES`; "auto": the file's own."""
    trust: Trust = NOTHING

    def __post_init__(self) -> None:
        """Refuse an unknown number format, with the known ones."""
        if self.dtype not in DTYPES:
            raise ModelError(
                say(
                    "There is no number format “{dtype}”. Choose one of: {known}.",
                    dtype=self.dtype,
                    known=", ".join(DTYPES),
                )
            )
        if not isinstance(self.device, str):
            object.__setattr__(self, "device", DeviceMap(self.device))

    @property
    def device_name(self) -> str:
        """The device as one word: `SPLIT` of a map, too."""
        return self.device if isinstance(self.device, str) else SPLIT

    @property
    def device_map(self) -> DeviceMap | None:
        """Where each part lies; None where that is not said."""
        return self.device if isinstance(self.device, DeviceMap) else None


AUTO = LoadOptions()
"""All as the machine and the model's files have it, with no trust."""
