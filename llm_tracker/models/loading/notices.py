"""What a reader of a model's charts has to know of it, one sentence each: what its proof found out, what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from llm_tracker.models.architecture import Architecture
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.forward.attention_rows import summarising_layers
from llm_tracker.models.forward.forward_pass import cache_keyword
from llm_tracker.models.forward.way import Way
from llm_tracker.models.loading.model_kinds import QUANTISED
from llm_tracker.models.memory.device_memory import DISK
from llm_tracker.models.sources.hub import noted_snapshot


def architecture_notices(architecture: Architecture, way: Way, model: PreTrainedModel) -> Iterator[str]:
    """Layers without attention, learned sinks, the slower kind of attention, and a missing cache."""
    summarising = summarising_layers(model.config)
    if summarising:
        yield (
            f"{len(summarising)} of its {architecture.n_layers} layers look back at summaries of several tokens: their "
            "shares stand for no single word, and are not drawn."
        )
    without = architecture.heads.count(0) - len(summarising)
    if without == architecture.n_layers:
        yield "This model has no attention to draw: it carries what it read in a state, not by looking back at words."
    elif without:
        yield (
            f"{without} of its {architecture.n_layers} layers have no attention pattern: they carry what was read in a "
            "state instead of looking back at words."
        )
    if architecture.has_sinks:
        yield "Its heads leave part of their 100 % to a learned sink, which stands for no word: it counts as parked."
    if way.attention == "eager" and without < architecture.n_layers:
        yield "It runs on eager attention: the faster kind does not honour all that this family asks for."
    if cache_keyword(model) is None:
        yield "It keeps nothing of what it has read: for every token the whole text is read again."


def tokenizer_notices(tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """A missing chat template: a base model has none, and another program may have left a chat model's out."""
    if not tokenizer.chat_template:
        yield (
            "No chat template was found beside this model: questions are put to it as “Q: … A:”. A model that was "
            "made to chat has one in chat_template.jinja or tokenizer_config.json; get these files if they are missing."
        )


def file_notices(left_out: Sequence[str]) -> Iterator[str]:
    """Weights of the checkpoint's files for which its config has no place."""
    if left_out:
        yield (
            f"{len(left_out):,} of the weights in its files were left out, such as {left_out[0]}: its config.json has "
            "no place for them. What is drawn is the model without them."
        )


def revision_notices(entry: ModelEntry, directory: Path | None) -> Iterator[str]:
    """A snapshot that is used though the hub's cache does not name it as the default one."""
    if entry.source == "hub" and entry.revision is None and directory != noted_snapshot(entry.location):
        commit = directory.name[:12] if directory else ""
        yield (
            f"The hub's cache on this machine names no whole snapshot as the default one: {commit}, the only one that "
            "is whole, is used."
        )


def split_notices(bytes_by_place: Mapping[str, int]) -> Iterator[str]:
    """Weights on several devices."""
    if len(bytes_by_place) > 1 or DISK in bytes_by_place:
        places = ", ".join(f"{n_bytes / 1e9:.1f} GB on {place}" for place, n_bytes in bytes_by_place.items())
        slow = " What lies on the disk is read from there for every token." if DISK in bytes_by_place else ""
        yield f"Its weights are split over devices: {places}.{slow}"


def quantisation_notices(config: object) -> Iterator[str]:
    """Weights that were quantised after training."""
    settings = getattr(config, "quantization_config", None)
    method = settings.get("quant_method") if isinstance(settings, dict) else getattr(settings, "quant_method", None)
    if settings is not None:
        named = QUANTISED.get(str(getattr(method, "value", method)), (str(method), ""))[0]
        yield f"Its weights are quantised ({named}): these are the numbers of the quantised model, not of the original."


def generation_notices(model: PreTrainedModel) -> Iterator[str]:
    """What the checkpoint's generation_config.json asks for: which of it is done, and which is not."""
    config = model.generation_config
    yield from _sampling_notice(config)
    asked = [
        f"{label} {getattr(config, name)}" for name, (label, off) in PENALTIES.items() if _is_asked(config, name, off)
    ]
    if asked:
        yield (
            f"Its generation_config.json asks for {' and '.join(asked)}. That is not applied: the candidates are the "
            "model's own."
        )


def _sampling_notice(config: object) -> Iterator[str]:
    if not getattr(config, "do_sample", False):
        return
    asked = [f"{label} {value:g}" for name, label in SAMPLING.items() if (value := getattr(config, name, None))]
    settings = f" ({', '.join(asked)})" if asked else ""
    ends = getattr(config, "eos_token_id", None)
    honoured = f" Its {len(ends)} end tokens are honoured." if isinstance(ends, list) and len(ends) > 1 else ""
    yield (
        f"Its generation_config.json asks for sampling{settings}. Answers here take the likeliest token unless a "
        f"temperature is given.{honoured}"
    )


SAMPLING = {"temperature": "temperature", "top_p": "top-p", "top_k": "top-k", "min_p": "min-p"}
"""Settings of sampling, by name and in words."""

PENALTIES = {
    "repetition_penalty": ("a repetition penalty of", 1.0),
    "no_repeat_ngram_size": ("no repeated run of tokens of length", 0),
    "encoder_repetition_penalty": ("an encoder repetition penalty of", 1.0),
}
"""Settings that change logits by what was written before: by name, in words, and the value that changes nothing."""


def _is_asked(config: object, name: str, off: float) -> bool:
    value = getattr(config, name, None)
    return value is not None and value != off
