"""How a model is loaded: where, in which number format, and what of it may run code here. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from llm_tracker.errors import ModelError

DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Trust:
    """What of a model may run code here. Nothing, unless the command line or a caller in Python says otherwise."""

    remote_code: bool = False
    """Run the Python files that a model's repository brings, where transformers does not know its type."""
    pickle: bool = False
    """Read weights from pickle files, where there are no safetensors."""


NOTHING = Trust()


@dataclass(frozen=True)
class LoadOptions:
    """Device, number format and trust, as one value. Raises ModelError for a format that there is not."""

    device: str = "auto"
    """A torch device; "auto": CUDA where there is one."""
    dtype: str = "auto"
    """One of `DTYPES`; "auto": the file's own."""
    trust: Trust = NOTHING

    def __post_init__(self) -> None:
        """Refuse an unknown number format, with the known ones."""
        if self.dtype not in DTYPES:
            raise ModelError(f"There is no number format “{self.dtype}”. Choose one of: {', '.join(DTYPES)}.")


AUTO = LoadOptions()
"""All as the machine and the model's files have it, with no trust."""
