"""A 16-bit model's answer over plain generation in its own format and in float32: the better of the two is the bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

from benchmarks import ours, plain
from benchmarks.overhead import Figures
from benchmarks.pairs import seconds, summary
from benchmarks.prompts import prompts

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

Ways = dict[str, Callable[[Sequence[int]], list[int]]]


def over_plain_formats(model: LoadedModel, n: int, length: int = 80) -> Figures:
    """Ours, with its views, over each of the two and over the better of them; of 16-bit models on a CPU only."""
    if model.dtype not in ("bfloat16", "float16") or model.device != "cpu" or model.directory is None:
        return
    ways: Ways = {
        "ours": partial(ours.traced, model),
        model.dtype: partial(plain.generated, model),
        "float32": partial(plain.generated, model, dtype="float32"),
    }
    orders = list(permutations(ways))
    rounds = []
    with ours.endless(model):
        for at, (ids, _) in enumerate(zip(prompts(model, length), range(n + 1), strict=False)):
            rounds.append(_timed(ways, model, ids, orders[at % len(orders)]))
    for name in (model.dtype, "float32"):
        yield f"over_{name}", summary([took["ours"] / took[name] for took in rounds[1:]])
    yield "over_better", summary([took["ours"] / min(took[model.dtype], took["float32"]) for took in rounds[1:]])


def _timed(ways: Ways, model: LoadedModel, ids: Sequence[int], order: Sequence[str]) -> dict[str, float]:
    """Seconds of each way, in this order. In 16 bits they may write other tokens, but as many.

    Whatever comes behind float32, which moves twice the bytes, takes some five percent longer: hence all orders.
    """
    took = {}
    for name in order:
        model.kv_caches.clear()
        took[name], written = seconds(ways[name], ids)
        if len(written) != ours.N_NEW:
            raise RuntimeError(f"{name} wrote {len(written)} tokens in place of {ours.N_NEW}")
    return took
