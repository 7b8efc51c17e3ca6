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
from llm_tracker.experiments.probe import Probe, probe_of
from llm_tracker.experiments.scored_texts import Text, TextScore, read_together, score_texts
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import CONDITION_NAMES, Condition
from llm_tracker.experiments.values.findings import ConditionScore, LensCurve
from llm_tracker.experiments.values.grading import grade
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.tokens import token_text

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

N_TOP = 10

Asked = tuple[Condition, Prompt]


def asked_under(setting: Setting, conditions: Sequence[Condition]) -> list[Asked]:
    """What a model reads under each condition."""
    return [(condition, setting.prompt_of(condition)) for condition in conditions]


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
        words, asked = (self._case.answers, self._case.foils), asked_under(self._setting, conditions)
        texts = [Text(prompt, words, writes and each.paraphrase == 0, each.place) for each, prompt in asked]
        end = self._setting.word_end(texts[0].prompt)
        for found in score_texts(self._setting.model, texts, end, stop):
            for at, score in found.items():
                self._note(asked[at][0], score)
            yield len(self._found)

    def _note(self, condition: Condition, found: TextScore) -> None:
        case, log_probs = self._case, found.log_probs
        self._log_probs[condition] = log_probs
        self._found[condition] = ConditionScore(
            condition,
            score_answer=found.scores[0],
            score_foil=found.scores[1],
            top=_top(self._setting.model, log_probs),
            entropy_nats=entropy(log_probs),
            tv_from_asked_again=0.0,
            jsd_from_asked_again=0.0,
            answer_text=found.answer,
            grade=None if found.answer is None else grade(found.answer, case.answers, case.foils),
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


def entropy(log_probs: Tensor) -> float:
    """Of a prediction (vocab_size), given as log probabilities: in nats."""
    return float(-(log_probs.exp() * log_probs).nansum())


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
    prompts, kinds = [prompt for _, prompt in asked], [condition.place for condition, _ in asked]
    read = {
        asked[at][0]: _read_out(setting.model, rows)
        for places, batch in read_together(
            setting.model, prompts, kinds, lambda prompt: probes[id(prompt)].text(prompt), keep_resid=True, stop=stop
        )
        for at, rows in zip(places, cast("Tensor", batch.resid), strict=True)
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
