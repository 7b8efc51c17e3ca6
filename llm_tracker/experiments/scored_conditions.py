"""All conditions of a case, scored: many texts at once, behind what they have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from llm_tracker.analysis.lens.read_out import chunk_rows
from llm_tracker.experiments.contexts import Setting
from llm_tracker.experiments.forced_choice import Choice, TokenIds, choices_of, score_batch
from llm_tracker.experiments.passes.filled_rows import N_MORE
from llm_tracker.experiments.passes.rows import Batch, Row, begin, common_beginning, read_rows
from llm_tracker.experiments.passes.written_answers import write_answers
from llm_tracker.experiments.probe import Probe, probe_of
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import CONDITION_NAMES, Condition
from llm_tracker.experiments.values.findings import ConditionScore, LensCurve
from llm_tracker.experiments.values.grading import grade
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.tokens import token_text

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_TOP = 10

FEW = 24
"""So many texts are one batch: another one would take longer than what they have in common."""

MOST_FILLING = 3.0
"""A batch's longest row has at most so many times the tokens of its shortest: what fills that up is read in vain."""

Asked = tuple[Condition, Prompt]


def asked_under(setting: Setting, conditions: Sequence[Condition]) -> list[Asked]:
    """What a model reads under each condition."""
    return [(condition, setting.prompt_of(condition)) for condition in conditions]


def read_conditions(
    setting: Setting,
    asked: Sequence[Asked],
    text_of: Callable[[Prompt], TokenIds] = lambda prompt: tuple(prompt.token_ids),
    n_more: int = N_MORE,
    keep_resid: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[list[Asked], Batch]]:
    """Read what a model reads under each condition, yielding the conditions of a batch and what came out of them.

    `text_of` says what is read of a prompt, `n_more` how many tokens are read behind it later.
    """
    for several in _groups(asked):
        texts = [text_of(prompt) for _, prompt in several]
        shared = common_beginning(texts)
        beginning = begin(setting.model, shared, max(map(len, texts)) - len(shared) + n_more)
        rows = [Row(text) for text in texts]
        for batch in read_rows(beginning, rows, keep_resid=keep_resid, stop=stop):
            yield several[batch.rows], batch


def _groups(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    """Texts that are read together: few all at once, many by the place of what they say, and by length."""
    by_length = sorted(asked, key=lambda each: len(each[1].token_ids))
    if len(asked) <= FEW:
        yield by_length
        return
    for place in ("question", "behind"):
        own = [each for each in by_length if each[0].place == place]
        n_shared = len(common_beginning([prompt.token_ids for _, prompt in own])) if own else 0
        yield from _of_like_length(own, n_shared)


def _of_like_length(asked: Sequence[Asked], n_shared: int) -> Iterator[list[Asked]]:
    """The texts, ascending in length, in groups that are filled up but little."""
    group: list[Asked] = []
    for each in asked:
        if group and len(each[1].token_ids) - n_shared > MOST_FILLING * (len(group[0][1].token_ids) - n_shared):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


class ConditionScores:
    """The conditions of a case that have been scored so far."""

    def __init__(self, setting: Setting, case: Case) -> None:
        self._setting, self._case = setting, case
        self._found: dict[Condition, ConditionScore] = {}
        self._log_probs: dict[Condition, Tensor] = {}

    def score(
        self, conditions: Sequence[Condition], writes: bool = True, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[int]:
        """Score conditions, and write the answer under the first wording of each; yields how many are done."""
        words, all_asked = [self._case.answers, self._case.foils], asked_under(self._setting, conditions)
        choices = {each: choices_of(self._setting.model, prompt, words) for each, prompt in all_asked}
        n_more = max([N_MORE, *(len(ids) for both in choices.values() for choice in both for ids in choice)])
        for asked, batch in read_conditions(self._setting, all_asked, n_more=n_more, stop=stop):
            self._note(asked, batch, [choices[condition] for condition, _ in asked], n_more, writes, stop)
            yield len(self._found)

    def _note(
        self,
        asked: Sequence[Asked],
        batch: Batch,
        choices: Sequence[Sequence[Choice]],
        n_more: int,
        writes: bool,
        stop: Callable[[], bool],
    ) -> None:
        model, case = self._setting.model, self._case
        prompts = [prompt for _, prompt in asked]
        end = self._setting.word_end(prompts[0])
        scores = score_batch(batch, [prompt.token_ids for prompt in prompts], choices, end, n_more, stop)
        first = [at for at, (condition, _) in enumerate(asked) if writes and condition.paraphrase == 0]
        texts = write_answers(batch, prompts, first, stop)
        log_probs = batch.logits.log_softmax(-1)
        for at, (condition, _) in enumerate(asked):
            text = texts.get(at)
            score_answer, score_foil = scores[at]
            self._log_probs[condition] = log_probs[at].cpu()
            self._found[condition] = ConditionScore(
                condition,
                score_answer,
                score_foil,
                top=_top(model, log_probs[at]),
                entropy_nats=float(-(log_probs[at].exp() * log_probs[at]).nansum()),
                tv_from_asked_again=0.0,
                jsd_from_asked_again=0.0,
                answer_text=text,
                grade=None if text is None else grade(text, case.answers, case.foils),
            )

    def scores(self) -> tuple[ConditionScore, ...]:
        """What was found, in order, each with its distance from merely asking again (the first wording of it)."""
        again = self._log_probs[_asked_again(self._log_probs)]
        return in_order(
            replace(
                found,
                tv_from_asked_again=total_variation(self._log_probs[condition], again),
                jsd_from_asked_again=float(jensen_shannon(self._log_probs[condition], again)),
            )
            for condition, found in self._found.items()
        )


def in_order(scores: Iterable[ConditionScore]) -> tuple[ConditionScore, ...]:
    """Scores in the order of the conditions, their first wordings first."""
    return tuple(
        sorted(scores, key=lambda each: (CONDITION_NAMES.index(each.condition.name), each.condition.paraphrase))
    )


def _asked_again(conditions: Sequence[Condition] | dict[Condition, Tensor]) -> Condition:
    return next(each for each in conditions if each.name == "asked_again" and each.paraphrase == 0)


def _top(model: LoadedModel, log_probs: Tensor) -> tuple[tuple[str, float], ...]:
    best = log_probs.topk(min(N_TOP, len(log_probs)))
    ids, probs = best.indices.tolist(), best.values.exp().tolist()
    return tuple((token_text(model.tokenizer, each), prob) for each, prob in zip(ids, probs, strict=True))


def total_variation(one: Tensor, other: Tensor) -> float:
    """Half the summed differences of two predictions (…, vocab_size), given as log probabilities: 0 to 1."""
    return float((one.double().exp() - other.double().exp()).abs().sum(-1) / 2)


def jensen_shannon(one: Tensor, other: Tensor) -> Tensor:
    """The Jensen-Shannon divergence (Lin, 1991) of two predictions, given as log probabilities: 0 to ln 2, in nats."""
    both = one.double(), other.double()
    mean = torch.logaddexp(*both) - torch.log(torch.tensor(2.0, dtype=torch.float64))
    halves = [(each.exp() * (each - mean)).nan_to_num(0.0).sum(-1) for each in both]
    return ((halves[0] + halves[1]) / 2).clamp(min=0.0, max=math.log(2))


def lens_curves(
    setting: Setting, case: Case, conditions: Sequence[Condition], stop: Callable[[], bool] = lambda: False
) -> tuple[LensCurve, ...]:
    """The logit lens (nostalgebraist, 2020) at the answer slot under several conditions, asking again among them.

    Where the two words begin with the same tokens, these are read behind each text first. A word's tokens are those
    that it has behind the text in question. Raises InputError where no token tells the two words apart.
    """
    asked = asked_under(setting, conditions)
    probes = {id(prompt): probe_of(setting.model, prompt, case) for _, prompt in asked}
    read = {
        condition: _read_out(setting.model, rows)
        for several, batch in read_conditions(
            setting, asked, lambda prompt: probes[id(prompt)].text(prompt), keep_resid=True, stop=stop
        )
        for (condition, _), rows in zip(several, cast("Tensor", batch.resid), strict=True)
    }
    again = read[_asked_again(conditions)]
    return tuple(_curve(condition, read[condition], again, probes[id(prompt)]) for condition, prompt in asked)


def _read_out(model: LoadedModel, resid: Tensor) -> Tensor:
    """The logits (layer, vocab_size) of rows (layer, d_model), a few at a time, in memory."""
    with model.running, torch.inference_mode():
        chunks = [
            model.adapter.logits(model.model, rows).float().cpu() for rows in torch.split(resid, chunk_rows(model))
        ]
    return torch.cat(chunks)


def _curve(condition: Condition, logits: Tensor, again: Tensor, probe: Probe) -> LensCurve:
    log_probs, others = logits.log_softmax(-1), again.log_softmax(-1)
    final = log_probs[-1].double()
    kl = (final.exp() * (final - log_probs.double())).nan_to_num(0.0).sum(-1).clamp(min=0.0)
    return LensCurve(
        condition,
        lead=tuple(probe.margins(logits).tolist()),
        kl_nats=tuple(kl.tolist()),
        jsd_from_asked_again=tuple(jensen_shannon(log_probs, others).tolist()),
    )
