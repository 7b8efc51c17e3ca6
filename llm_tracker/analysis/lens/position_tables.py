"""Computes the logit lens (nostalgebraist, 2020) of all layers at all positions of a turn, chunk after chunk."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.analysis.lens.read_out import ReadOut, read_into
from llm_tracker.analysis.lens.watch_tokens import watch_token_id
from llm_tracker.errors import Cancelled, InputError
from llm_tracker.languages.texts import say
from llm_tracker.models.memory.heap import trim_heap
from llm_tracker.progress import Told, ended
from llm_tracker.prompts.tokens import token_text
from llm_tracker.several import several
from llm_tracker.tracing.rereading.resid_by_position import read_positions
from llm_tracker.tracing.session import Turn, require_unedited
from llm_tracker.tracing.trace import IntArray, StreamSite, WatchedLens

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_BEST = 10
"""Candidates kept of every layer and position."""

CHUNKS_TO_A_TRIM = 16
"""After so many chunks of logits the holes that they leave go back. It costs time: the next chunk's memory is new."""


def position_lens(
    model: LoadedModel, turn: Turn, words: Sequence[str] = (), site: StreamSite = "resid_post"
) -> PositionLens:
    """The lens of all layers at all positions of a turn, with the probability and the rank of each of `words`.

    `site` "resid_post" is behind each layer, "resid_mid" between its attention and its MLP. Takes about as long as its
    matrix products: positions x layers x vocabulary. Raises InputError for an edited answer, a word without tokens or
    an unknown site, ModelError where the model has no such site.
    """
    return ended(stream_position_lens(model, turn, words, site=site))


def stream_position_lens(
    model: LoadedModel,
    turn: Turn,
    words: Sequence[str] = (),
    stop: Callable[[], bool] = lambda: False,
    site: StreamSite = "resid_post",
) -> Generator[float, None, PositionLens]:
    """The same, chunk after chunk, yielding the share that is done.

    The text is read once more in parts, and of each the rows of all layers go through the model's tail: those after
    each layer, or of the site `resid_mid` those between its attention and its MLP. Raises Cancelled where `stop` says
    so between two chunks, InputError for a word without tokens or an unknown site, ModelError where the model has no
    such site.
    """
    require_unedited(turn)
    if site not in get_args(StreamSite):
        known = ", ".join(get_args(StreamSite))
        raise InputError(say("There is no site “{site}” here. Choose one of: {known}.", site=site, known=known))
    words = several(words)
    ids = np.array([*turn.prompt.token_ids, *turn.trace.token_ids.tolist()])
    word_ids = {word: watch_token_id(model, turn.trace, word, turn.first_step) for word in words}
    asked = np.stack([ids[1:], *(np.full(len(ids) - 1, each) for each in word_ids.values())], axis=1)
    n_positions = len(asked)
    n_rows = len(model.layers) + (site != "resid_post")
    whole = ReadOut.empty(n_positions, n_rows, min(N_BEST, model.architecture.vocab_size), asked.shape[1])
    first = 0
    for resid in _trimmed(model, read_positions(model, ids[:-1].tolist(), stop, site), 1):
        span = slice(first, first + len(resid))
        chunks = read_into(whole.stacks(span), model, resid, asked[span])
        for done in _trimmed(model, chunks, CHUNKS_TO_A_TRIM):
            if stop():
                raise Cancelled(say("Stopped before every position was read. Nothing was changed."))
            yield (first + done) / n_positions
        first += len(resid)
    return _assembled(model, whole, ids, word_ids, site)


def _trimmed(model: LoadedModel, work: Iterator[Told], every: int) -> Iterator[Told]:
    """The work, with the memory that it frees returned after every so many of its results, and at its end.

    On another device than the CPU nothing large comes and goes here, so that nothing is done.
    """
    trim = trim_heap if model.input_device.type == "cpu" else lambda: None
    try:
        for n_results, result in enumerate(work, 1):
            if n_results % every == 0:
                trim()
            yield result
    finally:
        trim()


def _assembled(
    model: LoadedModel, whole: ReadOut, ids: IntArray, word_ids: Mapping[str, int], site: StreamSite
) -> PositionLens:
    """What was read, by layer and position. A further row behind the layers was read for its distribution alone."""
    by_layer = {name: rows.swapaxes(0, 1)[: len(model.layers)] for name, rows in vars(whole).items()}
    watched = {
        word: WatchedLens(
            token_id=token_id,
            token=token_text(model.tokenizer, token_id),
            logit=by_layer["logit"][..., column],
            prob=by_layer["prob"][..., column],
            rank=by_layer["rank"][..., column],
        )
        for column, (word, token_id) in enumerate(word_ids.items(), start=1)
    }
    return PositionLens(
        site=site,
        tokens=tuple(token_text(model.tokenizer, token_id) for token_id in ids[:-1].tolist()),
        next_token_ids=ids[1:],
        top_token_ids=by_layer["top_token_ids"],
        top_tokens={each: token_text(model.tokenizer, each) for each in np.unique(whole.top_token_ids).tolist()},
        top_probs=by_layer["top_probs"],
        next_prob=by_layer["prob"][..., 0],
        next_rank=by_layer["rank"][..., 0],
        entropy=by_layer["entropy"],
        kl=by_layer["kl"],
        watched=watched,
    )
