"""One forward pass of any causal language model, with the keywords that its class knows."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast, get_args

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from llm_tracker.errors import ModelError, TrackerError, is_lack_of_memory, one_line
from llm_tracker.models.forward.attention import AttentionKind
from llm_tracker.models.forward.position_ids import KEYWORD, is_told, positions_behind
from llm_tracker.models.forward.residual_rows import apart, given_rows

CACHE_KEYWORDS = ("past_key_values", "cache_params")
"""What transformers' models call the cache that they are given and fill."""

OWN_ROWS = 32
"""Rows that `own_logits` reads at a time: every model can read a text of as many tokens."""


@dataclass(frozen=True)
class Way:
    """How a model is run so that its attention can be watched."""

    attention: AttentionKind
    asks: bool = False
    """Whether its eager attention gives patterns only when asked for them (older families)."""


@cache
def _keywords(model_class: Hashable) -> frozenset[str]:
    """What its forward pass may be asked for: its own keywords, and what newer classes take as `**kwargs`."""
    parameters = inspect.signature(cast("type[PreTrainedModel]", model_class).forward).parameters.values()
    takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    return frozenset({parameter.name for parameter in parameters} | ({"output_attentions"} if takes_more else set()))


def takes_positions(model: PreTrainedModel) -> bool:
    """Whether its forward pass can be told the positions of its tokens."""
    return KEYWORD in _keywords(cast("Hashable", type(model)))


def cache_keyword(model: PreTrainedModel) -> str | None:
    """What this class calls its cache; None where it takes none (RWKV, OpenAI GPT), or one of its own class alone."""
    classes = (type(model), type(model.base_model))  # some heads take any cache, and hand it to a body that does not
    if any(_has_own_cache(cast("Hashable", each)) for each in classes):
        return None
    return next((name for name in CACHE_KEYWORDS if name in _keywords(cast("Hashable", type(model)))), None)


@cache
def _has_own_cache(model_class: Hashable) -> bool:
    """Whether its forward pass says that its cache is of a class which it brings along (xLSTM, MiniMax)."""
    own = cast("type[PreTrainedModel]", model_class)
    parameters = inspect.signature(own.forward).parameters
    annotations = [parameters[name].annotation for name in CACHE_KEYWORDS if name in parameters]
    kinds = [kind for each in annotations for kind in (get_args(each) or (each,)) if isinstance(kind, type)]
    return any(kind.__module__ == own.__module__ for kind in kinds)


def new_cache(model: PreTrainedModel) -> DynamicCache | None:
    """An empty cache of the kind of its layers; None for a model that reads each text from its beginning."""
    return None if cache_keyword(model) is None else DynamicCache(config=model.config)


def forward(
    model: PreTrainedModel,
    token_ids: Tensor,
    cache: DynamicCache | None = None,
    asks: bool = False,
    last_only: bool = True,
) -> Any:
    """The model's output for tokens (1, position) behind what the cache holds.

    `last_only` asks for the logits of the last position alone, where the class can do that. `asks` asks for the
    attention patterns.
    """
    known = _keywords(cast("Hashable", type(model)))
    keywords: dict[str, Any] = {"use_cache": cache is not None} if "use_cache" in known else {}
    if cache is not None:
        keywords[str(cache_keyword(model))] = cache
        if is_told(model) and cache.get_seq_length():
            keywords[KEYWORD] = positions_behind(cache.get_seq_length(), token_ids)
    if last_only and "logits_to_keep" in known:
        keywords["logits_to_keep"] = 1
    if asks and "output_attentions" in known:
        keywords["output_attentions"] = True
    return model(token_ids, **keywords)


def on_eager(model: PreTrainedModel) -> None:
    """Put a model on plain eager attention.

    transformers refuses to switch some older classes (Falcon); these look into their config at every pass.
    """
    model.set_attn_implementation("eager")
    if model.config._attn_implementation != "eager":
        model.config._attn_implementation = "eager"


@contextmanager
def refused_if_it_fails(model: PreTrainedModel) -> Iterator[None]:
    """Turns whatever a foreign model raises while it is being tried into ModelError: it cannot be traced.

    Not where memory ran out, which says nothing about the model.
    """
    try:
        yield
    except TrackerError:
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        kind = model.config.get_text_config().model_type
        raise ModelError(
            f"Models of type “{kind}” cannot be traced: run as tracing needs it, it raises {type(error).__name__} "
            f"({one_line(error)}). Choose another model, or report this family."
        ) from error


@contextmanager
def in_place_of_output(module: nn.Module, rows: Tensor) -> Iterator[None]:
    """Within this context, the module's output (its first part, where it has several) is replaced by `rows`."""

    def replace(_module: nn.Module, _args: Any, output: Any) -> Any:
        new = apart(rows, given_rows(output))
        if isinstance(output, (tuple, list)):
            several = (new, *output[1:])
            return type(output)(*several) if hasattr(output, "_fields") else type(output)(several)
        return new

    hook = module.register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()


def own_logits(model: PreTrainedModel, last_layer: nn.Module, resid: Tensor) -> Tensor:
    """What the model itself makes of rows (row, d_model) of its residual stream: raw logits (row, vocab_size).

    The rows stand in place of the last layer's output while as many arbitrary tokens are read, a few at a time: they
    need not fit into one text. Exact for any family whose end knows its input by the residual stream alone, and as dear
    as reading a text.
    """
    return torch.cat([_own_logits(model, last_layer, rows) for rows in torch.split(resid, OWN_ROWS)])


def _own_logits(model: PreTrainedModel, last_layer: nn.Module, resid: Tensor) -> Tensor:
    token_ids = torch.ones((1, len(resid)), dtype=torch.long, device=resid.device)
    with in_place_of_output(last_layer, resid):
        output = forward(model, token_ids, last_only=False)
    logits: Tensor = output.logits[0]
    return logits


N_TOKENS = 9


def probe_tokens(vocab_size: int) -> Tensor:
    """A few token ids (1, position), the same each time."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(vocab_size, (1, N_TOKENS), generator=generator)
