"""Scores whole words by teacher forcing: each is put behind what the model read, and its tokens are looked up.

S(word) = sum of log p(token | all before) + log p(end | the word). All spellings of all words are read in batches
behind one kept KV cache; a model that keeps no keys and values reads each text from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import DynamicCache

from llm_tracker.errors import Cancelled, InputError
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.kv_caches import cache_bytes, repeated
from llm_tracker.prompts.continuation import text_in_front
from llm_tracker.prompts.tokens import special_tokens, token_bytes
from llm_tracker.prompts.word_tokens import spellings, word_tokens
from llm_tracker.tracing.decoding import end_token_ids
from llm_tracker.tracing.rereading.known_context import known_context
from llm_tracker.tracing.session import Turn, require_unedited
from llm_tracker.tracing.whole_words import Spelling, WordEnd, WordScore

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from llm_tracker.models.loading.loaded_model import LoadedModel

BATCH_BYTES = 160 * 2**20
"""What the keys and values of a batch may take: each row has its own copy of all that stands in front of the word.

All spellings of two words behind a one-word question fit in, on the built-in model: in one batch they take 0.7 of the
time that they take in three.
"""

MAX_ROWS = 32
"""Rows of a batch, however short its text is: their logits take memory too."""


def score_words(
    model: LoadedModel,
    turn: Turn,
    words: Sequence[str],
    step: int,
    end: WordEnd,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, WordScore]:
    """How likely the model was to write each word, whole, at a step of a turn; by word.

    Raises InputError for a word without tokens, and Cancelled where `stop` says so between two batches.
    """
    require_unedited(turn)
    so_far = turn.trace.token_ids[:step].tolist()
    before = text_in_front(model.tokenizer, turn.trace.before, so_far, special_tokens(model.tokenizer))
    ways = {word: ways_to_write(model, before, word) for word in words}
    rows = list(dict.fromkeys(ids for several in ways.values() for ids in several.values()))
    context = [*turn.prompt.token_ids, *so_far]
    scored = dict(zip(rows, _log_probs(model, context, rows, end_token_ids_of(model, end), stop), strict=True))
    return {
        word: WordScore(word, tuple(Spelling(text, ids, scored[ids]) for text, ids in several.items()), end)
        for word, several in ways.items()
    }


def ways_to_write(model: LoadedModel, before: str, word: str) -> dict[str, tuple[int, ...]]:
    """The spellings of a word behind a text with their tokens, no two alike. Raises InputError for one without any."""
    ways: dict[str, tuple[int, ...]] = {}
    for text in spellings(before, word):
        ids = tuple(word_tokens(model.tokenizer, before, text))
        if ids and ids not in ways.values():
            ways[text] = ids
    if not word.strip() or not ways:
        raise InputError(
            say("“{word}” cannot be followed: this model has no token for it. Choose another word.", word=word)
        )
    return ways


def end_token_ids_of(model: LoadedModel, end: WordEnd) -> list[int]:
    """The tokens that end a word."""
    ends = end_token_ids(model)
    if end == "line":
        ends |= _vocabulary_ends(model.tokenizer)["line"]
    elif end == "word":
        ends |= _vocabulary_ends(model.tokenizer)["word"]
    return sorted(token_id for token_id in ends if token_id < model.architecture.vocab_size)


_ends: WeakKeyDictionary[PreTrainedTokenizerBase, dict[WordEnd, set[int]]] = WeakKeyDictionary()


def _vocabulary_ends(tokenizer: PreTrainedTokenizerBase) -> dict[WordEnd, set[int]]:
    """The tokens that have a line end in them, and those that do not go on with a word: looked up once."""
    if tokenizer not in _ends:
        ids = list(range(len(tokenizer)))
        written = list(zip(ids, token_bytes(tokenizer, ids), strict=True))
        _ends[tokenizer] = {
            "line": {token_id for token_id, own in written if b"\n" in own},
            "word": {token_id for token_id, own in written if _begins_no_letter(own)},
        }
    return _ends[tokenizer]


def _begins_no_letter(own: bytes) -> bool:
    """Whether a token's first character is neither a letter nor a digit, nor a part of one that bytes make up."""
    text = own[:4].decode("utf-8", errors="ignore")
    return bool(text) and text[0].encode() == own[: len(text[0].encode())] and not (text[0].isalnum() or text[0] == "_")


def _log_probs(
    model: LoadedModel,
    context: Sequence[int],
    rows: Sequence[tuple[int, ...]],
    end_ids: Sequence[int],
    stop: Callable[[], bool],
) -> list[float]:
    """Of each row of tokens, and an end behind it, the log probability behind a context, in nats."""
    found: list[float] = []
    known = known_context(model, context, max(map(len, rows), default=0))
    for batch in _batches(model, rows, known):
        if stop():
            raise Cancelled(say("Stopped before all words were read."))
        with model.running, torch.inference_mode():
            found += _scored(model, context, batch, end_ids, known)
    return found


def _batches(
    model: LoadedModel, rows: Sequence[tuple[int, ...]], known: DynamicCache | None
) -> Iterator[Sequence[tuple[int, ...]]]:
    """As many rows at a time as their keys, values and logits may take; short rows together."""
    in_row = max(map(len, rows), default=0) * model.architecture.vocab_size * 4
    n_rows = 1 if known is None else BATCH_BYTES // max(1, cache_bytes(known), in_row)
    n_rows = min(MAX_ROWS, max(1, n_rows))
    for first in range(0, len(rows), n_rows):
        yield rows[first : first + n_rows]


def _scored(
    model: LoadedModel,
    context: Sequence[int],
    batch: Sequence[tuple[int, ...]],
    end_ids: Sequence[int],
    known: DynamicCache | None,
) -> list[float]:
    """The scores of a batch. What fills up a shorter row comes behind its end, where it changes nothing."""
    ahead = list(context if known is None else context[-1:])
    width = max(map(len, batch))
    padded = [[*ahead, *ids, *ahead[-1:] * (width - len(ids))] for ids in batch]
    cache = None if known is None else repeated(known, len(batch))
    output = forward(model.model, torch.tensor(padded, device=model.input_device), cache, model.way, last_only=False)
    log_probs = output.logits[:, len(ahead) - 1 :].float().log_softmax(-1)
    return [_score(rows, ids, end_ids) for rows, ids in zip(log_probs, batch, strict=True)]


def _score(log_probs: Tensor, ids: Sequence[int], end_ids: Sequence[int]) -> float:
    """The sum over a word's tokens and its end, of log probabilities (position, vocab_size)."""
    written = log_probs[range(len(ids)), list(ids)].sum()
    return float(written + log_probs[len(ids), list(end_ids)].logsumexp(-1))
