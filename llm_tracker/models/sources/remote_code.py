"""What of a model could run code here, its own Python and pickle weights, and the refusal where it was not allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_tracker.errors import ModelDamagedError, ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.load_options import Trust
from llm_tracker.models.sources.checkpoint_files import pickle_files, read_object


@dataclass(frozen=True)
class OwnCode:
    """The Python files that a model needs because transformers does not know its parts; empty where it knows them.

    A file of another repository is written owner/name--file, as in the model's config.
    """

    model: frozenset[str] = frozenset()
    tokenizer: frozenset[str] = frozenset()

    @property
    def files(self) -> list[str]:
        """All of them, in order."""
        return sorted(self.model | self.tokenizer)


def own_code(config_file: Path, tokenizer_config_file: Path) -> OwnCode:
    """What code of its own a model needs, by its config and its tokenizer's (which need not be there).

    Raises ModelDamagedError for a damaged config.
    """
    config, tokenizer = _read(config_file), _read(tokenizer_config_file)
    model_files = frozenset(_files(config_file, config, ("AutoConfig", "AutoModelForCausalLM")))
    tokenizer_files = frozenset(_files(tokenizer_config_file, tokenizer, ("AutoTokenizer",)))
    return OwnCode(
        model_files if model_files and not _knows_model(config) else frozenset(),
        tokenizer_files if tokenizer_files and not _knows_tokenizer(config, tokenizer) else frozenset(),
    )


def own_code_of(directory: Path) -> OwnCode:
    """What code of its own the model in a directory needs. Raises ModelDamagedError for a damaged config."""
    return own_code(directory / "config.json", directory / "tokenizer_config.json")


def lacks_code(directory: Path, trust: Trust) -> bool:
    """Whether code that a model needs, and that may be run, is not beside it yet."""
    return trust.remote_code and any(not (directory / name).is_file() for name in own_code_of(directory).files)


def require_trusted(name: str, directory: Path, trust: Trust) -> None:
    """Raise ModelRefusedError, with what to do, where the model in a directory could run code that was not allowed.

    Also for a damaged config, and a damaged index of weights.
    """
    require_trusted_code(name, own_code_of(directory), trust)
    pickles = pickle_files(directory)
    if pickles:
        require_pickle_allowed(name, pickles, trust)


def require_trusted_code(name: str, code: OwnCode, trust: Trust) -> None:
    """Raise ModelRefusedError where a model needs code of its own that may not be run, or is not beside it."""
    if not code.files:
        return
    if not trust.remote_code:
        raise ModelRefusedError(
            say(
                "“{name}” needs code of its own ({files}), which is not run unasked. If you have read it and "
                "trust it, allow it for this model: trust=Trust(remote_code=True).",
                name=name,
                files=", ".join(code.files),
            ),
            ("trust.remote_code",),
        )
    elsewhere = [file for file in code.files if "--" in file]
    if elsewhere:
        raise ModelRefusedError(
            say(
                "“{name}” needs code of another repository ({elsewhere}), which is not fetched. Download both "
                "yourself, put the code beside the model, and mend auto_map in its config.json.",
                name=name,
                elsewhere=", ".join(elsewhere),
            )
        )


def require_pickle_allowed(name: str, files: Iterable[str], trust: Trust) -> None:
    """Raise ModelRefusedError where weights that are pickle files may not be read."""
    if not trust.pickle:
        raise ModelRefusedError(
            say(
                "“{name}” has no safetensors weights, only pickle files ({files}), a format that can run code. "
                "If you trust whoever made them, allow them for this model: trust=Trust(pickle=True).",
                name=name,
                files=next(iter(files)),
            ),
            ("trust.pickle",),
        )


def _read(file: Path) -> dict[str, Any]:
    return read_object(file) if file.is_file() else {}


def _files(file: Path, config: dict[str, Any], classes: tuple[str, ...]) -> Iterator[str]:
    """The files that `auto_map` names for these classes of transformers, each as module.Class or a list of such.

    Raises ModelDamagedError, with the config's file, for an `auto_map` that is no such thing.
    """
    auto_map = config.get("auto_map") or {}
    if isinstance(auto_map, list):  # an old tokenizer's: the slow and the fast class
        auto_map = {"AutoTokenizer": auto_map}
    if not isinstance(auto_map, dict):
        raise _names_no_class(file, auto_map)
    for name in classes:
        references = auto_map.get(name)
        for reference in references if isinstance(references, list) else [references]:
            if isinstance(reference, str):
                yield f"{reference.rsplit('.', 1)[0]}.py"
            elif reference is not None:
                raise _names_no_class(file, reference)


def _names_no_class(file: Path, given: object) -> ModelDamagedError:
    return ModelDamagedError(
        say(
            '{file} names no class of code in its auto_map: {given}, where such as {{"AutoConfig": '
            '"module.Class"}} is needed. Mend it, or get the model\'s files anew.',
            file=file,
            given=repr(str(given)[:60]),
        )
    )


def _knows_model(config: dict[str, Any]) -> bool:
    """Whether transformers has a causal language model of this type."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return str(config.get("model_type")) in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES


def _knows_tokenizer(config: dict[str, Any], tokenizer: dict[str, Any]) -> bool:
    """Whether transformers has this tokenizer, by its own name or by the model's type."""
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES, tokenizer_class_from_name

    name = str(tokenizer.get("tokenizer_class") or "")
    known = any(tokenizer_class_from_name(each) is not None for each in (name, f"{name}Fast") if name)
    return known or str(config.get("model_type")) in TOKENIZER_MAPPING_NAMES
