"""What a session's numbers come from: the model, its weights, and the versions of what computed them."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from llm_tracker.errors import OtherWeightsError
from llm_tracker.languages.spoken import language
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import ModelInfo, Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def require_same_weights(model: LoadedModel, session: Session) -> None:
    """Refuse to read a session's answers, or to go on with them, with other weights than those that gave them.

    A name stays while what it stands for changes: a checkpoint that is trained on, a branch of the hub that moves.
    Of weights without a digest, which a plug-in made, the model's record has to be the same. Raises OtherWeightsError.
    """
    if session.turns and not is_of(model, session.model):
        raise OtherWeightsError(
            say(
                "These answers were given by other weights than those that are loaded now as {model}. Ask the "
                "question again, and its answer can be looked into and corrected.",
                model=model.entry.title,
            )
        )


def is_of(model: LoadedModel, info: ModelInfo) -> bool:
    """Whether a record is of a model with these weights."""
    if model.weights_sha256 != info.weights_sha256:
        return False
    now = model_info(model)
    return model.weights_sha256 is not None or all(
        getattr(now, name) == getattr(info, name) for name in ("id", "model_type", "n_layers", "d_model")
    )


def model_info(model: LoadedModel) -> ModelInfo:
    """The record of a loaded model that a session keeps."""
    architecture = model.architecture
    return ModelInfo(
        id=model.id,
        title=model.entry.title,
        path=str(model.directory) if model.directory else None,
        model_type=architecture.model_type,
        adapter=model.adapter.name,
        n_layers=architecture.n_layers,
        n_heads=architecture.n_heads,
        d_model=architecture.d_model,
        vocab_size=architecture.vocab_size,
        dtype=model.dtype,
        device=model.device,
        revision=model.revision,
        weights_sha256=model.weights_sha256,
        notices=model_notices(model),
        kernels=model.way.kernel_names,
    )


def model_notices(model: LoadedModel) -> tuple[str, ...]:
    """What a reader of a model's numbers has to know: of the model, and of the form in which it is asked."""
    from llm_tracker.prompts.form_notices import form_notices
    from llm_tracker.tracing.decoding import named_end_ids

    found = _notices.setdefault(model, {})
    if language() not in found:
        found[language()] = (*model.notices, *form_notices(model.tokenizer, named_end_ids(model)))
    return found[language()]


_notices: WeakKeyDictionary[LoadedModel, dict[str, tuple[str, ...]]] = WeakKeyDictionary()
"""Found once for each model and language: the sidebar asks at every run of a page, and to render a template takes a
while."""


def versions() -> dict[str, str]:
    """What computed a session's numbers."""
    packages = {"llm_tracker": "llm-inference-tracker", "transformers": "transformers", "torch": "torch"}
    return {"python": platform.python_version()} | {key: _version_of(package) for key, package in packages.items()}


@cache
def _version_of(package: str) -> str:
    """An installed package's version; reading it takes milliseconds."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "from a checkout"
