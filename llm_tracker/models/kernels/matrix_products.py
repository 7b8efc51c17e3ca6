"""Which routine multiplies by a weight on this CPU: measured when a model loads, never guessed from the CPU's name.

Several can do it. `plain` is torch's own choice. `onednn` asks oneDNN directly: in float32 torch asks MKL, which on
many CPUs reads a weight with one thread where there is a single row. `upcast` and `upcast_plain` are for bfloat16 where
the CPU has no instructions for it: a slice of the weight at a time is read into a float32 buffer and multiplied there,
by one or the other, which also rounds less. Weights and their format stay as they are. On CUDA and MPS this module does
nothing.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Kernel = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""rows (..., n_in), weight (n_out, n_in) and bias (n_out) or None -> (..., n_out), in the rows' format."""

MEASURED_ROWS = (1, 3, 12, 24, 128)
"""Numbers of rows that are timed: a decoded token, a few, a short correction, the layers of a lens, a long text.

MKL takes another way from 16 rows on: an output matrix times 12 can take it longer than times 24. The last is what the
lens of a long text has at a time on the built-in model.
"""

LAST_ROWS = (1, 5, 15, 47)
"""The largest number of rows that each choice but the last one is used for."""

SAMPLE_BYTES = 64 * 2**20
"""Weights that are timed: more than the CPU keeps in its cache, as in a whole model."""

N_TIMINGS = 3

WORTHWHILE = 0.97
"""Another kernel is chosen where it takes less than this much of the plain one's time."""

BUFFER_BYTES = 4 * 2**20
"""The slice of a weight that `upcast` holds in float32 at a time: it stays in the CPU's cache."""


def plain(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """torch's own choice."""
    return functional.linear(rows, weight, bias)


def onednn(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """oneDNN, with the weight as it lies in memory. Raises RuntimeError where oneDNN can't multiply this format."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return product


def upcast(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A float32 product of a lower format, slice by slice of the weight, by oneDNN. Raises as `onednn` does."""
    return _upcast(rows, weight, bias, onednn)


def upcast_plain(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same, by torch's own choice for float32: MKL may know more of the CPU's instructions."""
    return _upcast(rows, weight, bias, plain)


def _upcast(rows: Tensor, weight: Tensor, bias: Tensor | None, multiply: Kernel) -> Tensor:
    """The product in float32, rounded once, at the end."""
    n_out, n_in = weight.shape
    step = max(1, BUFFER_BYTES // (4 * n_in))
    rows32 = rows.float()
    product = rows.new_empty((*rows.shape[:-1], n_out))
    for start in range(0, n_out, step):
        part = weight[start : start + step]
        part32 = _buffer.of(part.shape).copy_(part)
        bias32 = None if bias is None else bias[start : start + step].float()
        product[..., start : start + step] = multiply(rows32, part32, bias32)
    return product


class _Buffer(threading.local):
    """float32 memory of the thread that multiplies, used again and again."""

    def __init__(self) -> None:
        self._memory = torch.empty(0, dtype=torch.float32, device="cpu")

    def of(self, shape: torch.Size) -> Tensor:
        """A tensor of this shape with anything in it."""
        if self._memory.numel() < shape.numel():
            with torch.inference_mode(False):  # one that was made for inference could not be written to outside of it
                self._memory = torch.empty(shape.numel(), dtype=torch.float32, device="cpu")
        return self._memory[: shape.numel()].view(shape)


_buffer = _Buffer()


CANDIDATES: dict[torch.dtype, tuple[Kernel, ...]] = {
    torch.float32: (plain, onednn),
    torch.bfloat16: (plain, onednn, upcast, upcast_plain),
    torch.float16: (plain, onednn, upcast, upcast_plain),
}
"""What can multiply by weights of each format, where this build and CPU can."""


@dataclass(frozen=True)
class KernelChoice:
    """The kernels that were chosen for weights of one format."""

    dtype: torch.dtype
    kernels: tuple[Kernel, ...]
    """One for each of `MEASURED_ROWS`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(kernel.__name__ for kernel in self.kernels)

    @property
    def is_plain(self) -> bool:
        """Whether torch's own choice is the fastest for every number of rows."""
        return set(self.kernels) == {plain}

    def product(self, linear: nn.Linear, rows: Tensor) -> Tensor:
        """What a linear layer gives for rows. With gradients, in another format or off the CPU, torch chooses."""
        as_measured = linear.weight.dtype == rows.dtype == self.dtype and rows.device.type == "cpu"
        if torch.is_grad_enabled() or not as_measured:
            return plain(rows, linear.weight, linear.bias)
        kernel = self.kernels[bisect_left(LAST_ROWS, rows.numel() // rows.shape[-1])]
        return kernel(rows, linear.weight, linear.bias)


@dataclass(frozen=True)
class ModelKernels:
    """What a model multiplies by: its layers, and the output matrix, whose shape is another."""

    layers: KernelChoice
    head: KernelChoice

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' kernels and then the output matrix's, one for each of `MEASURED_ROWS`."""
        return (*self.layers.names, *self.head.names)


class MeasuredLinear(nn.Linear):
    """A linear layer that multiplies by the kernels of a choice."""

    choice: KernelChoice

    def forward(self, rows: Tensor) -> Tensor:
        """The layer's product, rows (..., n_in) -> (..., n_out)."""
        return self.choice.product(self, rows)


def choose_kernels(model: nn.Module) -> ModelKernels | None:
    """Time the kernels on the model's own weights and let it use the fastest; None where torch's own are.

    Its linear layers stay the objects that they are, with the same weights; only their class is another.
    """
    linears = _linears(model, nn.Linear)
    largest = max((linear.weight.shape for linear in linears), key=lambda shape: shape[0], default=None)
    heads = [linear for linear in linears if linear.weight.shape == largest]
    others = [linear for linear in linears if linear.weight.shape != largest]
    of_head, of_layers = _measured(_sample(heads)), _measured(_sample(others))
    choice = of_layers or of_head
    if choice is None:
        return None
    kernels = ModelKernels(choice, of_head or choice)
    if kernels.layers.is_plain and kernels.head.is_plain:
        return None
    for linear in linears:
        own = kernels.head if linear.weight.shape == largest else kernels.layers
        if not own.is_plain:  # asking for the choice costs a few microseconds, two hundred times a token
            linear.__class__ = MeasuredLinear
            linear.choice = own
    return kernels


def computing_otherwise(model: nn.Module) -> list[MeasuredLinear]:
    """The linear layers that multiply by another routine than torch's own choice."""
    return [module for module in model.modules() if isinstance(module, MeasuredLinear)]


@contextmanager
def plain_kernels(model: nn.Module) -> Iterator[None]:
    """Within this context the model computes as its own code is written: what a choice is checked against."""
    others: list[nn.Linear] = [*computing_otherwise(model)]
    try:
        for module in others:
            module.__class__ = nn.Linear
        yield
    finally:
        for module in others:
            module.__class__ = MeasuredLinear


def _linears(model: nn.Module, kind: type[nn.Linear]) -> list[Any]:
    """The linear layers of exactly this class: another one may multiply in its own way.

    So does one with a `forward` of its own, as accelerate sets it on a split model's: there the class decides nothing.
    """
    return [module for module in model.modules() if type(module) is kind and "forward" not in vars(module)]


def _sample(linears: list[Any]) -> list[Tensor]:
    """Weights of the shape that most of them on the CPU consist of, up to `SAMPLE_BYTES`."""
    weights = [linear.weight for linear in linears]
    known = [each for each in weights if each.device.type == "cpu" and each.dtype in CANDIDATES]
    sizes: Counter[tuple[torch.dtype, torch.Size]] = Counter()
    for weight in known:
        sizes[weight.dtype, weight.shape] += weight.numel()
    if not sizes:
        return []
    kind = sizes.most_common(1)[0][0]
    same = [weight for weight in known if (weight.dtype, weight.shape) == kind]
    return same[: max(1, SAMPLE_BYTES // same[0].nbytes)]


def _measured(weights: list[Tensor]) -> KernelChoice | None:
    """The fastest kernel for each number of rows; None where there is nothing to time."""
    if not weights:
        return None
    with torch.inference_mode():
        able = [kernel for kernel in CANDIDATES[weights[0].dtype] if kernel is plain or _can(kernel, weights[0])]
        return KernelChoice(weights[0].dtype, tuple(_fastest(able, weights, n_rows) for n_rows in MEASURED_ROWS))


def _can(kernel: Kernel, weight: Tensor) -> bool:
    """Whether this build and CPU have the kernel, tried on one row and several."""
    try:
        for n_rows in MEASURED_ROWS[:2]:
            kernel(weight.new_zeros(n_rows, weight.shape[1]), weight, None)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return True


def _fastest(kernels: list[Kernel], weights: list[Tensor], n_rows: int) -> Kernel:
    """The kernel that goes through the weights fastest, timed in turn; the plain one unless another is worthwhile."""
    rows = weights[0].new_ones(n_rows, weights[0].shape[1])
    seconds = dict.fromkeys(kernels, float("inf"))
    for _ in range(N_TIMINGS):
        for kernel in kernels:
            begun = time.perf_counter()
            for weight in weights:
                kernel(rows, weight, None)
            seconds[kernel] = min(seconds[kernel], time.perf_counter() - begun)
    best = min(kernels, key=lambda kernel: seconds[kernel])
    return best if seconds[best] < WORTHWHILE * seconds[plain] else plain
