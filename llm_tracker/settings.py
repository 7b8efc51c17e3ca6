"""What the app is started with: the model to begin with, device, format, trust; handed on by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass

from llm_tracker.trust import NOTHING, Trust

_NAMES = {"model": "LLM_TRACKER_MODEL", "device": "LLM_TRACKER_DEVICE", "dtype": "LLM_TRACKER_DTYPE"}
_TRUST_NAMES = {"remote_code": "LLM_TRACKER_TRUST_REMOTE_CODE", "pickle": "LLM_TRACKER_ALLOW_PICKLE"}
"""Each holds the name of the model that is trusted, so that none of another start can hold for this one's."""


@dataclass(frozen=True)
class Settings:
    """How an app's process loads models."""

    model: str = ""
    """A catalogue id, hub id, directory or .gguf file; empty: the app's own choice."""
    device: str = "auto"
    dtype: str = "auto"
    trust: Trust = NOTHING
    """Of `model` alone."""

    @classmethod
    def of_environment(cls) -> Settings:
        """What `as_environment` wrote, or anyone who starts `streamlit run dashboard.py` by hand."""
        given = {field: os.environ[name] for field, name in _NAMES.items() if os.environ.get(name)}
        model = given.get("model")
        trusted = {field: model is not None and os.environ.get(name) == model for field, name in _TRUST_NAMES.items()}
        return cls(**given, trust=Trust(**trusted))

    def as_environment(self) -> dict[str, str]:
        """The variables that carry what was chosen to the app's process; what was left open stays as it is there.

        Trust does not stay: what is not given now is taken back.
        """
        chosen = {name: getattr(self, field) for field, name in _NAMES.items()}
        trusted = {name: self.model if getattr(self.trust, field) else "" for field, name in _TRUST_NAMES.items()}
        return {name: value for name, value in chosen.items() if value not in ("", "auto")} | trusted

    def trust_of(self, model_id: str) -> Trust:
        """What is allowed of a model: what was allowed at the start of the one named there, nothing of any other."""
        return self.trust if model_id == self.model else NOTHING
