"""Whether what somebody handed over is a session: the form of its record, and that its numbers belong together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.storage.lens_records import Record
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray, LensTable, Trace, WatchedLens

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

SCHEMA_FILE = Path(__file__).with_name("session.schema.json")

ROUNDING = 1e-3
"""How far a share may lie beyond 1, or a row's sum."""


def require_form(record: Any) -> Record:
    """The record of a session.json, once it has the form of one (JSON Schema). Raises InputError, with the place."""
    error = next(_validator().iter_errors(record), None)  # there may be a million
    if error is not None:
        raise InputError(
            say(
                "session.json has another form than it should: {place} ({rule})",
                place=error.json_path,
                rule=error.validator,
            )
        )
    assert isinstance(record, dict)
    return record


@cache
def _validator() -> Validator:
    from jsonschema import Draft7Validator

    validator: Validator = Draft7Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    return validator


def require_sound(session: Session) -> None:
    """Refuse a session whose parts do not belong together: a view would show nonsense, or fail. Raises InputError."""
    for name, is_so in _of_session(session):
        if not is_so:
            raise InputError(say("its parts do not belong together: {claim}", claim=name))


Claims = Iterator[tuple[str, bool]]
"""What has to hold, and whether it does; later ones may rely on earlier ones."""


def _of_session(session: Session) -> Claims:
    turns, parent = session.turns, session.parent
    yield "controls of turns that there are", all(0 < at < len(turns) for at in session.controls)
    yield "experiments of turns that there are", all(0 < at < len(turns) for at in session.experiments)
    yield "a parent's turn that there is", parent is None or parent.turn < len(turns)
    named = {**{f"turn {at}": turn for at, turn in enumerate(turns)}}
    named |= {f"control {at}": turn for at, turn in session.controls.items()}
    for name, turn in named.items():
        yield from ((f"{claim} ({name})", is_so) for claim, is_so in _of_turn(session, turn))


def _of_turn(session: Session, turn: Turn) -> Claims:
    prompt, trace, vocab_size = turn.prompt, turn.trace, session.model.vocab_size
    n = len(prompt.token_ids)
    yield "a prompt's tokens, spans and roles", len(prompt.spans) == len(prompt.roles) == n
    yield "a prompt's bytes", len(prompt.token_bytes) in (0, n)
    yield "control positions within the prompt", all(at < n for at in prompt.control_positions)
    yield "spans of the prompt within its text", _are_within(prompt.spans, prompt.text)
    yield "spans of the answer within its text", _are_within(turn.spans, turn.text)
    yield "a span for each answer token", len(turn.spans) == trace.n_steps
    yield "tokens of the vocabulary", all(at < vocab_size for at in (*prompt.token_ids, *trace.token_ids.tolist()))
    yield "an answer token that there is", turn.answer_step < trace.n_steps
    yield "a thought within the answer", turn.thought is None or turn.thought.n_steps <= trace.n_steps
    yield from _of_trace(session, trace)
    for step, table in trace.lens.items():
        yield from ((f"{claim} of step {step}", is_so) for claim, is_so in _of_lens(session, trace, table))
    partings = [lens for several in turn.partings.values() for each in several for lens in each.watched.values()]
    yield "layers where words part", all(_is_watched(lens, trace.n_layers) for lens in partings)


def _are_within(spans: tuple[tuple[int, int], ...], text: str) -> bool:
    """Whether spans run through a text in order."""
    in_order = all(before[0] <= after[0] for before, after in pairwise(spans))
    return in_order and all(start <= end <= len(text) for start, end in spans)


def _of_trace(session: Session, trace: Trace) -> Claims:
    model, steps, keys = session.model, trace.n_steps, trace.prompt_length + trace.n_steps - 1
    yield "numbers of layers", trace.n_layers == model.n_layers == len(trace.heads)
    yield "numbers of heads", all(0 <= heads <= trace.n_heads for heads in trace.heads)
    yield "the residual stream's shape", _is(trace.resid, (steps, model.n_layers + 1, model.d_model))
    kept = len(trace.attention)
    has_all = kept == steps if trace.attention_mean is None else kept <= steps
    yield "the attention's shape", has_all and _is(trace.attention, (kept, model.n_layers, trace.n_heads, keys))
    mean = trace.attention_mean
    yield "the mean attention's shape", mean is None or _is(mean, (steps, model.n_layers, keys))
    rows = [trace.attention, *([] if mean is None else [mean])]
    yield "shares of attention", all(_are_shares(each) and bool((each.sum(-1) <= 1 + ROUNDING).all()) for each in rows)
    yield "candidates", trace.top_token_ids.ndim == 2 and trace.top_token_ids.shape[1] > 0
    yield "candidates' numbers", trace.top_logits.shape == trace.top_probs.shape == trace.top_token_ids.shape
    yield "probabilities", _are_shares(trace.token_probs) and _are_shares(trace.top_probs)


def _of_lens(session: Session, trace: Trace, table: LensTable) -> Claims:
    layers = (trace.n_layers,)
    yield "layers of the lens", table.token_prob.shape == table.token_rank.shape == layers
    yield "candidates of the lens", table.top_token_ids.shape == table.top_probs.shape
    yield "candidates of each layer", table.top_token_ids.ndim == 2 and len(table.top_token_ids) == trace.n_layers
    yield "candidates' tokens", bool((table.top_token_ids < session.model.vocab_size).all())
    curves = [each for each in (table.entropy, table.kl) if each is not None]
    yield "curves of the lens", all(each.shape == layers for each in curves)
    yield "layers of a watched word", all(_is_watched(lens, trace.n_layers) for lens in table.watched.values())
    leading = table.leading
    shape = None if leading is None else (len(leading.tokens), trace.n_layers)
    yield "leading tokens", leading is None or (_is(leading.logit, shape) and _is(leading.prob, shape))


def _is_watched(lens: WatchedLens, n_layers: int) -> bool:
    return lens.logit.shape == lens.prob.shape == lens.rank.shape == (n_layers,)


def _is(array: FloatArray, shape: Any) -> bool:
    return array.dtype == np.float32 and array.shape == shape and bool(np.isfinite(array).all())


def _are_shares(array: FloatArray) -> bool:
    return bool(((array >= 0) & (array <= 1 + ROUNDING)).all())
