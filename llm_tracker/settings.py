"""What the app is started with: the model to begin with, device and number format; handed on by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass

_NAMES = {"model": "LLM_TRACKER_MODEL", "device": "LLM_TRACKER_DEVICE", "dtype": "LLM_TRACKER_DTYPE"}


@dataclass(frozen=True)
class Settings:
    """How an app's process loads models."""

    model: str = ""
    """A catalogue id, hub id, directory or .gguf file; empty: the app's own choice."""
    device: str = "auto"
    dtype: str = "auto"

    @classmethod
    def of_environment(cls) -> Settings:
        """What `as_environment` wrote, or anyone who starts `streamlit run dashboard.py` by hand."""
        given = {field: os.environ[name] for field, name in _NAMES.items() if os.environ.get(name)}
        return cls(**given)

    def as_environment(self) -> dict[str, str]:
        """The variables that carry what was chosen to the app's process; what was left open stays as it is there."""
        chosen = {name: getattr(self, field) for field, name in _NAMES.items()}
        return {name: value for name, value in chosen.items() if value not in ("", "auto")}
