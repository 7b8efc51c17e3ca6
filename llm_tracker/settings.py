"""What the app is started with: the model to begin with and how it is loaded; handed on by the environment.

The command line's flags for it stand here too, since the app's own visitors are told them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from llm_tracker.errors import TrackerError
from llm_tracker.load_options import AUTO, NOTHING, LoadOptions, Trust

_NAMES = {"device": "LLM_TRACKER_DEVICE", "dtype": "LLM_TRACKER_DTYPE"}
_MODEL = "LLM_TRACKER_MODEL"
_PUBLIC, _MODELS, _LIMITS = "LLM_TRACKER_PUBLIC", "LLM_TRACKER_MODELS", "LLM_TRACKER_LIMITS"
STORE = "LLM_TRACKER_STORE"
"""Where sessions are kept: `none`, a SQLite file, or an address that SQLAlchemy reads. Unset: the user's own file."""

_TRUST_NAMES = {"remote_code": "LLM_TRACKER_TRUST_REMOTE_CODE", "pickle": "LLM_TRACKER_ALLOW_PICKLE"}
"""Each holds the name of the model that is trusted, so that none of another start can hold for this one's."""

FLAGS = {
    "device": "--device",
    "dtype": "--dtype",
    "trust.remote_code": "--trust-remote-code",
    "trust.pickle": "--allow-pickle",
}
"""How the command line spells the parameters of `load_model`."""


def with_flags(error: TrackerError) -> str:
    """What an error says, and for each parameter of `load_model` in it the flag of `llm-tracker` that sets it."""
    flags = [FLAGS[name] for name in error.parameters if name in FLAGS]
    return f"{error} (llm-tracker: {', '.join(flags)})" if flags else str(error)


def is_public() -> bool:
    """Whether strangers share the app: said by the environment, and by nothing that can be typed."""
    return os.environ.get(_PUBLIC, "").strip().casefold() not in ("", "0", "no", "false", "off")


@dataclass(frozen=True)
class Settings:
    """How an app's process loads models."""

    model: str = ""
    """A catalogue id, hub id, directory or .gguf file; empty: the app's own choice."""
    options: LoadOptions = AUTO
    """The trust among them is of `model` alone."""
    public: bool = False
    """Whether strangers share the app: with limits, and nothing that runs code or reads this machine's files."""
    models: tuple[str, ...] = ()
    """The models that a shared app offers, besides `model`; empty: the built-in one."""
    limits: str = ""
    """Changes of a shared app's limits, as `app.work.limits.limits_of` reads them."""

    @classmethod
    def of_environment(cls) -> Settings:
        """What `as_environment` wrote, or anyone who starts `streamlit run dashboard.py` by hand.

        Raises ModelError for a number format that there is not.
        """
        given = {field: os.environ[name] for field, name in _NAMES.items() if os.environ.get(name)}
        model = os.environ.get(_MODEL) or ""
        trusted = {field: bool(model) and os.environ.get(name) == model for field, name in _TRUST_NAMES.items()}
        if is_public():
            trusted = {}
        models = tuple(filter(None, map(str.strip, os.environ.get(_MODELS, "").split(","))))
        options = LoadOptions(**given, trust=Trust(**trusted))
        return cls(model, options, is_public(), models, os.environ.get(_LIMITS, ""))

    def as_environment(self) -> dict[str, str]:
        """The variables that carry what was chosen to the app's process; what was left open stays as it is there.

        Trust does not stay: what is not given now is taken back.
        """
        chosen = {_MODEL: self.model, **{name: getattr(self.options, field) for field, name in _NAMES.items()}}
        trust = self.options.trust
        trusted = {name: self.model if getattr(trust, field) else "" for field, name in _TRUST_NAMES.items()}
        return {name: value for name, value in chosen.items() if value not in ("", "auto")} | trusted

    def options_for(self, model_id: str) -> LoadOptions:
        """How a model is loaded: with what was trusted at the start of the one named there, without trust any other."""
        return self.options if model_id == self.model else replace(self.options, trust=NOTHING)
