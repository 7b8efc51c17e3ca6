"""What experiments cost: rows of one batch behind a shared beginning, against one run after another and other tools."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import llm_tracker as lt
from benchmarks.pairs import ratio
from llm_tracker.experiments.contexts import Setting, setting_of
from llm_tracker.experiments.hand_over import Patching, stream_grid, stream_hand_over
from llm_tracker.experiments.minimal_pairs import ReadPair, named_pair, read_pair
from llm_tracker.experiments.scored_conditions import ConditionScores
from llm_tracker.experiments.values.conditions import conditions_of
from llm_tracker.models.forward.forward_pass import TokensRead, counting
from llm_tracker.progress import ended
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.run import end_of, run_turn
from llm_tracker.tracing.word_scoring import score_words

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

QUESTION, ANSWER, FOIL = "What is the capital of France?", "Paris", "London"
CORRECTION = f"That is wrong. The correct answer is {FOIL}."
N_CELLS = 16
"""Cells of the grid that the slower ways are timed on, each median of them stands for all."""

AGREE = 1e-3
"""Nats by which the margins of two ways may differ."""

Figures = Iterator[tuple[str, Any]]

Margin = Callable[[Span, int], float]
"""The margin with the source's states at some positions, after some layer (1..n_layers)."""


@dataclass(frozen=True, eq=False)
class _Task:
    """One correction to be looked into."""

    model: LoadedModel
    setting: Setting
    case: lt.Case
    pair: ReadPair

    @property
    def n_layers(self) -> int:
        return len(self.model.layers)

    def cells(self) -> list[tuple[Span, int]]:
        """Some of the grid's cells: positions and depth (1..n_layers), always the same."""
        chance = random.Random(0)
        positions = range(self.pair.first, len(self.pair.target))
        return [((at, at + 1), chance.randint(1, self.n_layers)) for at in chance.choices(positions, k=N_CELLS)]


def causes(model: LoadedModel, n: int) -> Figures:
    """All figures."""
    task = _task(model)
    yield "conditions_one_by_one_over_batch", _conditions(task, min(n, 3), keeps=False)
    yield "conditions_one_by_one_kept_over_batch", _conditions(task, min(n, 3), keeps=True)
    seconds, _ = _timed(lambda: _curves(task))
    yield "curves_seconds", seconds
    with counting(counter := TokensRead()):
        _curves(task)
    yield "curves_forward_equivalents", counter.n / len(task.pair.target)
    plain = _per_cell(task, _plain(task))
    yield "curves_plain_over_ours", 3 * (task.n_layers + 1) * plain / seconds
    grid_seconds, cells = _timed(lambda: _grid(task))
    yield "grid_seconds", grid_seconds
    yield "grid_over_plain", grid_seconds / (cells * plain)
    for name, prepare in (("transformer_lens", _bridge), ("nnsight", _nnsight)):
        if find_spec(name) is not None and model.device == "cpu":
            theirs = _per_cell(task, prepare(task))
            yield f"curves_{name}_over_ours", 3 * (task.n_layers + 1) * theirs / seconds
            yield f"grid_{name}_over_ours", cells * theirs / grid_seconds


def _task(model: LoadedModel) -> _Task:
    session = lt.track(model, QUESTION, [CORRECTION])
    case = lt.Case(QUESTION, ANSWER, FOIL, CORRECTION, session.turns[0].answer)
    setting = setting_of(model, session, 1)
    return _Task(model, setting, case, read_pair(setting, case, named_pair(case)))


def _timed(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """The median of several times, in seconds, and what came of it."""
    seconds, found = [], None
    for _ in range(times):
        begun = perf_counter()
        found = work()
        seconds.append(perf_counter() - begun)
    return median(seconds), found


def _conditions(task: _Task, n: int, keeps: bool) -> dict[str, float]:
    """Every condition in every wording, scored one after another, over all in batches.

    One after another each text is read whole, as by a plain loop, or behind what was kept of the last one.
    """
    conditions = conditions_of(task.case)
    batch: list[float] = []
    single: list[float] = []

    def batched(_pair: int) -> None:
        _forget(task, keeps)
        scores = ConditionScores(task.setting, task.case)
        for _ in scores.score(conditions, writes=False):
            pass
        found = {score.condition: score.margin for score in scores.scores()}
        batch[:] = [found[condition] for condition in conditions]

    def one_by_one(_pair: int) -> None:
        single[:] = [_margin_alone(task, task.setting.prompt_of(condition), keeps) for condition in conditions]

    found = ratio(one_by_one, batched, iter(range(100)), n)
    gap = max(abs(one - other) for one, other in zip(batch, single, strict=True))
    if gap > AGREE:
        raise SystemExit(f"the two ways to score differ by {gap} nats")
    return found


def _forget(task: _Task, keeps: bool) -> None:
    if not keeps:
        task.model.kv_caches.clear()


def _margin_alone(task: _Task, prompt: Any, keeps: bool) -> float:
    """A condition's margin as it is scored on the Ask page: one text, its words behind it."""
    model, words = task.model, [task.case.answer, task.case.foil]
    _forget(task, keeps)
    turn = ended(run_turn(model, prompt, lt.Decoding(1), "", QUESTION))
    assert end_of(model, prompt) == turn.trace.before
    scores = score_words(model, turn, words, 0, task.setting.word_end(prompt))
    return scores[words[0]].log_prob_of_all - scores[words[1]].log_prob_of_all


def _curves(task: _Task) -> Patching:
    patching = Patching(task.model, task.pair)
    ended(stream_hand_over(patching))
    return patching


def _grid(task: _Task) -> int:
    found = ended(stream_grid(Patching(task.model, task.pair)))
    return len(found) * len(found[0])


def _per_cell(task: _Task, margin: Margin) -> float:
    """Seconds that another way takes for one patched run, once its numbers were found to be ours."""
    patching = Patching(task.model, task.pair)
    seconds: list[float] = []
    for span, depth in task.cells():
        begun = perf_counter()
        found = margin(span, depth)
        seconds.append(perf_counter() - begun)
        shares, _ = patching.shares(span, [depth])
        ours = patching.margins[1] + shares[0] * patching.effect
        if abs(found - ours) > AGREE * max(1.0, abs(patching.effect)):
            raise SystemExit(f"a cell at {span}, depth {depth}: {found} against {ours}")
    return median(seconds)


def _plain(task: _Task) -> Margin:
    """transformers alone: the source's states once, then one forward pass with a hook for each cell."""
    model, pair, states = task.model.model, task.pair, _source_states(task)

    def margin(span: Span, depth: int) -> float:
        def put(_module: nn.Module, _args: Any, output: Any) -> Any:
            _rows(output)[0, slice(*span)] = states[depth - 1][slice(*span)]
            return output

        handle = task.model.layers[depth - 1].register_forward_hook(put)
        try:
            with torch.inference_mode():
                logits = model(torch.tensor([pair.target]), use_cache=False, logits_to_keep=1).logits[0, -1]
        finally:
            handle.remove()
        return float(pair.probe.margins(logits))

    return margin


def _source_states(task: _Task) -> list[Tensor]:
    """What leaves each layer when the source is read: (layer) of (position, d_model)."""
    states: list[Tensor] = []
    handles = [
        layer.register_forward_hook(lambda _module, _args, output: states.append(_rows(output)[0].clone()))
        for layer in task.model.layers
    ]
    with torch.inference_mode():
        task.model.model(torch.tensor([task.pair.source]), use_cache=False)
    for handle in handles:
        handle.remove()
    return states


def _rows(output: Any) -> Tensor:
    rows: Tensor = output[0] if isinstance(output, tuple) else output
    return rows


def _bridge(task: _Task) -> Margin:
    """TransformerLens' own loop: the source's cache once, then `run_with_hooks` for each cell."""
    from transformer_lens.model_bridge import TransformerBridge

    with TemporaryDirectory() as directory:
        task.model.model.save_pretrained(directory)
        task.model.tokenizer.save_pretrained(directory)
        bridge = TransformerBridge.boot_transformers(directory, device="cpu", dtype=task.model.model.dtype)
    bridge.eval()
    source, target = (torch.tensor([ids]) for ids in (task.pair.source, task.pair.target))
    names = {depth: f"blocks.{depth - 1}.hook_out" for depth in range(1, task.n_layers + 1)}
    with torch.inference_mode():
        _, cache = bridge.run_with_cache(source, names_filter=lambda name: name in names.values())

    def margin(span: Span, depth: int) -> float:
        def put(rows: Tensor, hook: Any) -> Tensor:
            rows[:, slice(*span)] = cache[names[depth]][:, slice(*span)]
            return rows

        with torch.inference_mode():
            logits = bridge.run_with_hooks(target, fwd_hooks=[(names[depth], put)])
        return float(task.pair.probe.margins(logits[0, -1]))

    return margin


def _nnsight(task: _Task) -> Margin:
    """nnsight's own loop: the source's states once, then a trace with an intervention for each cell."""
    from nnsight import LanguageModel

    tracer = LanguageModel(task.model.model, tokenizer=task.model.tokenizer)
    target, states = torch.tensor([task.pair.target]), _source_states(task)

    def margin(span: Span, depth: int) -> float:
        first, end = span
        state = states[depth - 1][first:end]
        with torch.inference_mode(), tracer.trace(target):
            tracer.model.layers[depth - 1].output[0, first:end] = state
            logits = tracer.lm_head.output[0, -1].save()
        return float(task.pair.probe.margins(logits))

    return margin
