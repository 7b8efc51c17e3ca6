"""Decoding: one token after another, greedy or sampled with a seed, recorded as it happens."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from llm_tracker.errors import Cancelled
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import forward, new_cache
from llm_tracker.models.forward.hooks import before, is_replacing, once_each, put_on
from llm_tracker.models.forward.kv_caches import is_plain
from llm_tracker.models.forward.way import AttentionKind
from llm_tracker.prompts.trained_form import turn_end_ids
from llm_tracker.tracing.recorder import Recorder
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

CHUNK_TOKENS: dict[AttentionKind, int] = {"sdpa": 4096, "eager": 512}
"""How much of a prompt is read at once: SDPA skips the future only of a text that it reads from its beginning, and
eager attention holds a pattern of the chunk times all before it."""

N_CANDIDATES = 10
"""Candidates kept of every step."""

BLOCK = 128
"""Logits in a block of `_best`."""


@dataclass(frozen=True)
class Step:
    """One generated token and its best rivals."""

    token_id: int
    prob: float
    logit: float
    rank: int
    top_token_ids: list[int]
    top_logits: list[float]
    top_probs: list[float]
    entropy: float
    """Of the prediction, in nats."""
    is_forced: bool = False
    """Whether it was written whatever the model said: such a token ends no answer."""


def decode(
    model: LoadedModel,
    prompt_ids: Sequence[int],
    decoding: Decoding,
    recorder: Recorder,
    stop: Callable[[], bool] = lambda: False,
    n_fixed: int = 0,
    n_most: int | None = None,
    forced: Callable[[], int | None] = lambda: None,
) -> Iterator[Step]:
    """Generate up to `n_most` tokens (`decoding.max_new_tokens` unless given), the last of them an end token.

    `forced` is asked before each token whether it is written whatever the model says, and which one that is.

    What the model has read already is not read again; the first `n_fixed` tokens are kept for the next text that begins
    with them, and the whole for one that goes on from it. The iterator may be left at any time: between two tokens
    nothing is recorded. Raises Cancelled where `stop` says so while the prompt is read.
    """
    replaced = is_replacing()
    cache, n_read = (new_cache(model.model), 0) if replaced else model.kv_caches.begin(model.model, prompt_ids)
    switch, generator = rope_switch(model.model), torch.Generator().manual_seed(decoding.seed)
    ends = end_token_ids(model)
    ids = list(prompt_ids)
    n_read = read_ahead(model, ids, cache, n_read, n_fixed, stop)
    try:
        with recorder.hooked():
            for step in range(decoding.max_new_tokens if n_most is None else n_most):
                if switch is not None and cache is not None and switch.length in range(n_read, len(ids)):
                    # Past its switch a text is read again from its beginning, as transformers' generation does.
                    cache, n_read = (cache, n_read) if switch.goes_on else (new_cache(model.model), 0)
                with model.running, torch.inference_mode(), recorder.recording():
                    output = read_next(model, ids[n_read:], cache, None if step else stop)
                    n_read = len(ids) if cache is not None else 0
                    recorder.end_step(len(ids))
                    chosen = _choose(output.logits[0, -1].float(), decoding, generator, forced())
                yield chosen
                if chosen.token_id in ends and not chosen.is_forced:
                    return
                ids.append(chosen.token_id)
    finally:
        whole = (
            cache is not None and is_plain(cache) and cache.get_seq_length() == n_read
        )  # not where a pass was stopped
        if cache is not None and whole and not (replaced or is_replacing()):
            model.kv_caches.keep(ids[:n_read], cache)


def read_ahead(
    model: LoadedModel,
    ids: Sequence[int],
    cache: DynamicCache | None,
    n_read: int,
    n_fixed: int,
    stop: Callable[[], bool],
) -> int:
    """Read a prompt into the cache up to its last chunk, and return how many tokens have been read.

    What keeps a state instead of keys and values reads all of it at once: families differ in how they go on from one.
    """
    switch = rope_switch(model.model)
    while cache is not None and is_plain(cache):
        end = n_read + CHUNK_TOKENS[model.way.attention]
        if n_read < n_fixed < len(ids):
            end = min(end, n_fixed)
        if switch is not None:
            end = switch.piece_end(n_read, end, len(ids))
        if end >= len(ids):
            return n_read
        with model.running, torch.inference_mode():
            read_next(model, ids[n_read:end], cache, stop)
        n_read = end
        if n_read == n_fixed and not is_replacing():
            model.kv_caches.keep(ids[:n_read], cache)
    return n_read


def read_next(
    model: LoadedModel, ids: Sequence[int], cache: DynamicCache | None, stop: Callable[[], bool] | None
) -> Any:
    """One forward pass over the next tokens; logits of the last one only."""
    tensor = torch.tensor([list(ids)], device=model.input_device)
    with _stopped_by(stop, model.layers):
        return forward(model.model, tensor, cache, model.way)


@contextmanager
def _stopped_by(stop: Callable[[], bool] | None, layers: Sequence[nn.Module]) -> Iterator[None]:
    """Within this context a forward pass ends before the next layer once `stop` says so, raising Cancelled."""

    def look(_layer: nn.Module, _args: Any, _kwargs: Any) -> None:
        if stop is not None and stop():
            raise Cancelled(say("Stopped before the first token. Nothing was changed."))

    with put_on(before(layer, look) for layer in once_each(layers) if stop is not None):
        yield


def end_token_ids(model: LoadedModel) -> set[int]:
    """The tokens that end an answer: the generation config's, the tokenizer's own, and the chat template's."""
    return named_end_ids(model) | turn_end_ids(model.tokenizer)


def named_end_ids(model: LoadedModel) -> set[int]:
    """Those that the checkpoint's own files name."""
    configured = model.model.generation_config.eos_token_id if model.model.generation_config else None
    several = configured if isinstance(configured, list) else [configured]
    return {token_id for token_id in [*several, model.tokenizer.eos_token_id] if token_id is not None}


def _choose(logits: Tensor, decoding: Decoding, generator: torch.Generator, forced: int | None = None) -> Step:
    """The next token from raw logits (vocab_size), with the best candidates before any temperature."""
    top_token_ids, top_logits = _best(logits, min(N_CANDIDATES, logits.numel()))
    weights = (logits - top_logits[0]).exp_()
    total = weights.sum().item()
    log_total = math.log(total) + top_logits[0]
    entropy = max(0.0, log_total - weights.dot(logits).item() / total)
    top_probs = [math.exp(logit - log_total) for logit in top_logits]
    best = (top_token_ids, top_logits, top_probs, entropy)
    if forced is None and decoding.temperature is None:
        return Step(top_token_ids[0], top_probs[0], top_logits[0], 1, *best)
    token_id = forced
    if token_id is None:
        token_id = _sample(logits.cpu() / (decoding.temperature or 1), decoding.top_p, generator)
    logit = logits[token_id].item()
    prob, rank = math.exp(logit - log_total), int((logits > logits[token_id]).sum()) + 1
    return Step(token_id, prob, logit, rank, *best, forced is not None)


def _best(logits: Tensor, count: int) -> tuple[list[int], list[float]]:
    """The tokens with the largest of all logits (vocab_size), and these, best first.

    They are in the blocks with the largest maxima: where a vocabulary is made of whole blocks, as most are, only these
    are sorted. A whole topk writes four times the vocabulary's size, and drives all else from the cache.
    """
    if logits.numel() % BLOCK or logits.numel() < 4 * count * BLOCK:
        best = logits.topk(count)
        return best.indices.tolist(), best.values.tolist()
    blocks = logits.view(-1, BLOCK)
    chosen = blocks.amax(-1).topk(count).indices
    best = blocks[chosen].flatten().topk(count)
    firsts = [block * BLOCK for block in chosen.tolist()]
    return [firsts[at // BLOCK] + at % BLOCK for at in best.indices.tolist()], best.values.tolist()


def _sample(logits: Tensor, top_p: float, generator: torch.Generator) -> int:
    """Nucleus sampling (Holtzman et al., 2020): from the fewest best tokens whose probabilities reach top_p."""
    probs, order = logits.softmax(-1).sort(descending=True)
    outside = probs.cumsum(-1) - probs >= top_p  # the best token is always inside
    return int(order[torch.multinomial(probs.masked_fill(outside, 0), 1, generator=generator)])
