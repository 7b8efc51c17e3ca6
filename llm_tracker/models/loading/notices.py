"""What a reader of a model's charts has to know of it, one sentence each: what its proof found out, what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
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
        yield say(
            "{n} of its {n_layers} layers look back at summaries of several tokens: their shares stand for no single "
            "word, and are not drawn.",
            n=len(summarising),
            n_layers=architecture.n_layers,
        )
    without = architecture.heads.count(0) - len(summarising)
    if without == architecture.n_layers:
        yield say(
            "This model has no attention to draw: it carries what it read in a state, not by looking back at words."
        )
    elif without:
        yield say(
            "{n} of its {n_layers} layers have no attention pattern: they carry what was read in a state instead of "
            "looking back at words.",
            n=without,
            n_layers=architecture.n_layers,
        )
    if architecture.has_sinks:
        yield say(
            "Its heads leave part of their 100 % to a learned sink, which stands for no word: it counts as parked."
        )
    if way.attention == "eager" and without < architecture.n_layers:
        yield say("It runs on eager attention: the faster kind does not honour all that this family asks for.")
    if cache_keyword(model) is None:
        yield say("It keeps nothing of what it has read: for every token the whole text is read again.")


def tokenizer_notices(tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """A missing chat template: a base model has none, and another program may have left a chat model's out."""
    if not tokenizer.chat_template:
        yield say(
            "No chat template was found beside this model: questions are put to it as “Q: … A:”. A model that was "
            "made to chat has one in chat_template.jinja or tokenizer_config.json; get these files if they are missing."
        )


def file_notices(left_out: Sequence[str]) -> Iterator[str]:
    """Weights of the checkpoint's files for which its config has no place."""
    if left_out:
        yield say(
            "{n} of the weights in its files were left out, such as {name}: its config.json has no place for them. "
            "What is drawn is the model without them.",
            n=number(len(left_out), ","),
            name=left_out[0],
        )


def revision_notices(entry: ModelEntry, directory: Path | None) -> Iterator[str]:
    """A snapshot that is used though the hub's cache does not name it as the default one."""
    if entry.source == "hub" and entry.revision is None and directory != noted_snapshot(entry.location):
        commit = directory.name[:12] if directory else ""
        yield say(
            "The hub's cache on this machine names no whole snapshot as the default one: {commit}, the only one that "
            "is whole, is used.",
            commit=commit,
        )


def split_notices(bytes_by_place: Mapping[str, int]) -> Iterator[str]:
    """Weights on several devices."""
    if len(bytes_by_place) > 1 or DISK in bytes_by_place:
        places = ", ".join(
            say("{size} GB on {place}", size=number(n_bytes / 1e9, ".1f"), place=place)
            for place, n_bytes in bytes_by_place.items()
        )
        split = say("Its weights are split over devices: {places}.", places=places)
        slow = say("What lies on the disk is read from there for every token.")
        yield f"{split} {slow}" if DISK in bytes_by_place else split


def quantisation_notices(config: object) -> Iterator[str]:
    """Weights that were quantised after training."""
    settings = getattr(config, "quantization_config", None)
    method = settings.get("quant_method") if isinstance(settings, dict) else getattr(settings, "quant_method", None)
    if settings is not None:
        named = QUANTISED.get(str(getattr(method, "value", method)), (str(method), ""))[0]
        yield say(
            "Its weights are quantised ({method}): these are the numbers of the quantised model, not of the original.",
            method=named,
        )


def generation_notices(model: PreTrainedModel) -> Iterator[str]:
    """What the checkpoint's generation_config.json asks for: which of it is done, and which is not."""
    config = model.generation_config
    yield from _sampling_notice(config)
    asked = [
        say(label, value=getattr(config, name))
        for name, (label, off) in PENALTIES.items()
        if _is_asked(config, name, off)
    ]
    if asked:
        yield say(
            "Its generation_config.json asks for {settings}. That is not applied: the candidates are the model's own.",
            settings=reduce(lambda one, other: say("{one} and {other}", one=one, other=other), asked),
        )


def _sampling_notice(config: object) -> Iterator[str]:
    if not getattr(config, "do_sample", False):
        return
    asked = [
        f"{say(label)} {number(value, 'g')}"
        for name, label in SAMPLING.items()
        if (value := getattr(config, name, None))
    ]
    sampling = say(
        "Its generation_config.json asks for sampling{settings}. Answers here take the likeliest token unless a "
        "temperature is given.",
        settings=f" ({', '.join(asked)})" if asked else "",
    )
    ends = getattr(config, "eos_token_id", None)
    if isinstance(ends, list) and len(ends) > 1:
        yield f"{sampling} {say('Its {n} end tokens are honoured.', n=len(ends))}"
    else:
        yield sampling


SAMPLING = {"temperature": later("temperature"), "top_p": "top-p", "top_k": "top-k", "min_p": "min-p"}
"""Settings of sampling, by name and in words."""

PENALTIES = {
    "repetition_penalty": (later("a repetition penalty of {value}"), 1.0),
    "no_repeat_ngram_size": (later("no repeated run of tokens of length {value}"), 0),
    "encoder_repetition_penalty": (later("an encoder repetition penalty of {value}"), 1.0),
}
"""Settings that change logits by what was written before: by name, in words, and the value that changes nothing."""


def _is_asked(config: object, name: str, off: float) -> bool:
    value = getattr(config, name, None)
    return value is not None and value != off
