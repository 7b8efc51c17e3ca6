"""The shape of the model in use as its adapter sees it: counts and widths, and the class of every part."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import streamlit as st

from llm_tracker.app.frame.parity_badge import routines, weights_in_memory
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say

if TYPE_CHECKING:
    from llm_tracker.models.architecture import Architecture, LayerKind
    from llm_tracker.models.loading.loaded_model import LoadedModel

ATTENTION_NAMES = {"sdpa": later("SDPA, the faster kind"), "eager": later("eager code, which this family needs")}
NO_ATTENTION = later("no attention in these layers")
NONE = later("none")


def architecture_panel(engine: Engine, workspace: Workspace) -> None:
    """All of the panel."""
    st.subheader(say("Its shape"), anchor=False)
    model = engine.models.loaded(workspace.model_id)
    if model is None:
        title = engine.models.entry(workspace.model_id).title
        paragraph(say("{model} is not in memory; its shape will stand here once it is.", model=title), quiet=True)
        return
    architecture = model.architecture
    paragraph(
        say(
            "{model} as {adapter} reads it, which is the adapter for “{model_type}”: a text goes through the layers "
            "from first to last, and what the last one leaves, through the final norm and the output matrix, is the "
            "prediction.",
            model=model.entry.title,
            adapter=model.adapter.name,
            model_type=architecture.model_type,
        ),
        quiet=True,
    )
    st.html(table_html(say("Counts and widths"), [say("what"), say("how many")], counts(model)))
    rows = [part_row(kind) for kind in architecture.kinds]
    st.html(table_html(say("The parts of each layer"), [say(name) for name in PART_COLUMNS], rows))
    st.html(table_html(say("Behind the last layer"), [say("part"), say("what it is")], tail_rows(architecture)))


def counts(model: LoadedModel) -> list[tuple[str, str]]:
    """The counts that the model has, with their names."""
    architecture, way = model.architecture, model.way
    has_attention = architecture.n_attention_layers > 0
    heads = [
        (say("attention heads in a layer"), _number(architecture.n_heads or None)),
        (say("heads of keys and values (kv heads)"), _numbers(architecture.n_kv_heads)),
        (say("numbers in a head's key"), _numbers(architecture.d_head)),
    ]
    computed = [(say("attention is computed by"), say(ATTENTION_NAMES[way.attention]))]
    return [
        (say("layers"), number(architecture.n_layers, ",")),
        (say("layers with attention"), _with_attention(architecture)),
        *(heads if has_attention else []),
        (say("width of the residual stream"), _number(architecture.d_model)),
        (say("tokens of the vocabulary"), _number(architecture.vocab_size)),
        (say("tokens that it can read (context length)"), _number(architecture.context_length)),
        (say("parameters"), number(architecture.n_parameters, ",")),
        (say("memory of its weights"), weights_in_memory(model)),
        *(computed if has_attention else []),
        (say("weights are multiplied by"), _kernels(way.kernel_names)),
    ]


def _with_attention(architecture: Architecture) -> str:
    n = architecture.n_attention_layers
    return say("{n}; {without} without", n=number(n, ","), without=number(architecture.n_layers - n, ","))


def _number(count: int | None) -> str:
    return say("not said by its configuration") if count is None else number(count, ",")


def _numbers(counts: Sequence[int]) -> str:
    """One number, or where layers differ, each of them."""
    if not counts:
        return say("none are kept")
    return reduce(
        lambda one, other: say("{one} or {other}", one=one, other=other), [number(each, ",") for each in counts]
    )


def _kernels(names: Sequence[str]) -> str:
    return routines(names) if names else say("torch as it chooses")


PART_COLUMNS = [
    later("layers"),
    later("norm before attention"),
    later("attention"),
    later("norm before MLP"),
    "MLP",
]


def part_row(kind: LayerKind) -> list[str]:
    """The parts of the layers of one kind."""
    attention, none = say(NO_ATTENTION) if kind.attention is None else kind.attention, say(NONE)
    if kind.kind and kind.attention is not None:
        attention = f"{attention} ({kind.kind.replace('_', ' ')})"
    return [spans(kind.layers), kind.attention_norm or none, attention, kind.mlp_norm or none, kind.mlp or none]


def spans(numbers: Sequence[int]) -> str:
    """Numbers as people write them: 1 to 5, 7 to 11, 13."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(
        say("{first} to {last}", first=run[0], last=run[-1]) if len(run) > 1 else str(run[0]) for run in runs
    )


def tail_rows(architecture: Architecture) -> list[tuple[str, str]]:
    """What stands behind the last layer, in its order."""
    return [
        (say("final norm"), _in_turn(architecture.final_norm) or say(NONE)),
        (say("output matrix"), _in_turn(architecture.unembed) or say(NONE)),
        (
            say("what is done to the logits"),
            _in_turn(architecture.tail) or say("nothing: they are used as they come"),
        ),
    ]


def _in_turn(parts: Sequence[str]) -> str:
    """One after the other; "" of none."""
    return reduce(lambda one, other: say("{one}, then {other}", one=one, other=other), map(say, parts)) if parts else ""
