"""Many texts scored at once: how likely each of several words is behind each of them, and what is written there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from llm_tracker.experiments.passes.filled_rows import N_MORE
from llm_tracker.experiments.passes.forced_choice import TokenIds, choices_of, score_batch
from llm_tracker.experiments.passes.rows import Batch, Row, begin, common_beginning, read_rows
from llm_tracker.experiments.passes.written_answers import write_answers
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.whole_words import WordEnd

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

FEW = 24
"""So many texts are one batch: another one would take longer than what they have in common."""

MOST_FILLING = 3.0
"""A batch's longest row has at most so many times the tokens of its shortest: what fills that up is read in vain."""


@dataclass(frozen=True, eq=False)
class Text:
    """A text, and what is asked of it."""

    prompt: Prompt
    words: tuple[tuple[str, ...], ...]
    """Each with its aliases."""
    writes: bool = False
    """Whether the model's own answer to it is wanted, too."""
    kind: Hashable = None
    """Texts of one kind have more in common than with others."""


@dataclass(frozen=True, eq=False)
class TextScore:
    """What came out behind a text."""

    scores: tuple[float, ...]
    """(word), in nats: log p of the whole word with its end, in any of its spellings and aliases."""
    log_probs: Tensor
    """(vocab_size), of the first token."""
    answer: str | None
    """What greedy decoding writes; None where it was not asked for."""


def score_texts(
    model: LoadedModel, texts: Sequence[Text], end: WordEnd, stop: Callable[[], bool] = lambda: False
) -> Iterator[dict[int, TextScore]]:
    """Score texts, yielding those of one batch, each by its place in `texts`.

    Raises InputError for a word without tokens, Cancelled where `stop` says so between two batches.
    """
    choices = [choices_of(model, text.prompt, text.words) for text in texts]
    n_more = max([N_MORE, *(len(ids) for each in choices for choice in each for ids in choice)])
    prompts, kinds = [text.prompt for text in texts], [text.kind for text in texts]
    for places, batch in read_together(model, prompts, kinds, n_more=n_more, stop=stop):
        own = [prompts[at] for at in places]
        scores = score_batch(
            batch, [prompt.token_ids for prompt in own], [choices[at] for at in places], end, n_more, stop
        )
        answers = write_answers(batch, own, [row for row, at in enumerate(places) if texts[at].writes], stop)
        log_probs = batch.logits.log_softmax(-1).cpu()
        yield {at: TextScore(tuple(scores[row]), log_probs[row], answers.get(row)) for row, at in enumerate(places)}


def read_together(
    model: LoadedModel,
    prompts: Sequence[Prompt],
    kinds: Sequence[Hashable],
    text_of: Callable[[Prompt], TokenIds] = lambda prompt: tuple(prompt.token_ids),
    n_more: int = N_MORE,
    keep_resid: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[list[int], Batch]]:
    """Read texts in batches, yielding the places of a batch's texts and what came out of them.

    `text_of` says what is read of a prompt, `n_more` how many tokens are read behind it later.
    """
    for places in _groups(prompts, kinds):
        texts = [text_of(prompts[at]) for at in places]
        shared = common_beginning(texts)
        beginning = begin(model, shared, max(map(len, texts)) - len(shared) + n_more)
        rows = [Row(text) for text in texts]
        for batch in read_rows(beginning, rows, keep_resid=keep_resid, stop=stop):
            yield places[batch.rows], batch


def _groups(prompts: Sequence[Prompt], kinds: Sequence[Hashable]) -> Iterator[list[int]]:
    """Texts that are read together: few all at once, many by kind and by length."""
    by_length = sorted(range(len(prompts)), key=lambda at: len(prompts[at].token_ids))
    if len(prompts) <= FEW:
        yield by_length
        return
    for kind in dict.fromkeys(kinds):
        own = [at for at in by_length if kinds[at] == kind]
        n_shared = len(common_beginning([prompts[at].token_ids for at in own]))
        yield from _of_like_length(own, [len(prompts[at].token_ids) - n_shared for at in own])


def _of_like_length(places: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts, ascending in length, in groups that are filled up but little."""
    group: list[int] = []
    shortest = 0
    for at, length in zip(places, lengths, strict=True):
        if group and length > MOST_FILLING * shortest:
            yield group
            group = []
        shortest = shortest if group else length
        group.append(at)
    if group:
        yield group
