"""What an answer begins with whatever the model would write: an earlier one up to a step, and another token there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from llm_tracker.prompts.thoughts import ClosedBy
from llm_tracker.tracing.decoding import Step
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import Trace

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True, eq=False)
class Beginning:
    """The first steps of an earlier answer, and behind them one token that it might have said."""

    trace: Trace
    """Of the earlier answer: what it did up to the chosen token is what it would do again."""
    last: Step
    step: int
    """Where `last` stands: so many steps are those of the earlier answer."""
    closed_by: ClosedBy = ""
    """How the earlier answer's thought had been closed, where it was before that step."""

    @property
    def steps(self) -> list[Step]:
        """All its steps, the chosen token last. No earlier one ended the answer, since it went on."""
        return [*(replace(_step_of(self.trace, at), is_forced=True) for at in range(self.step)), self.last]


def beginning_with(model: LoadedModel, turn: Turn, step: int, token_id: int) -> Beginning:
    """An answer as it was, up to a step at which it says another token of the model's vocabulary."""
    thought = turn.thought
    closed_by = thought.closed_by if thought is not None and thought.n_steps <= step else ""
    return Beginning(turn.trace, _other_choice(model, turn.trace, step, token_id), step, closed_by)


def _step_of(trace: Trace, at: int) -> Step:
    return Step(
        token_id=int(trace.token_ids[at]),
        prob=float(trace.token_probs[at]),
        logit=float(trace.token_logits[at]),
        rank=int(trace.token_ranks[at]),
        top_token_ids=trace.top_token_ids[at].tolist(),
        top_logits=trace.top_logits[at].tolist(),
        top_probs=trace.top_probs[at].tolist(),
        entropy=float("nan") if trace.entropies is None else float(trace.entropies[at]),
    )


def _other_choice(model: LoadedModel, trace: Trace, step: int, token_id: int) -> Step:
    """The step with another token: one that was not among its best is looked up in what the last layer gave."""
    own = _step_of(trace, step)
    if token_id in own.top_token_ids:
        at = own.top_token_ids.index(token_id)
        prob, logit, rank = own.top_probs[at], own.top_logits[at], at + 1
    else:
        with model.running, torch.inference_mode():
            row = torch.tensor(trace.resid[step, -1:], device=model.input_device, dtype=model.model.dtype)
            logits = model.adapter.logits(model.model, row).float()[0]
        logit, prob = logits[token_id].item(), logits.softmax(-1)[token_id].item()
        rank = int((logits > logits[token_id]).sum()) + 1
    return Step(token_id, prob, logit, rank, own.top_token_ids, own.top_logits, own.top_probs, own.entropy)
