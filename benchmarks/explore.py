"""What exploring costs: the map of a text, sampled answers, and what is drawn from what is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch

import llm_tracker as lt
from benchmarks.pairs import ratio
from benchmarks.prompts import prompts
from llm_tracker.models.forward.forward_pass import forward, new_cache
from llm_tracker.progress import ended

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

Figures = Iterator[tuple[str, Any]]
N_POSITIONS = 240
N_ANSWERS = 32
LONG = 2000


def explore(model: LoadedModel, n: int) -> Figures:
    """All figures."""
    yield "map_240_over_limit", _map_over_limit(model, n)
    yield "one_by_one_over_batch", _one_by_one_over_batch(model, min(n, 5))
    yield from _from_what_is_there(model)


def _map_over_limit(model: LoadedModel, n: int) -> dict[str, float]:
    """The map of all layers over one plain forward pass over the text and the bare products of its lens rows.

    The products are torch's own, of all rows at once but for what memory holds: 128 rows at a time.
    """
    head = model.model.get_output_embeddings().weight
    turns = {tuple(ids): _turn(model, ids) for ids, _ in zip(prompts(model, N_POSITIONS), range(n + 2), strict=False)}

    def ours(ids: tuple[int, ...]) -> None:
        lt.position_lens(model, turns[ids])

    def limit(ids: tuple[int, ...]) -> None:
        with torch.inference_mode():
            forward(model.model, torch.tensor([ids]), new_cache(model.model), model.way)
            rows = head.new_ones(128, head.shape[1])
            for _ in range(-(-len(ids) * len(model.layers) // 128)):
                torch.nn.functional.linear(rows, head)

    return ratio(ours, limit, iter(turns), n)


def _turn(model: LoadedModel, ids: list[int]) -> lt.Turn:
    return lt.track(model, ids, recipe="raw", max_new_tokens=1).turns[0]


def _one_by_one_over_batch(model: LoadedModel, n: int) -> dict[str, float]:
    """32 sampled answers one after another, over the same answers in a batch; both behind the kept prompt."""
    from llm_tracker.tracing.run import run_turn

    session = lt.track(model, "What is the capital of France?")
    turn = session.turns[0]

    def batched(_pair: int) -> list[tuple[int, ...]]:
        return [each.token_ids for each in lt.sample_answers(model, session, 0, N_ANSWERS).answers]

    def one_by_one(_pair: int) -> list[tuple[int, ...]]:
        decodings = (lt.Decoding(temperature=1.0, seed=seed) for seed in range(N_ANSWERS))
        answers = (ended(run_turn(model, turn.prompt, each, turn.said, turn.said)) for each in decodings)
        return [tuple(answer.trace.token_ids.tolist()) for answer in answers]

    return ratio(one_by_one, batched, iter(range(100)), n)


def _from_what_is_there(model: LoadedModel) -> Figures:
    """Of a long text: what reading it takes, and the slowest of five times of each interaction with what was read."""
    length = min(LONG, (model.architecture.context_length or LONG + 2) - 2)
    ids = next(prompts(model, length))
    session = lt.track(model, ids, recipe="raw", max_new_tokens=2)
    turn = session.turns[0]
    begun = time.perf_counter()
    lens = lt.position_lens(model, turn)
    yield "long_map_seconds", time.perf_counter() - begun
    begun = time.perf_counter()
    pattern = lt.head_pattern(model, turn, 1, 1)
    yield "long_pattern_seconds", time.perf_counter() - begun
    yield from _interactions(session, turn, lens, pattern)


def _interactions(session: lt.Session, turn: lt.Turn, lens: lt.PositionLens, pattern: lt.HeadPattern) -> Figures:
    from llm_tracker.analysis.patterns import pattern_text
    from llm_tracker.figures.patterns import pattern_figure
    from llm_tracker.figures.positions import map_figure

    made: dict[str, Callable[[], lt.Figure]] = {
        "map": lambda: map_figure(turn, lens, "next_prob", 900),
        "map_entropy": lambda: map_figure(turn, lens, "entropy_nats", 900),
        "heads": lambda: lt.figure(session, "heads", measure="entropy"),
        "pattern_token": lambda: pattern_figure(pattern_text(turn, pattern, "token"), 900),
        "pattern_word": lambda: pattern_figure(pattern_text(turn, pattern, "word"), 900),
    }
    for name, make in made.items():
        yield f"long_{name}_ms", max(_milliseconds(make) for _ in range(5))


def _milliseconds(make: Callable[[], lt.Figure]) -> float:
    begun = time.perf_counter()
    make().chart.to_dict(validate=False)
    return 1000 * (time.perf_counter() - begun)
