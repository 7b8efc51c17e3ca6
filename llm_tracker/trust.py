"""What a user has allowed a model to do on this machine. Values only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Trust:
    """What of a model may run code here. Nothing, unless the command line or a caller in Python says otherwise."""

    remote_code: bool = False
    """Run the Python files that a model's repository brings, where transformers does not know its type."""
    pickle: bool = False
    """Read weights from pickle files, where there are no safetensors."""

    def warnings(self, model: str) -> Iterator[str]:
        """What each thing that was allowed means, a sentence or two each."""
        if self.remote_code:
            yield (
                f"--trust-remote-code: Python code that comes with “{model}” may run with your rights: it can read, "
                "change and send whatever you can. Use it only for code that you have read."
            )
        if self.pickle:
            yield (
                f"--allow-pickle: weights of “{model}” may be read from pickle files, a format that can run code. "
                "torch is told to read weights only; still, use it only for files whose author you trust."
            )


NOTHING = Trust()
