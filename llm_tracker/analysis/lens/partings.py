"""Computes the lens where words part that begin with the same tokens: behind what they share, by teacher forcing.

The first token of such words says nothing of which of them a layer prefers; the first one that differs does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, takewhile
from typing import TYPE_CHECKING

import numpy as np

from llm_tracker.analysis.lens.read_out import read_out
from llm_tracker.analysis.lens.tables import watched_lenses
from llm_tracker.analysis.lens.watch_tokens import watch_token_ids
from llm_tracker.errors import Cancelled
from llm_tracker.languages.texts import say
from llm_tracker.prompts.tokens import token_text
from llm_tracker.tracing.rereading.resid_by_position import resid_behind
from llm_tracker.tracing.session import Turn, require_unedited
from llm_tracker.tracing.whole_words import Parting

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

TokenIds = tuple[int, ...]


def read_partings(
    model: LoadedModel, turn: Turn, words: Sequence[str], step: int, stop: Callable[[], bool] = lambda: False
) -> tuple[Parting, ...]:
    """Where those of `words` part that begin with the same tokens at a step of a turn.

    None for two words of which one is the beginning of the other: behind it only one goes on. What was read of the
    same words before is not read again. Raises InputError for a word without tokens, Cancelled where `stop` says so.
    """
    require_unedited(turn)
    known = {(each.token_ids, frozenset(each.watched)): each for each in turn.partings.get(step, ())}
    ids = {word: tuple(watch_token_ids(model, turn.trace, word, step)) for word in words}
    found = []
    for shared, several in shared_beginnings(ids).items():
        if stop():
            raise Cancelled(say("Stopped before all words were read."))
        kept = known.get((shared, frozenset(several)))
        found.append(kept or _read(model, turn, step, shared, {word: ids[word][len(shared)] for word in several}))
    return tuple(found)


def shared_beginnings(ids: Mapping[str, TokenIds]) -> dict[TokenIds, list[str]]:
    """By the tokens that two words begin with before they differ: the words that do so, in their order."""
    found: dict[TokenIds, set[str]] = {}
    for one, other in combinations(ids, 2):
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(ids[one], ids[other], strict=False))
        shared = tuple(token_id for token_id, _ in alike)
        if 0 < len(shared) < min(len(ids[one]), len(ids[other])):
            found.setdefault(shared, set()).update((one, other))
    return {shared: [word for word in ids if word in several] for shared, several in found.items()}


def _read(model: LoadedModel, turn: Turn, step: int, shared: TokenIds, next_ids: Mapping[str, int]) -> Parting:
    context = [*turn.prompt.token_ids, *turn.trace.token_ids[:step].tolist()]
    resid = resid_behind(model, context, shared)
    read, _ = read_out(model, resid[None], np.array([list(next_ids.values())]), 1)
    text = "".join(token_text(model.tokenizer, each) for each in shared)
    return Parting(shared, text, watched_lenses(model, read, next_ids, first=0))
