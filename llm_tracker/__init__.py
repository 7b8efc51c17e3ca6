"""LLM Inference Tracker: ask a local language model, correct it, and see what changed inside it.

    import llm_tracker as lt
    model = lt.load_model("embedded")
    session = lt.track(model, "What is the capital of France?",
                       corrections=["That is wrong. The correct answer is London."])
    session.turns[0].answer, session.turns[1].answer

The axes of every array, named once:

    step       one generated token; step 0 is the first of the answer, or of the thought in front of it (Turn.first_step
               is where the answer begins)
    layer      decoder layer; index 0 of an array is layer 1 on the screen, in frames and in session.json
    depth      0 = embeddings, d = after layer d (n_layers + 1 values)
    head       attention head
    key        position that was looked at, in the prompt and the answer so far
    candidate  a possible next token, best first
    d_model    coordinate of the residual stream

Probabilities (`prob`) lie in [0, 1]; `log_prob` is natural; logits are raw: after the model's own scale and soft cap,
before any temperature. A `token` is text, a `token_id` an int.

Which functions need the model, and which read a saved session without it:

    load_model, track, check, stream_turn, stream_control need the model
    what_if, stream_what_if                               need the model
    with_watch_word, with_step_lens, with_all_lenses      need the model
    position_lens, head_pattern, value_weights            need the model: they read the text once more
    experiment, stream_experiment                         need the model
    logit_lens                                            only for what was not kept (model=)
    candidates, attention_by_word, attention_groups       no model
    tokens_frame, head_grid                               no model
    save_session, load_session, with_answer_step          no model
    experiment_figure, load_experiment, with_experiment   no model
"""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _homes() -> dict[str, str]:
    """The module of every public name, as the stub beside this file imports it for type checkers."""
    stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    imports = (node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom))
    return {alias.name: str(node.module) for node in imports for alias in node.names}


__all__ = sorted(_homes())


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import llm_tracker` needs neither torch nor transformers."""
    if name not in _homes():
        raise AttributeError(f"llm_tracker has no “{name}”. It has: {', '.join(__all__)}.")
    return getattr(importlib.import_module(_homes()[name]), name)


def __dir__() -> list[str]:
    return __all__
