"""Whatever kernel is chosen, the numbers stay: near torch's own, and never farther from float32 than they are."""

from __future__ import annotations

import copy

import pytest
import torch
from tiny_models import tiny_network
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.models.kernels import matrix_products as kernels
from llm_tracker.models.kernels.matrix_products import (
    CANDIDATES,
    MEASURED_ROWS,
    Kernel,
    KernelChoice,
    ModelKernels,
    choose_kernels,
    onednn,
    plain,
    plain_kernels,
    upcast,
    upcast_plain,
)

FORMATS = (torch.float32, torch.bfloat16, torch.float16)


def able(kernel: Kernel, dtype: torch.dtype) -> bool:
    return kernels._can(kernel, torch.zeros(16, 8, dtype=dtype))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("n_rows", [1, 2, 7, 65])
@pytest.mark.parametrize(
    ("dtype", "kernel"),
    [(dtype, kernel) for dtype in FORMATS for kernel in CANDIDATES[dtype]],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_a_kernel_is_no_farther_from_float64_than_torchs_own(
    dtype: torch.dtype, kernel: Kernel, n_rows: int, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not able(kernel, dtype):
        pytest.skip(f"this CPU or build has no {kernel.__name__} for {dtype}")
    monkeypatch.setattr(kernels, "BUFFER_BYTES", 4 * 96 * 10)  # several slices, the last one shorter
    generator = torch.Generator().manual_seed(n_rows)
    rows, weight = (torch.randn(*shape, generator=generator).to(dtype) for shape in ((1, n_rows, 96), (43, 96)))
    of_bias = torch.randn(43, generator=generator).to(dtype) if bias else None
    exact = functional.linear(rows.double(), weight.double(), None if of_bias is None else of_bias.double())
    with torch.inference_mode():
        product = kernel(rows, weight, of_bias)
        own = plain(rows, weight, of_bias)
    assert (product.dtype, product.shape) == (own.dtype, own.shape)
    rounding = torch.finfo(dtype).eps * exact.abs().max()
    slack = 4 if dtype == torch.float32 else 0.25  # the order of summing; 16 bits are summed in 32
    assert (product.double() - exact).abs().max() <= (own.double() - exact).abs().max() + slack * rounding


def chosen(network: nn.Module, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> ModelKernels:
    """A network that multiplies by one kernel, whatever would be fastest."""
    monkeypatch.setattr(kernels, "_fastest", lambda *_: kernel)
    choice = choose_kernels(network)
    assert choice is not None
    return choice


def test_the_fastest_is_chosen_for_each_number_of_rows_and_the_plain_one_unless_it_pays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = {plain: 10.0, upcast: 8.0, onednn: 9.8}
    now = [0.0]

    def slow(kernel: Kernel) -> Kernel:
        def timed(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
            now[0] += seconds[kernel]
            return rows

        timed.__name__ = kernel.__name__
        return timed

    plain_, upcast_, onednn_ = (slow(kernel) for kernel in (plain, upcast, onednn))
    monkeypatch.setattr(kernels, "plain", plain_)
    monkeypatch.setattr(kernels.time, "perf_counter", lambda: now[0])
    weights = [torch.zeros(4, 4)]
    assert kernels._fastest([plain_, onednn_, upcast_], weights, 1) is upcast_
    assert kernels._fastest([plain_, onednn_], weights, 1) is plain_  # 2 % are within the noise


def test_each_number_of_rows_is_multiplied_by_the_kernel_that_was_timed_for_it() -> None:
    used = list[int]()

    def noting(n_measured: int) -> Kernel:
        def kernel(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
            used.append(n_measured)
            return plain(rows, weight, bias)

        return kernel

    choice = KernelChoice(torch.float32, tuple(noting(n_rows) for n_rows in MEASURED_ROWS))
    linear = nn.Linear(4, 4)
    with torch.inference_mode():
        for n_rows in (1, 2, 5, 6, 15, 16, 30, 47, 48, 500):
            choice.product(linear, torch.zeros(1, n_rows, 4))
    assert used == [1, 3, 3, 12, 12, 24, 24, 24, 128, 128]


def test_a_network_with_another_kernel_predicts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network, ids = tiny_network("llama"), torch.arange(3, 40)[None]
    with torch.inference_mode():
        before = network(ids).logits
        choice = chosen(network, onednn if able(onednn, torch.float32) else upcast_plain, monkeypatch)
        after = network(ids).logits
        with plain_kernels(network):
            again = network(ids).logits
    assert choice.names == (choice.layers.kernels[0].__name__,) * 2 * len(MEASURED_ROWS)
    assert (after - before).abs().max() < 1e-4
    assert torch.equal(again, before)


def test_the_output_matrix_has_a_choice_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network("llama")
    vocabulary = network.lm_head.weight.shape
    monkeypatch.setattr(
        kernels, "_fastest", lambda _k, weights, _n: upcast_plain if weights[0].shape == vocabulary else plain
    )
    choice = choose_kernels(network)
    assert choice is not None
    assert (set(choice.layers.kernels), set(choice.head.kernels)) == ({plain}, {upcast_plain})
    assert network.lm_head.choice is choice.head
    assert type(network.model.layers[0].mlp.up_proj) is nn.Linear  # torch chooses there: nothing is asked


def test_a_copy_multiplies_by_its_own_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    network, ids = tiny_network("llama"), torch.arange(3, 12)[None]
    chosen(network, upcast_plain, monkeypatch)
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin.lm_head.weight.zero_()
        assert twin(ids).logits.abs().max() == 0
        assert network(ids).logits.abs().max() > 0


def test_where_gradients_are_kept_torch_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network("llama")
    chosen(network, upcast_plain, monkeypatch)
    network(torch.arange(3, 12)[None]).logits.sum().backward()
    assert network.lm_head.weight.grad is not None


def test_a_model_in_another_format_than_was_measured_is_multiplied_as_torch_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, ids = tiny_network("llama"), torch.arange(3, 12)[None]
    chosen(network, upcast_plain, monkeypatch)
    wide = copy.deepcopy(network).double()
    with torch.inference_mode():
        assert (wide(ids).logits - network(ids).logits).abs().max() < 1e-3


@pytest.mark.parametrize("kernel", [upcast, upcast_plain], ids=lambda kernel: kernel.__name__)
def test_bfloat16_by_way_of_float32_is_no_farther_from_float32(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    if not able(kernel, torch.bfloat16):
        pytest.skip(f"this CPU or build has no {kernel.__name__}")
    network, ids = tiny_network("llama").bfloat16(), torch.arange(3, 60)[None]
    with torch.inference_mode():
        exact = copy.deepcopy(network).float()(ids).logits
        own = network(ids).logits.float()
        chosen(network, kernel, monkeypatch)
        ours = network(ids).logits.float()
    assert (ours - exact).norm() <= 1.02 * (own - exact).norm()


@pytest.mark.real
def test_the_built_in_model_in_bfloat16_by_way_of_float32_is_no_farther_from_float32(
    embedded: lt.LoadedModel, paris: lt.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounding is luck on a single text: several texts together, with a margin."""
    ids = torch.tensor([paris.turns[1].prompt.token_ids[:200]]).view(5, 40)
    network = AutoModelForCausalLM.from_pretrained(embedded.directory, dtype=torch.bfloat16, local_files_only=True)
    with torch.inference_mode(), plain_kernels(embedded.model):
        exact = embedded.model(ids).logits
        own = network(ids).logits.float()
        chosen(network, upcast_plain, monkeypatch)
        ours = network(ids).logits.float()
    assert (ours - exact).norm() <= 1.15 * (own - exact).norm()


def test_what_can_not_be_timed_is_left_alone() -> None:
    assert choose_kernels(nn.Sequential(nn.ReLU())) is None
    assert choose_kernels(nn.Linear(4, 4).double()) is None
