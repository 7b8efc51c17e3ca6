"""Whether a model is whole: all files of a directory or a snapshot, and all weights of its checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from llm_tracker.errors import ModelDamagedError, ModelNotFoundError
from llm_tracker.languages.texts import say
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.loading.model_kinds import require_no_peft
from llm_tracker.models.sources.checkpoint_files import missing_files


def one_of_several(entry: ModelEntry, several: Sequence[Path]) -> ModelNotFoundError | None:
    """What to type where several revisions are here, none of them as the default one, and the hub cannot be asked."""
    if len(several) < 2:
        return None
    names = ", or ".join(f"{entry.location}@{snapshot.name}" for snapshot in several)
    return ModelNotFoundError(
        say(
            "{n} revisions of “{repository}” are on this machine, and nothing here says which is its "
            "default one. Type the one that you mean: {names}.",
            n=len(several),
            repository=entry.location,
            names=names,
        )
    )


def require_whole(entry: ModelEntry, snapshot: Path) -> None:
    """Refuse what was downloaded where the repository itself lacks a part, or its index is damaged."""
    missing = missing_files(snapshot)
    if missing:
        raise ModelDamagedError(
            say(
                "“{id}” was downloaded and is no whole model: its repository lacks {missing}. Choose another "
                "model or revision.",
                id=entry.id,
                missing=", ".join(missing),
            )
        )


def model_directory(directory: Path) -> Path:
    """The same directory. Raises ModelError where it holds no whole model."""
    require_no_peft(directory)
    if not (directory / "config.json").is_file():
        if files := sorted(directory.glob("*.gguf")):
            raise ModelNotFoundError(
                say(
                    "{directory} has no config.json. Of a .gguf file give the path of the file itself: {file}.",
                    directory=directory,
                    file=files[0],
                )
            )
        raise ModelNotFoundError(
            say(
                "{directory} holds no model: there is no config.json. Give the directory that has it.",
                directory=directory,
            )
        )
    missing = missing_files(directory)
    if missing:
        raise ModelDamagedError(
            say(
                "{directory} is incomplete: it lacks {missing}. It needs weights (safetensors; all files of "
                "their index) and a tokenizer beside config.json.",
                directory=directory,
                missing=", ".join(missing),
            )
        )
    return directory


def require_all_weights(directory: Path, missing: Collection[str], misshapen: Collection[tuple[Any, ...]]) -> None:
    """Refuse a checkpoint with holes or other shapes: transformers puts random numbers there and only logs it."""
    if misshapen:
        name, found, wanted = min(misshapen)
        raise ModelDamagedError(
            say(
                "The model in {directory} does not fit its config.json: {n} of its weights have another "
                "shape than that says, such as {name}, {found} in the file and {wanted} by the config. Get its "
                "files anew.",
                directory=directory,
                n=len(misshapen),
                name=name,
                found=tuple(found),
                wanted=tuple(wanted),
            )
        )
    if missing:
        raise ModelDamagedError(
            say(
                "The model in {directory} is incomplete: {n} of its weights are in no file, such as "
                "{name}. Get its files anew.",
                directory=directory,
                n=len(missing),
                name=min(missing),
            )
        )
