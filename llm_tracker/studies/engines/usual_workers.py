"""How many workers read a study where nobody says: one for each core that memory is there for, or for each GPU."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from llm_tracker.errors import ModelError
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.models.memory.device_memory import limit_bytes, split_devices
from llm_tracker.models.sources.model_size import weigh
from llm_tracker.studies.values.plan import Plan

PROCESS_BYTES = 768 * 2**20
"""Of a worker besides its weights: torch, transformers, the batch in work (0.66 GB, measured on a study of our own)."""

MEMORY_SHARE = 0.6
"""Of the machine's memory, for all workers together: the rest is for what else runs there."""


def usual_workers(plan: Plan) -> int:
    """Processes on this machine; on a GPU one.

    That depends on the machine and the plan alone, not on what is free or done: a study that is gone on with has the
    threads of its beginning, and so the same numbers to the bit.
    """
    from loky import cpu_count

    is_on_cpu = plan.load.device_name == "cpu" or (plan.load.device_name == "auto" and len(split_devices()) == 1)
    return _at_most(plan, _room_for(plan, cpu_count(), limit_bytes() * MEMORY_SHARE) if is_on_cpu else 1)


def usual_on_ray(plan: Plan, nodes: Sequence[Mapping[str, Any]]) -> int:
    """Actors on a Ray cluster of such nodes (`ray.nodes()`): one for each GPU, else those that a node has room for."""
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    places = [(int(each.get("CPU", 0)), int(each.get("GPU", 0)), each.get("memory", 0)) for each in alive]
    on_gpus = 0 if plan.load.device_name == "cpu" else sum(min(n_cores, n_gpus) for n_cores, n_gpus, _ in places)
    on_cpus = (_room_for(plan, n_cores, n_bytes) for n_cores, _, n_bytes in places if n_cores)
    return _at_most(plan, on_gpus or sum(on_cpus))


def _at_most(plan: Plan, n_workers: int) -> int:
    """So many, but two blocks for each at least: starting one and loading its model has to pay."""
    return max(1, min(n_workers, len(plan.tasks) // 2))


def _room_for(plan: Plan, n_cores: int, n_bytes: float) -> int:
    """One at least; one where this machine does not know what a model takes."""
    weights = [_weight(name, plan.load.dtype) for name in plan.models]
    return max(1, min(n_cores, int(n_bytes // (max(weights) + PROCESS_BYTES))))


def _weight(model: str, dtype: str) -> float:
    """Bytes in memory; without end where nobody knows. What is wrong with a model is told by who loads it."""
    try:
        known = weigh(find_entry(model), dtype).memory_bytes
    except ModelError:
        return math.inf
    return math.inf if known is None else known
