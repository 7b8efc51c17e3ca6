"""`python -m benchmarks`: the timings of contract and README, one figure a line, or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from benchmarks import causes, explore, formats, memory, overhead, peers, reuse, store, studies
from benchmarks.machine import machine
from llm_tracker.models.memory.heap import return_freed_memory

if TYPE_CHECKING:
    from llm_tracker import LoadedModel

PARTS = (
    "overhead",
    "whole",
    "eager",
    "reuse",
    "formats",
    "growth",
    "positions",
    "explore",
    "causes",
    "studies",
    "store",
    "memory",
)


def main() -> int:
    """Measure, printing each figure as soon as it is there."""
    args = _parser().parse_args()
    import llm_tracker as lt

    return_freed_memory()  # as the app does
    model = lt.load_model(args.model, args.device, args.dtype)
    facts = {"model": model.id, "dtype": model.dtype, "device": model.device, "attention": model.way.attention}
    facts["kernels"] = model.way.kernel_names or ("plain",)
    record: dict[str, Any] = {"machine": machine(), **facts}
    if not args.json:
        print(json.dumps(record, indent=1))
    for name, figure in _figures(model, args):
        record[name] = figure
        print(_line(name, figure), file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(json.dumps(record, indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--model", default="embedded", help="catalogue id, hub id or directory; default: embedded")
    parser.add_argument("--dtype", default="auto", help="float32, bfloat16, float16; default: the file's own")
    parser.add_argument("--device", default="auto", help="cpu, cuda, …; default: cuda where there is one")
    parser.add_argument("--pairs", type=int, default=15, help="pairs of each ratio; default: 15")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part to measure; repeatable; default: all")
    parser.add_argument("--json", action="store_true", help="print the record as JSON at the end")
    return parser


def _figures(model: LoadedModel, args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    n, parts = args.pairs, args.only or PARTS
    long = min(1500, (model.architecture.context_length or 1512) - 12)
    if "overhead" in parts:
        yield from overhead.overheads(model, n)
        yield from overhead.overheads(model, n, 512, "_512")
    if "whole" in parts:
        yield from overhead.whole_answers(model, n)
    if "eager" in parts:
        yield from overhead.versus_eager(model, n, 80, "versus_eager")
        yield from overhead.versus_eager(model, n, long, "versus_eager_1500")
        yield from peers.versus_bridge(model, n, 80, "versus_transformer_lens")
    if "reuse" in parts:
        yield from reuse.reuse(model, n)
    if "formats" in parts:
        yield from formats.over_plain_formats(model, n)
    if "growth" in parts:
        yield from overhead.growth(model, n)
    if "positions" in parts:
        yield from overhead.positions(model, 3, min(2048, (model.architecture.context_length or 2049) - 1))
    if "explore" in parts:
        yield from explore.explore(model, n)
    if "causes" in parts:
        yield from causes.causes(model, n)
    if "studies" in parts:
        yield from studies.studies(model, n)
    if "store" in parts:
        yield from store.store(model, n)
    if "memory" in parts:
        yield from memory.memory(args.model, args.dtype)


def _line(name: str, figure: Any) -> str:
    if isinstance(figure, dict) and "median" in figure:
        spread = f"n {figure['n']}, {figure['min']:.3f} to {figure['max']:.3f}"
        differing = f", {figure['n_differing']} left out" if "n_differing" in figure else ""
        return f"{name:26} {figure['median']:.3f}   ({spread}{differing})"
    if isinstance(figure, dict):
        return "\n".join(
            f"{_line(f'{name} {key} overhead', each['overhead'])}   trace {each['trace_mib']:.1f} MiB"
            for key, each in figure.items()
        )
    return f"{name:26} {figure:.3g}"


if __name__ == "__main__":
    sys.exit(main())
