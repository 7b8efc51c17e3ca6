"""Every number of a session, computed another way: plain transformers, float32, eager attention, teacher-forced."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import llm_tracker as lt
from llm_tracker.models.forward.attention_rows import put_on_attention
from llm_tracker.models.forward.forward_pass import forward, put_on_eager
from llm_tracker.tracing.decoding import end_token_ids


class Recomputed:
    """One turn's prompt and answer, or other `ids` behind its prompt, run once without any of our code."""

    def __init__(self, model: lt.LoadedModel, turn: lt.Turn, ids: Sequence[int] | None = None) -> None:
        self.network = copy.deepcopy(model.model).float().cpu()
        self.network.set_attn_implementation("eager")
        for module in self.network.modules():
            if isinstance(module, torch.nn.Linear):
                module.__class__ = torch.nn.Linear  # no kernel of ours: torch multiplies as it chooses
        self.turn = turn
        self.layers = next(each for each in self.network.modules() if isinstance(each, torch.nn.ModuleList))
        self.first = len(turn.prompt.token_ids) - 1
        ids = [*turn.prompt.token_ids, *(turn.trace.token_ids.tolist() if ids is None else ids)]
        resid: list[torch.Tensor] = []
        hooks = [self.layers[0].register_forward_pre_hook(lambda _m, args: resid.append(args[0][0].clone()))]
        hooks += [
            layer.register_forward_hook(lambda _m, _a, out: resid.append(_tensor(out)[0])) for layer in self.layers
        ]
        attended: list[torch.Tensor] = []
        norms = [between for between in map(_norm_between, self.layers) if between is not None]
        hooks += [
            norm.register_forward_pre_hook(lambda _m, args: attended.append(args[0][0].clone())) for norm in norms
        ]
        with torch.no_grad():
            output = self.network(torch.tensor([ids]), output_attentions=True, use_cache=False)
        for hook in hooks:
            hook.remove()
        self.logits = output.logits[0]
        self.patterns = [pattern[0] for pattern in output.attentions or ()]
        self.resid = torch.stack(resid)
        self.resid_mid = torch.stack(attended) if len(norms) == len(self.layers) else torch.empty(0)
        """(layer, position, d_model): what the norm in front of each MLP reads."""

    def lens_logits(self, step: int) -> torch.Tensor:
        """(layer, vocab) of a step's position, after each layer."""
        return self.tail(self.resid[1:, self.first + step])

    def tail(self, rows: torch.Tensor) -> torch.Tensor:
        """(row, vocab): the network's own tail, residual rows put in place of the last layer's output."""
        place = self.layers[-1].register_forward_hook(lambda _m, _a, out: _like(out, rows[None]))
        with torch.no_grad():
            logits: torch.Tensor = self.network(torch.zeros((1, len(rows)), dtype=torch.long), use_cache=False).logits[
                0
            ]
        place.remove()
        return logits

    def pattern(self, step: int, layer: int) -> np.ndarray[Any, Any]:
        """(head, key) of a step's position in a layer (0-based)."""
        at = self.first + step
        return self.patterns[layer][:, at, : at + 1].numpy()


def _norm_between(layer: torch.nn.Module) -> torch.nn.Module | None:
    """The norm that reads the stream between attention and MLP, by what families call it."""
    names = ("pre_feedforward_layernorm", "post_attention_layernorm", "ln_2")
    found = (getattr(layer, name, None) for name in names)
    return next((each for each in found if each is not None), None)


def _tensor(output: Any) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output


def _like(output: Any, rows: torch.Tensor) -> Any:
    return (rows, *output[1:]) if isinstance(output, tuple) else rows


def largest_gaps(model: lt.LoadedModel, session: lt.Session) -> dict[str, float]:
    """The largest difference between a session and its recomputation, by quantity."""
    gaps: dict[str, float] = {}

    def note(name: str, found: Any, expected: Any) -> None:
        gap = np.abs(np.asarray(found, dtype=np.float64) - np.asarray(expected, dtype=np.float64)).max()
        gaps[name] = max(gaps.get(name, 0.0), float(gap))

    for turn in session.turns:
        truth = Recomputed(model, turn)
        for step in range(turn.trace.n_steps):
            _compare_step(note, truth, turn, step)
    return gaps


def _rank_gap(rank: Any, logits: torch.Tensor, token_id: int) -> int:
    """How many of the ranks (row) lie outside what the logits (row, vocab) allow, near ties being ties."""
    own = logits[:, [token_id]]
    best, worst = (logits > own + 1e-3).sum(-1) + 1, (logits > own - 1e-3).sum(-1)
    found = torch.as_tensor(np.atleast_1d(rank).copy())
    return int(((found < best) | (found > torch.maximum(best, worst))).sum())


def _compare_step(note: Any, truth: Recomputed, turn: lt.Turn, step: int) -> None:
    trace, table = turn.trace, turn.trace.lens[step]
    row = truth.logits[truth.first + step]
    probs = row.softmax(-1)
    own = int(trace.token_ids[step])
    note("top logits", trace.top_logits[step], row[torch.tensor(trace.top_token_ids[step].copy())])
    note("top probabilities", trace.top_probs[step], row.softmax(-1).topk(trace.top_probs.shape[1]).values)
    note("token probability", trace.token_probs[step], probs[own])
    note("token logit", trace.token_logits[step], row[own])
    note("token rank", _rank_gap(trace.token_ranks[step], row[None], own), 0)
    scale = truth.resid[:, truth.first + step].norm(dim=-1, keepdim=True)
    note("resid", trace.resid[step] / scale.numpy(), truth.resid[:, truth.first + step] / scale)
    lens = truth.lens_logits(step)
    note("lens: last layer against the model", lens[-1].softmax(-1)[own], table.token_prob[-1])
    note("lens: token probability", table.token_prob, lens.softmax(-1)[:, own])
    note("lens: token rank", _rank_gap(table.token_rank, lens, own), 0)
    log_probs = lens.log_softmax(-1)
    note("lens: entropy", table.entropy, -(log_probs.exp() * log_probs).sum(-1))
    kl = (log_probs[-1].exp() * (log_probs[-1] - log_probs)).sum(-1).numpy()
    note("lens: KL, as a difference of two logits", (table.kl - kl) / (2 + kl), 0)
    note("entropy", trace.entropies[step], table.entropy[-1])
    leading = table.leading
    note("lens: leading", leading.prob, log_probs.exp()[:, torch.tensor(leading.token_ids.copy())].T)
    note("lens: best", table.top_probs, lens.softmax(-1).topk(table.top_probs.shape[1]).values)
    for word in table.watched.values():
        note("lens: watched logit", word.logit, lens[:, word.token_id])
        note("lens: watched probability", word.prob, lens.softmax(-1)[:, word.token_id])
        note("lens: watched rank", _rank_gap(word.rank, lens, word.token_id), 0)
    for layer in range(trace.n_layers):
        pattern = truth.pattern(step, layer)
        length = pattern.shape[-1]
        if step < len(trace.attention):
            note("attention", trace.attention[step, layer, :, :length], pattern)
            note("attention beyond the row", trace.attention[step, layer, :, length:].sum(), 0)
        note("attention mean", trace.head_mean(step, layer + 1), pattern.mean(0))
        shares = lt.attention_by_word(turn, step, layer + 1)
        words = shares[shares["role"] != "sink"]
        spans = list(zip(words["start"], words["end"], strict=True))
        note("attention by word", words["share"], [pattern.mean(0)[a:b].sum() for a, b in spans])
        note("attention sums to 1", shares["share"].sum(), 1)


def expected_log_prob(model: lt.LoadedModel, context: list[int], ids: tuple[int, ...], ends: set[int]) -> float:
    """By one pass over the whole text for each spelling, on eager attention, without a cache."""
    with torch.inference_mode():
        logits = forward(model.model, torch.tensor([[*context, *ids]]), last_only=False).logits[0]
    log_probs = logits.double().log_softmax(-1)
    written = sum(float(log_probs[len(context) - 1 + at, token_id]) for at, token_id in enumerate(ids))
    return written + float(log_probs[-1, sorted(ends)].logsumexp(-1))


def word_gap(model: lt.LoadedModel, turn: lt.Turn, step: int = 0, ends: set[int] | None = None) -> float:
    """The largest difference between the scores of whole words at a step and their recomputation, in nats.

    A sum that goes far beyond 100 nats is as exact as float32 is: its difference counts in proportion to 100.
    """
    context = [*turn.prompt.token_ids, *turn.trace.token_ids[:step].tolist()]
    several = [each for score in turn.scores[step].values() for each in score.spellings]
    put_on_eager(model.model)
    try:
        known = [expected_log_prob(model, context, each.token_ids, ends or end_token_ids(model)) for each in several]
    finally:
        put_on_attention(model.model, model.way)
    return max(abs(each.log_prob - own) / max(1, -own / 100) for each, own in zip(several, known, strict=True))


def word_places(turn: lt.Turn) -> list[tuple[int, int]]:
    """The words' tokens; the position that writes the answer stands by itself."""
    slot = len(turn.prompt.token_ids) - 1 + turn.first_step
    spans = [word.tokens for word in turn.words_before(turn.trace.n_steps)]
    cut = [[(start, slot), (slot, end)] if start < slot < end else [(start, end)] for start, end in spans]
    return [span for several in cut for span in several]
