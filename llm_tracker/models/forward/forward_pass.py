"""One forward pass of any causal language model, with the keywords that its class knows."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast, get_args

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from llm_tracker.errors import ModelRefusedError, TrackerError, is_lack_of_memory, one_line
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.changing_rope import begin_anew
from llm_tracker.models.forward.hooks import before, put_on
from llm_tracker.models.forward.way import EAGER, Way
from llm_tracker.models.memory.split_weights import watched

CACHE_KEYWORDS = ("past_key_values", "cache_params")
"""What transformers' models call the cache that they are given and fill."""

POSITION_IDS = "position_ids"
"""What transformers' models call the positions that they are told."""


@cache
def _keywords(model_class: Hashable) -> frozenset[str]:
    """What its forward pass may be asked for: its own keywords, and what newer classes take as `**kwargs`."""
    parameters = inspect.signature(cast("type[PreTrainedModel]", model_class).forward).parameters.values()
    takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    return frozenset({parameter.name for parameter in parameters} | ({"output_attentions"} if takes_more else set()))


def takes_positions(model: PreTrainedModel) -> bool:
    """Whether its forward pass can be told the positions of its tokens."""
    return POSITION_IDS in _keywords(cast("Hashable", type(model)))


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
    way: Way = EAGER,
    last_only: bool = True,
    places: Places | None = None,
) -> Any:
    """The model's output for tokens (row, position) behind what the cache holds, run in this way.

    `places` say where the tokens stand and what they see, such as behind a cache that is filled up (`Gaps`): the model
    has to be able to be told positions. `last_only` asks for the logits of the last position alone, where the class can
    do that. The attention that runs is the one that the model was put on (`put_on_attention`). Raises ModelRefusedError
    where a split model reads a weight that is not there.
    """
    begin_anew(model)
    if (counter := _counter.get()) is not None:
        counter.n += token_ids.numel()
    known = _keywords(cast("Hashable", type(model)))
    keywords: dict[str, Any] = {"use_cache": cache is not None} if "use_cache" in known else {}
    if cache is not None:
        keywords[str(cache_keyword(model))] = cache
        if way.tells_positions and cache.get_seq_length():
            keywords[POSITION_IDS] = _positions_behind(cache.get_seq_length(), token_ids)
    if places is not None:
        keywords |= places.keywords(token_ids)
    if last_only and "logits_to_keep" in known:
        keywords["logits_to_keep"] = 1
    if way.asks_for_patterns and "output_attentions" in known:
        keywords["output_attentions"] = True
    with watched(model):
        return model(token_ids, **keywords)


class TokensRead:
    """Tokens that all rows of all forward passes had: what they cost, whatever the machine."""

    def __init__(self, n: int = 0) -> None:
        self.n = n


_counter: ContextVar[TokensRead | None] = ContextVar("tokens_read", default=None)


@contextmanager
def counting(counter: TokensRead) -> Iterator[None]:
    """Within this context what this thread's forward passes read is counted."""
    token = _counter.set(counter)
    try:
        yield
    finally:
        _counter.reset(token)


class Places(Protocol):
    """Where tokens stand, and what they see."""

    def keywords(self, token_ids: Tensor) -> dict[str, Any]:
        """What the forward pass is told of the tokens (row, position) that it reads: positions, and a mask."""


@dataclass(frozen=True)
class Gaps:
    """What fills up shorter texts in a KV cache of several: it is masked, and what follows is told its position."""

    first: tuple[int, ...]
    """(row), where each text's filling begins."""
    end: int
    """Where the filling of all ends; what was read since stands behind it."""
    length: int
    """Of the cache."""

    def of(self, rows: Sequence[int]) -> Gaps:
        """Those of chosen rows; one may be named twice."""
        return Gaps(tuple(self.first[row] for row in rows), self.end, self.length)

    def longer(self, n_new: int) -> Gaps:
        """The same, once so many tokens more were read."""
        return Gaps(self.first, self.end, self.length + n_new)

    def keywords(self, token_ids: Tensor) -> dict[str, Any]:
        """The positions of tokens (row, position) that are read next, and what is to be seen by them."""
        n_new = token_ids.shape[1]
        first = torch.tensor(self.first, device=token_ids.device)[:, None]
        places = torch.arange(self.length + n_new, device=token_ids.device)
        seen = (places < first) | (places >= self.end)
        positions = torch.arange(self.length, self.length + n_new, device=token_ids.device) - (self.end - first)
        return {POSITION_IDS: positions, "attention_mask": seen.long()}


def _positions_behind(n_read: int, token_ids: Tensor) -> Tensor:
    """The positions (row, position) of tokens (row, position) behind `n_read` others."""
    return torch.arange(n_read, n_read + token_ids.shape[1], device=token_ids.device).expand(token_ids.shape)


@contextmanager
def first_positions(model: nn.Module) -> Iterator[set[int]]:
    """Collects the first position of whatever the model's modules are given positions for."""
    firsts: set[int] = set()

    def see(_module: nn.Module, _args: Any, kwargs: dict[str, Any]) -> None:
        positions = kwargs.get(POSITION_IDS)
        if isinstance(positions, Tensor) and positions.numel():
            firsts.add(int(positions.flatten()[0]))

    with put_on(before(module, see) for module in model.modules() if module is not model):
        yield firsts


def put_on_eager(model: PreTrainedModel) -> None:
    """Put a model on plain eager attention.

    transformers refuses to switch some older classes (Falcon); these look into their config at every pass.
    """
    model.set_attn_implementation("eager")
    if model.config._attn_implementation != "eager":
        model.config._attn_implementation = "eager"


@contextmanager
def refused_if_it_fails(model: PreTrainedModel) -> Iterator[None]:
    """Turns whatever a foreign model raises while it is being tried into ModelRefusedError: it cannot be traced.

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
        raise ModelRefusedError(
            say(
                "Models of type “{kind}” cannot be traced: run as tracing needs it, it raises {error_kind} ({error}). "
                "Choose another model, or report this family.",
                kind=kind,
                error_kind=type(error).__name__,
                error=one_line(error),
            )
        ) from error


N_TOKENS = 9


def probe_tokens(vocab_size: int) -> Tensor:
    """A few token ids (1, position), the same each time."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(vocab_size, (1, N_TOKENS), generator=generator)
