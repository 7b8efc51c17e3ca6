"""Sampling: the same prompt answered with several seeds, all of them at once.

Answers that have begun alike are one text until they part: it is read once, and each draws its own next token from the
same logits. Texts are read many rows at a time behind the prompt's KV cache. What keeps a state instead of keys and
values is sampled one answer after another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import DynamicCache

from llm_tracker.errors import Cancelled, InputError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.changing_rope import rope_switch
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import is_replacing
from llm_tracker.models.forward.kv_caches import is_plain
from llm_tracker.models.forward.shared_beginning import row_bytes, sharing
from llm_tracker.prompts.continuation import Continuation
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.decoding import decode, end_token_ids, read_ahead, read_next
from llm_tracker.tracing.phases import Phases
from llm_tracker.tracing.recorder import Recorder
from llm_tracker.tracing.run import require_fits, spoken
from llm_tracker.tracing.sampled import SampledAnswer, SampledAnswers
from llm_tracker.tracing.session import MIN_TEMPERATURE, Decoding, Ending

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

MOST_ANSWERS = 1024
"""Answers that can be asked for at once: their shares are known to 3 points of 100 then."""

BATCH_BYTES = 128 * 2**20
"""What the texts that are read together may take besides the prompt, which is held once."""

LOGIT_BYTES = 40
"""What a logit grows to while a token is drawn: divided, exponentiated, sorted with its place, summed up, masked."""


def stream_samples(
    model: LoadedModel, prompt: Prompt, decoding: Decoding, n: int, stop: Callable[[], bool] = lambda: False
) -> Generator[int, None, SampledAnswers]:
    """Sample `n` answers to a prompt, yielding after every token how many have ended.

    Answer i has the seed `decoding.seed` + i and is what `run_turn` writes with it, but for what rounding can do:
    several rows are not multiplied in the same order as one. Raises InputError for a number of answers outside of 1 to
    1,024, without a temperature, for seeds that are too large, and where the text is longer than the model can read;
    Cancelled where `stop` says so.
    """
    if not 1 <= n <= MOST_ANSWERS:
        raise InputError(
            say(
                "{n} answers were asked for. Ask for 1 to {most}.",
                n=number(n, ","),
                most=number(MOST_ANSWERS, ","),
            )
        )
    _require_temperature(decoding)
    ends = end_token_ids(model)
    drafts = [_Draft(model, prompt, replace(decoding, seed=decoding.seed + at), ends) for at in range(n)]
    n_reserved = Phases(model.tokenizer, prompt, decoding.max_thought_tokens).reserved
    require_fits(model, prompt, decoding.max_new_tokens, n_reserved)
    n_most = decoding.max_new_tokens + n_reserved
    known = _read_prompt(model, prompt, n_most, stop)
    if known is None:
        work = _one_after_another(model, prompt, drafts, n_most, stop)
    else:
        work = _together(model, *known, drafts, _most_rows(model, known[0], n_most), stop)
    for _ in work:
        yield sum(draft.ended is not None for draft in drafts)
    return SampledAnswers(tuple(draft.sampled() for draft in drafts), decoding)


def _require_temperature(decoding: Decoding) -> None:
    if decoding.temperature is None:
        raise InputError(
            say(
                "Answers are sampled at a temperature, and none was given: greedy decoding writes the same "
                "answer every time. Give a temperature of at least {least}, such as 1.",
                least=MIN_TEMPERATURE,
            )
        )


class _Draft:
    """One answer while it is written, followed as `run_turn` follows one."""

    def __init__(self, model: LoadedModel, prompt: Prompt, decoding: Decoding, ends: set[int]) -> None:
        self.decoding, self.generator = decoding, torch.Generator().manual_seed(decoding.seed)
        self.token_ids, self.ended = list[int](), _UNENDED
        self._model, self._stops_at_newline, self._ends = model, prompt.stops_at_newline, ends
        self._log_probs = list[float]()
        self._written = Continuation(model.tokenizer, prompt.token_ids)
        self._phases = Phases(model.tokenizer, prompt, decoding.max_thought_tokens)
        self._n_most = decoding.max_new_tokens + self._phases.reserved

    def forced(self) -> int | None:
        """The token that is written next whatever the model says: one that closes the thought."""
        return self._phases.forced()

    def write(self, token_id: int, log_prob: float, is_forced: bool) -> None:
        """Note a token with its log probability, and whether the answer ends with it."""
        self.token_ids.append(token_id)
        self._log_probs.append(log_prob)
        self._written.add(token_id)
        text, _ = self._written.read()
        self._phases.wrote(token_id, text)
        if token_id in self._ends and not is_forced:
            self.ended = "end"
        elif self._stops_at_newline and "\n" in text.lstrip():
            self.ended = "newline"
        elif self._phases.is_full(self.decoding.max_new_tokens) or len(self.token_ids) == self._n_most:
            self.ended = "limit"

    def sampled(self) -> SampledAnswer:
        """The answer as a value, once it has ended."""
        text, spans = self._written.read()
        ended = self.ended or "stopped"
        thought = self._phases.thought(text, spans, spoken(self._model, self.token_ids), ended == "end")
        first = thought.n_steps if thought else 0
        answer, log_prob = spoken(self._model, self.token_ids[first:]), math.fsum(self._log_probs[first:])
        return SampledAnswer(self.decoding.seed, tuple(self.token_ids), text, answer, ended, thought, log_prob)


_UNENDED: Ending | None = None


def _one_after_another(
    model: LoadedModel, prompt: Prompt, drafts: Sequence[_Draft], n_most: int, stop: Callable[[], bool]
) -> Iterator[None]:
    """Write the answers as `run_turn` does, token by token."""
    for draft in drafts:
        recorder = Recorder(model, budget_bytes=0)
        steps = decode(model, prompt.token_ids, draft.decoding, recorder, stop, prompt.n_fixed, n_most, draft.forced)
        for step in steps:
            log_total = step.top_logits[0] - math.log(step.top_probs[0])
            draft.write(step.token_id, step.logit - log_total, step.is_forced)
            yield
            if draft.ended is not None:
                break
            _require_unstopped(stop)


def _require_unstopped(stop: Callable[[], bool]) -> None:
    if stop():
        raise Cancelled(say("Stopped before all answers were sampled. Nothing was changed."))


@dataclass(frozen=True)
class _Text:
    """Answers that have written the same tokens so far."""

    row: int
    """The row, of those that were read last, that it goes on from."""
    drafts: Sequence[_Draft]

    @property
    def token_ids(self) -> list[int]:
        """What all of them have written."""
        return self.drafts[0].token_ids


def _together(
    model: LoadedModel,
    known: DynamicCache,
    logits: Tensor,
    drafts: Sequence[_Draft],
    n_rows: int,
    stop: Callable[[], bool],
) -> Iterator[None]:
    """Write all answers behind a prompt that was read, `n_rows` texts at a time; the others wait for their turn."""
    waiting = [_drawn(logits, [_Text(0, drafts)])]
    yield
    while waiting:
        texts, rows = waiting.pop(), _Rows(model, known)
        while texts:
            _require_unstopped(stop)
            texts, later = texts[:n_rows], texts[n_rows:]
            waiting += [later] if later else []
            texts = _drawn(rows.read(texts), texts)
            yield


def _read_prompt(
    model: LoadedModel, prompt: Prompt, n_most: int, stop: Callable[[], bool]
) -> tuple[DynamicCache, Tensor] | None:
    """A prompt's keys and values, and the logits (1, vocab_size) behind it; read as `decode` reads it.

    None where texts cannot go on from them: where the model keeps something else, where they would not hold for
    `n_most` tokens more, and where a pass is being replaced, by what expects a single row.
    """
    ids, switch = list(prompt.token_ids), rope_switch(model.model)
    if is_replacing() or (switch is not None and not switch.holds(len(ids), len(ids) + n_most)):
        return None
    cache, n_known = model.kv_caches.begin(model.model, ids)
    if cache is None or not is_plain(cache):
        return None
    n_read = read_ahead(model, ids, cache, n_known, prompt.n_fixed, stop)
    with model.running, torch.inference_mode():
        logits = read_next(model, ids[n_read:], cache, stop).logits[:, -1].float().cpu()
    if n_known < len(ids) - 1 and not is_replacing():
        model.kv_caches.keep(ids, cache)
    return cache, logits


def _most_rows(model: LoadedModel, known: DynamicCache, n_most: int) -> int:
    """How many texts can be read together, each at its longest."""
    own = row_bytes(known, n_most, max(model.architecture.heads, default=0))
    return max(1, BATCH_BYTES // (own + LOGIT_BYTES * model.architecture.vocab_size))


class _Rows:
    """Texts that are read together: each is a row of a KV cache that begins with the prompt's."""

    def __init__(self, model: LoadedModel, known: DynamicCache) -> None:
        self._model, self._known = model, known
        self._cache: DynamicCache | None = None
        self._n_rows = 0

    def read(self, texts: Sequence[_Text]) -> Tensor:
        """The logits (text, vocab_size) behind texts of one length, which go on from the rows that were read last."""
        with self._model.running, torch.inference_mode():
            ids = self._go_on_with(texts)
            tensor = torch.tensor(ids, device=self._model.input_device)
            output = forward(self._model.model, tensor, self._cache, self._model.way.unasked)
            self._n_rows = len(texts)
            logits: Tensor = output.logits[:, -1].float().cpu()
            return logits

    def _go_on_with(self, texts: Sequence[_Text]) -> list[list[int]]:
        """Let the cache have a row for each text, and return the tokens that are still to be read."""
        if self._cache is None:
            self._cache = sharing(self._known, len(texts))
            return [text.token_ids for text in texts]
        rows = [text.row for text in texts]
        if rows != list(range(self._n_rows)):
            self._cache.batch_select_indices(torch.tensor(rows, device=self._model.input_device))
        return [text.token_ids[-1:] for text in texts]


def _drawn(logits: Tensor, texts: Sequence[_Text]) -> list[_Text]:
    """Let every answer draw its next token from its text's row of (text, vocab_size); the texts that go on then."""
    decoding = texts[0].drafts[0].decoding
    probs, order = _nucleus(logits / (decoding.temperature or 1), decoding.top_p)
    log_totals = logits.logsumexp(-1).tolist()
    going_on: dict[tuple[int, int], list[_Draft]] = {}
    for row, text in enumerate(texts):
        for draft in text.drafts:
            forced = draft.forced()
            token_id = _draw(probs[row], order[row], draft.generator) if forced is None else forced
            draft.write(token_id, logits[row, token_id].item() - log_totals[row], forced is not None)
            if draft.ended is None:
                going_on.setdefault((row, token_id), []).append(draft)
    return [_Text(row, several) for (row, _), several in going_on.items()]


def _nucleus(logits: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Of each row (row, vocab_size): its probabilities, the best first, 0 outside of the nucleus; and their tokens.

    Sorted for all rows at once, on several cores; a draw of decoding's `_sample` from each is the same.
    """
    probs, order = logits.softmax(-1).sort(descending=True)
    return probs.masked_fill(probs.cumsum(-1) - probs >= top_p, 0), order


def _draw(probs: Tensor, order: Tensor, generator: torch.Generator) -> int:
    """A token of one row, by the answer's own generator."""
    return int(order[torch.multinomial(probs, 1, generator=generator)])
