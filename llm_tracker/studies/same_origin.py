"""Rows of one model go together only where the same weights and the same versions made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.studies.values.rows import Found

_ARCHITECTURE = ("id", "model_type", "n_layers", "d_model")
"""By which weights without a digest, such as a plug-in's, are told apart."""


def require_same_origin(name: str, model: Mapping[str, Any], versions: Mapping[str, str], found: Found) -> None:
    """Raise InputError where a block comes from other weights of a model, or from other versions, than earlier ones."""
    if model["dtype"] != found.model["dtype"]:
        raise InputError(
            say(
                "The study was begun with {model} in {before}, and this is {now}: their numbers differ by more than "
                "rounding. Load it as before, or begin anew, in another place.",
                model=name,
                before=model["dtype"],
                now=found.model["dtype"],
            ),
            "out",
        )
    compared = ("weights_sha256",) if model.get("weights_sha256") is not None else ("weights_sha256", *_ARCHITECTURE)
    if any(model.get(each) != found.model.get(each) for each in compared):
        raise InputError(
            say("The study was begun with other weights of {model}. Begin anew, in another place.", model=name),
            "out",
        )
    other = next((each for each in versions if versions[each] != found.versions.get(each)), None)
    if other is not None:
        raise InputError(
            say(
                "The study was begun with {library} {before}, and this is {now}: its numbers may differ by "
                "more than rounding. Use that version again, or begin anew, in another place.",
                library=other,
                before=versions[other],
                now=found.versions.get(other),
            ),
            "out",
        )
