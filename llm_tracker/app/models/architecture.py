"""The shape of the model in use as its adapter sees it: counts and widths, and the class of every part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from llm_tracker.app.frame.model_facts import gigabytes
from llm_tracker.app.frame.parity_badge import KERNEL_NAMES
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace

if TYPE_CHECKING:
    from llm_tracker.models.architecture import Architecture, LayerKind
    from llm_tracker.models.loading.loaded_model import LoadedModel

ATTENTION_NAMES = {"sdpa": "SDPA, the faster kind", "eager": "eager code, which this family needs"}
NO_ATTENTION = "no attention in these layers"
NONE = "none"


def architecture_panel(engine: Engine, workspace: Workspace) -> None:
    """All of the panel."""
    st.subheader("Its shape", anchor=False)
    model = engine.models.loaded(workspace.model_id)
    if model is None:
        title = engine.models.entry(workspace.model_id).title
        paragraph(f"{title} is not in memory; its shape will stand here once it is.", quiet=True)
        return
    architecture = model.architecture
    paragraph(
        f"{model.entry.title} as {model.adapter.name} reads it, which is the adapter for “{architecture.model_type}”: "
        "a text goes through the layers from first to last, and what the last one leaves, through the final norm and "
        "the output matrix, is the prediction.",
        quiet=True,
    )
    st.html(table_html("Counts and widths", ["what", "how many"], counts(model)))
    st.html(table_html("The parts of each layer", PART_COLUMNS, [part_row(kind) for kind in architecture.kinds]))
    st.html(table_html("Behind the last layer", ["part", "what it is"], tail_rows(architecture)))


def counts(model: LoadedModel) -> list[tuple[str, str]]:
    """The counts that the model has, with their names."""
    architecture, way = model.architecture, model.way
    with_attention = architecture.n_attention_layers
    rows = [
        ("layers", f"{architecture.n_layers:,}"),
        ("layers with attention", f"{with_attention:,}; {architecture.n_layers - with_attention:,} without"),
        ("attention heads in a layer", _number(architecture.n_heads or None)),
        ("heads of keys and values (kv heads)", _numbers(architecture.n_kv_heads)),
        ("numbers in a head's key", _numbers(architecture.d_head)),
        ("width of the residual stream", _number(architecture.d_model)),
        ("tokens of the vocabulary", _number(architecture.vocab_size)),
        ("tokens that it can read (context length)", _number(architecture.context_length)),
        ("parameters", f"{architecture.n_parameters:,}"),
        ("memory of its weights", f"{gigabytes(model.weights_bytes)} of {model.dtype} on {model.device}"),
        ("attention is computed by", ATTENTION_NAMES[way.attention]),
        ("weights are multiplied by", _kernels(way.kernel_names)),
    ]
    return rows if with_attention else [row for row in rows if "head" not in row[0] and "computed" not in row[0]]


def _number(count: int | None) -> str:
    return "not said by its configuration" if count is None else f"{count:,}"


def _numbers(counts: Sequence[int]) -> str:
    """One number, or where layers differ, each of them."""
    return " or ".join(f"{count:,}" for count in counts) if counts else "none are kept"


def _kernels(names: Sequence[str]) -> str:
    return ", or ".join(dict.fromkeys(KERNEL_NAMES[name] for name in names)) if names else "torch as it chooses"


PART_COLUMNS = ["layers", "norm before attention", "attention", "norm before MLP", "MLP"]


def part_row(kind: LayerKind) -> list[str]:
    """The parts of the layers of one kind."""
    attention = NO_ATTENTION if kind.attention is None else kind.attention
    if kind.kind and kind.attention is not None:
        attention = f"{attention} ({kind.kind.replace('_', ' ')})"
    return [spans(kind.layers), kind.attention_norm or NONE, attention, kind.mlp_norm or NONE, kind.mlp or NONE]


def spans(numbers: Sequence[int]) -> str:
    """Numbers as people write them: 1 to 5, 7 to 11, 13."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def tail_rows(architecture: Architecture) -> list[tuple[str, str]]:
    """What stands behind the last layer, in its order."""
    return [
        ("final norm", ", then ".join(architecture.final_norm) or NONE),
        ("output matrix", ", then ".join(architecture.unembed) or NONE),
        ("what is done to the logits", ", then ".join(architecture.tail) or "nothing: they are used as they come"),
    ]
