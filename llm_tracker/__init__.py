"""LLM Inference Tracker: ask a local language model, correct it, and see what changed inside it.

    import llm_tracker as lt
    model = lt.load_model("embedded")
    session = lt.track(model, "What is the capital of France?",
                       corrections=["That is wrong. The correct answer is London."])
    session.turns[0].answer, session.turns[1].answer

The axes of every array, named once:

    step       one generated token; step 0 is the first token of the answer
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
    with_watch_word, with_step_lens, with_all_lenses      need the model
    position_lens, stream_position_lens                   need the model: they read the text once more
    logit_lens                                            only for what was not kept (model=)
    candidates, attention_by_word, attention_groups       no model
    save_session, load_session, with_answer_step          no model
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_tracker.analysis.attention import attention_by_word, attention_groups
    from llm_tracker.analysis.candidates import candidates
    from llm_tracker.analysis.lens.logit_lens import logit_lens
    from llm_tracker.analysis.lens.position_lens import PositionLens
    from llm_tracker.analysis.lens.position_tables import position_lens, stream_position_lens
    from llm_tracker.conversation.control import stream_control
    from llm_tracker.conversation.lenses import with_all_lenses, with_step_lens, with_watch_word
    from llm_tracker.conversation.track import track
    from llm_tracker.conversation.turns import begin_session, stream_turn, with_answer_step
    from llm_tracker.errors import Cancelled, InputError, ModelError, TrackerError
    from llm_tracker.models.adapters.contract import ModelAdapter
    from llm_tracker.models.catalogue import ModelEntry
    from llm_tracker.models.loading.check import check
    from llm_tracker.models.loading.load import load_model
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.models.plugins.hookspecs import hookimpl
    from llm_tracker.storage.session_directory import load_session, save_session
    from llm_tracker.tracing.session import Decoding, Session, Turn
    from llm_tracker.tracing.trace import Trace
    from llm_tracker.trust import Trust

_HOMES = {
    "Cancelled": "errors",
    "Decoding": "tracing.session",
    "InputError": "errors",
    "LoadedModel": "models.loading.loaded_model",
    "ModelAdapter": "models.adapters.contract",
    "ModelEntry": "models.catalogue",
    "ModelError": "errors",
    "PositionLens": "analysis.lens.position_lens",
    "Session": "tracing.session",
    "Trace": "tracing.trace",
    "TrackerError": "errors",
    "Trust": "trust",
    "Turn": "tracing.session",
    "attention_by_word": "analysis.attention",
    "attention_groups": "analysis.attention",
    "begin_session": "conversation.turns",
    "candidates": "analysis.candidates",
    "check": "models.loading.check",
    "hookimpl": "models.plugins.hookspecs",
    "load_model": "models.loading.load",
    "load_session": "storage.session_directory",
    "logit_lens": "analysis.lens.logit_lens",
    "position_lens": "analysis.lens.position_tables",
    "save_session": "storage.session_directory",
    "stream_control": "conversation.control",
    "stream_position_lens": "analysis.lens.position_tables",
    "stream_turn": "conversation.turns",
    "track": "conversation.track",
    "with_all_lenses": "conversation.lenses",
    "with_answer_step": "conversation.turns",
    "with_step_lens": "conversation.lenses",
    "with_watch_word": "conversation.lenses",
}

__all__ = [
    "Cancelled",
    "Decoding",
    "InputError",
    "LoadedModel",
    "ModelAdapter",
    "ModelEntry",
    "ModelError",
    "PositionLens",
    "Session",
    "Trace",
    "TrackerError",
    "Trust",
    "Turn",
    "attention_by_word",
    "attention_groups",
    "begin_session",
    "candidates",
    "check",
    "hookimpl",
    "load_model",
    "load_session",
    "logit_lens",
    "position_lens",
    "save_session",
    "stream_control",
    "stream_position_lens",
    "stream_turn",
    "track",
    "with_all_lenses",
    "with_answer_step",
    "with_step_lens",
    "with_watch_word",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import llm_tracker` needs neither torch nor transformers."""
    if name not in _HOMES:
        raise AttributeError(f"llm_tracker has no “{name}”. It has: {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"llm_tracker.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
