"""One family's trial: built small with random weights, read by its adapter, and compared with plain transformers."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

import llm_tracker as lt
from llm_tracker.errors import one_line
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.forward.attention_rows import pattern_in, summarising_layers
from llm_tracker.models.forward.forward_pass import forward, put_on_eager
from llm_tracker.models.forward.hooks import after, once_each, put_on
from llm_tracker.models.forward.numeric_gaps import in_deviations
from llm_tracker.models.forward.sites import SITE_NAMES, output_of, own_logits, read_hooks
from llm_tracker.models.forward.way import ASKED
from llm_tracker.models.loading.load import adapter_of
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import NotExactError, require_exact
from sweep.experiments_trial import Quantity, Tried, tried_experiments
from sweep.tiny_configs import VOCAB_SIZE, tiny_config

N_NEW = 5
PROMPT = tuple(int(each) for each in torch.randint(5, VOCAB_SIZE, (17,), generator=torch.Generator().manual_seed(1)))

Verdict = Literal["exact", "exact, no attention", "refused", "does not build", "wrong", "crashed"]

BOUNDS = {
    "lens of the last layer": 1e-4,
    "lens of every layer": 1e-4,
    "attention": 1e-4,
    "number of patterns": 0,
    "logits while generating": 1e-3,
    "generated tokens": 0,
}
"""In standard deviations of the logits, in shares of attention, and in numbers of differences."""


@dataclass(frozen=True)
class Outcome:
    """What came of one family's trial."""

    model_type: str
    verdict: Verdict
    reason: str = ""
    """Why it was refused, is not built, or is wrong."""
    adapter: str = ""
    attention: str = ""
    heads: tuple[int, ...] = ()
    has_sinks: bool = False
    own_tail: bool = False
    """Whether each lens runs the whole model, since its end can't be taken apart."""
    missing_sites: tuple[str, ...] = ()
    """Places of the forward pass that cannot be read (`llm_tracker.models.forward.sites`)."""
    read_only_sites: tuple[str, ...] = ()
    """Those that can be read, and not replaced."""
    gaps: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    experiments: dict[Quantity, Tried] = field(default_factory=dict)
    """What came of each quantity of an experiment."""


def tried(model_type: str) -> Outcome:
    """Try one family. Whatever happens in it is its outcome; nothing is raised."""
    begun = time.perf_counter()
    try:
        network = tiny_network(model_type)
    except Exception as error:
        cause = error.__cause__ or error  # what a configuration's own check found, not that it was checked
        return Outcome(model_type, "does not build", f"{type(cause).__name__}: {one_line(cause)}")
    try:
        model = loaded(network)
        gaps, notes = exactness(model)
        experiments = tried_experiments(model)
    except lt.ModelError as refused:
        name = refused.adapter.name if isinstance(refused, NotExactError) else ""
        return Outcome(model_type, "refused", str(refused), name)
    except Exception as error:
        return Outcome(model_type, "crashed", f"{type(error).__name__}: {one_line(error)}")
    over = [f"{name} {gap:.1e}" for name, gap in gaps.items() if not gap <= BOUNDS[name]]
    verdict: Verdict = "wrong" if over else "exact" if any(model.architecture.heads) else "exact, no attention"
    return Outcome(
        model_type,
        verdict,
        ", ".join(over),
        model.adapter.name,
        model.way.attention,
        model.architecture.heads,
        model.architecture.has_sinks,
        getattr(model.adapter, "tail", True) is None,
        tuple(name for name in SITE_NAMES if name in model.sites.missing),
        tuple(name for name in SITE_NAMES if name in model.sites.read_only),
        gaps,
        notes,
        time.perf_counter() - begun,
        experiments,
    )


def tiny_network(model_type: str) -> Any:
    """A small random network of a family. Raises whatever transformers raises."""
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(tiny_config(model_type)).float().eval()
    with torch.inference_mode():
        forward(network, torch.tensor([PROMPT]))
    return network


def loaded(network: Any) -> lt.LoadedModel:
    """The network as the app would have loaded it. Raises ModelError where it is not read exactly."""
    adapter = adapter_of(network)
    examination = prove(network, adapter)
    require_exact(adapter, examination)
    entry = ModelEntry("tiny", "tiny", "directory", "nowhere")
    return lt.LoadedModel(entry, None, None, network, _tokenizer(), adapter, *examination)


def _tokenizer() -> PreTrainedTokenizerFast:
    """A word for each id."""
    backend = Tokenizer(models.WordLevel({f"w{index}": index for index in range(VOCAB_SIZE)}, "w0"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend)


def exactness(model: lt.LoadedModel) -> tuple[dict[str, float], tuple[str, ...]]:
    """A session's numbers against plain transformers on eager attention, which reads the whole text at once.

    With a note where transformers' own generation, or the patterns that it hands out, could not be compared with.
    """
    trace = lt.track(model, PROMPT, recipe="raw", max_new_tokens=N_NEW).turns[0].trace
    plain = copy.deepcopy(model.model)
    put_on_eager(plain)
    last_layer = model.adapter.layers(plain)[-1]
    text = torch.tensor([[*PROMPT, *trace.token_ids.tolist()[:-1]]])
    with torch.inference_mode():
        stream, returned, output = _read(plain, model.adapter, text)
        steps = slice(len(PROMPT) - 1, None)
        rows = torch.stack(stream)[:, steps]  # (layer, step, d_model)
        lens = torch.stack([model.adapter.logits(plain, each) for each in rows])
        own = torch.stack([own_logits(plain, last_layer, each) for each in rows])
        handed_out = _patterns(getattr(output, "attentions", None), summarising_layers(plain.config))
    patterns = handed_out or returned
    logits = output.logits[0, steps]
    top = logits.gather(1, torch.tensor(trace.top_token_ids.copy()))
    live = (torch.tensor(trace.top_logits.copy()) - top).abs().amax(-1) / logits.std(-1)
    expected, notes = _greedy(plain, logits)
    if returned and not handed_out:
        notes += ("transformers hands out no patterns: compared with what its attention modules return",)
    gaps = {
        "lens of the last layer": in_deviations(lens[-1], logits),
        "lens of every layer": in_deviations(lens, own),
        "attention": _attention_gap(trace, patterns),
        "number of patterns": abs(len(patterns) - len(trace.attending_layers)),
        "logits while generating": live.max().item(),
        "generated tokens": _n_differing(trace.token_ids.tolist(), expected),
    }
    return gaps, notes


def _read(network: Any, adapter: lt.ModelAdapter, text: Tensor) -> tuple[list[Tensor], list[Tensor], Any]:
    """The rows after each layer, (position, d_model) each; what attention modules return as patterns; the output."""
    stream, returned = list[Tensor](), list[Tensor]()

    def attended(_module: Any, _args: Any, _kwargs: Any, output: Any) -> None:
        pattern = pattern_in(output)
        if pattern is not None:
            returned.append(pattern[0])

    layers = adapter.layers(network)
    of_layers = read_hooks(list(map(output_of, layers)), lambda _layer, rows: stream.append(rows[0].clone()))
    of_attention = (after(module, attended) for module in once_each([adapter.attention(layer) for layer in layers]))
    with put_on(of_layers), put_on(of_attention):
        output = forward(network, text, way=ASKED, last_only=False)
    return stream, returned, output


def _patterns(attentions: Any, summarising: frozenset[int]) -> list[Tensor]:
    """The attention patterns (head, query, key) among what transformers hands out."""
    of_words = [each for layer, each in enumerate(attentions or ()) if layer not in summarising]
    square = [each[0] for each in of_words if isinstance(each, Tensor) and each.dim() == 4]
    square = [each for each in square if each.shape[-1] == each.shape[-2]]
    return [each for each in square if each.min() >= 0 and each.sum(-1).max() <= 1.01]


def _attention_gap(trace: lt.Trace, patterns: list[Tensor]) -> float:
    """Largest difference between what was recorded and transformers' own patterns, layer by layer."""
    if len(patterns) != len(trace.attending_layers):
        return float("inf")
    gaps = [0.0]
    for layer, pattern in zip(trace.attending_layers, patterns, strict=True):
        for step in range(trace.n_steps):
            length = trace.prompt_length + step
            found = trace.attention[step, layer - 1, : trace.heads[layer - 1]]
            gaps.append(float(np.abs(found[:, :length] - pattern[:, length - 1, :length].numpy()).max()))
            gaps.append(float(np.abs(found[:, length:]).sum()))
    return float(np.max(gaps))


def _greedy(network: Any, logits: Tensor) -> tuple[list[int], tuple[str, ...]]:
    """What transformers' own greedy generation writes; where it has none, its best tokens in the text, and a note."""
    network.generation_config.forced_eos_token_id = None  # our answers end by themselves, or at the limit
    try:
        whole = network.generate(torch.tensor([PROMPT]), do_sample=False, max_new_tokens=N_NEW, pad_token_id=0)
    except Exception as error:  # some classes can't generate by themselves, each in its own way
        kind = type(error).__name__
        return logits.argmax(-1).tolist(), (f"transformers' own generation fails ({kind}): compared with its logits",)
    return whole[0, len(PROMPT) :].tolist(), ()


def _n_differing(written: list[int], expected: list[int]) -> int:
    differing = sum(one != other for one, other in zip(written, expected, strict=False))
    return differing + abs(len(written) - len(expected))
