"""Models that are no causal language model, or not one that can be read here: told by their files, before a load."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from llm_tracker.errors import ModelNotFoundError, ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.models.sources.checkpoint_files import read_object

PEFT_CONFIG = "adapter_config.json"

QUANTISED = {
    "awq": ("AWQ", "gptqmodel"),
    "gptq": ("GPTQ", "gptqmodel"),
    "bitsandbytes": ("bitsandbytes", "bitsandbytes"),
    "eetq": ("EETQ", "kernels"),
    "fbgemm_fp8": ("FBGEMM FP8", "kernels"),
    "higgs": ("HIGGS", "flute"),
    "spqr": ("SpQR", "spqr_quant"),
    "vptq": ("VPTQ", "vptq"),
}
"""Quantisation methods whose kernels need a GPU: what they are called, and the package that has the kernels."""


def require_no_peft(directory: Path) -> None:
    """Refuse a directory that holds a PEFT adapter and no model. Raises ModelNotFoundError, with how to merge it."""
    if not (directory / PEFT_CONFIG).is_file() or (directory / "config.json").is_file():
        return
    base = read_object(directory / PEFT_CONFIG).get("base_model_name_or_path") or say("its base model")
    raise ModelNotFoundError(
        say(
            "{directory} holds a PEFT adapter, a small change to “{base}”, and no model. Merge the two with peft: "
            "AutoPeftModelForCausalLM.from_pretrained(“{directory}”).merge_and_unload().save_pretrained(“merged”); "
            "put the tokenizer's files beside it, and give that directory.",
            directory=directory,
            base=base,
        )
    )


def require_causal(directory: Path, device: str, has_own_code: bool) -> None:
    """Refuse what does not go on with a text, what transformers does not know, and what needs a GPU that is not used.

    Raises ModelRefusedError.
    """
    config = read_object(directory / "config.json")
    kind = str(config.get("model_type") or "")
    refusal = "" if has_own_code else _unknown(directory, kind)
    refusal = refusal or _other_kind(directory, config) or _quantised(directory, config, device)
    if refusal:
        raise ModelRefusedError(refusal)


def _unknown(directory: Path, kind: str) -> str:
    from transformers import __version__
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if not kind or kind in CONFIG_MAPPING:
        return ""
    return say(
        "The model in {directory} is of type “{kind}”, which the installed transformers {version} does not know. "
        "Install a newer transformers, or choose another model.",
        directory=directory,
        kind=kind,
        version=__version__,
    )


def _other_kind(directory: Path, config: dict[str, Any]) -> str:
    made_as = [str(each) for each in config.get("architectures") or ()]
    if config.get("is_encoder_decoder"):
        return say(
            "The model in {directory} is an encoder-decoder: it reads a text with one part and writes another with a "
            "second. Only causal language models, which go on with one text, can be traced.",
            directory=directory,
        )
    if made_as and all(name.endswith("ForMaskedLM") for name in made_as) and not config.get("is_decoder"):
        return say(
            "The model in {directory} fills in masked words, seeing those behind them too: it does not go on with a "
            "text. Only causal language models can be traced.",
            directory=directory,
        )
    return ""


def _quantised(directory: Path, config: dict[str, Any], device: str) -> str:
    settings = config.get("quantization_config")
    method, package = QUANTISED.get(str(settings.get("quant_method")) if isinstance(settings, dict) else "", ("", ""))
    if not method:
        return ""
    if device != "cpu":
        if importlib.util.find_spec(package) is not None:
            return ""
        return say(
            "The model in {directory} is quantised with {method}: its numbers would be those of the quantised model, "
            "and the package with its kernels is not here. Install it with “pip install {package}”, or choose the "
            "original weights.",
            directory=directory,
            method=method,
            package=package,
        )
    return say(
        "The model in {directory} is quantised with {method}: its numbers would be those of the quantised model, and "
        "its kernels need a GPU, which is not used here. Choose the original weights, or a .gguf file, which is read "
        "on a CPU.",
        directory=directory,
        method=method,
    )
