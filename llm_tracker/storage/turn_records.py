"""Turn <-> its part of session.json: what was read and written, step by step."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from llm_tracker.analysis.attention import last_attending, last_layer_words
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.chat_template import THOUGHT_FIELDS
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import Message, as_message
from llm_tracker.prompts.thoughts import Thought, ThoughtMarks
from llm_tracker.storage.lens_records import (
    Arrays,
    Record,
    candidate_records,
    floats,
    ints,
    kept_floats,
    leading_of,
    lens_of,
    lens_record,
)
from llm_tracker.storage.word_records import parting_records, partings_of, scores_of
from llm_tracker.tracing.edit import Edit
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.trace import FloatArray, Trace


def require_lenses(turn: Turn) -> None:
    """Refuse a turn with a step whose lens has not been computed. Raises InputError."""
    missing = [step for step in range(turn.trace.n_steps) if step not in turn.trace.lens]
    if missing:
        raise InputError(
            say(
                "The lens of steps {missing} has not been computed yet. Save what "
                "llm_tracker.with_all_lenses(model, session) returns.",
                missing=missing,
            )
        )


def turn_record(turn: Turn, recipe: str, with_attention: bool = True) -> Record:
    """The record of a turn; a step whose lens has not been computed has none.

    What the last layer looked at by word can be left out: it is read from the arrays again.
    """
    return {
        "messages": [message_record(message) for message in turn.prompt.messages],
        "recipe": recipe,
        "beginning_token": turn.prompt.beginning_token,
        "template_arguments": dict(turn.prompt.template_arguments),
        "said": turn.said,
        "prompt_token_ids": list(turn.prompt.token_ids),
        "prompt": {
            "text": turn.prompt.text,
            "spans": [list(span) for span in turn.prompt.spans],
            "roles": list(turn.prompt.roles),
            "token_bytes": [each.hex() for each in turn.prompt.token_bytes],
            "control_positions": sorted(turn.prompt.control_positions),
            "stops_at_newline": turn.prompt.stops_at_newline,
            "keeps_room_for_thought": turn.prompt.keeps_room_for_thought,
            "thought_marks": asdict(turn.prompt.thought_marks) if turn.prompt.thought_marks else None,
            "notices": list(turn.prompt.notices),
            "before": turn.trace.before,
        },
        "answer_token_ids": turn.trace.token_ids.tolist(),
        "answer": turn.thought.with_answer if turn.thought else turn.answer,
        "answer_behind_thought": turn.answer,
        "answer_text": turn.text,
        "answer_spans": [list(span) for span in turn.spans],
        "heads": list(turn.trace.heads),
        "has_sinks": turn.trace.has_sinks,
        "answer_step": turn.answer_step,
        "ended": turn.ended,
        "thought": asdict(turn.thought) if turn.thought else None,
        "edit": asdict(turn.edit) if turn.edit else None,
        "partings": parting_records(turn) if turn.first_step in turn.partings else None,
        "steps": [_step_record(turn, step, with_attention) for step in range(turn.trace.n_steps)],
    }


def message_record(message: Message) -> Record:
    """A message as the template was given it: an earlier thought only where it was read again, from its own field."""
    thought = {THOUGHT_FIELDS[0]: message.thought} if message.thought else {}
    return {"role": message.role, "content": message.content, **thought}


def _message_of(record: Record) -> Message:
    return replace(as_message(record), thought=record.get(THOUGHT_FIELDS[0], ""))


def template_arguments_of(record: Record) -> dict[str, bool]:
    """What the chat template was given besides the messages."""
    given = record.get("template_arguments", {}).items()
    return {name: value for name, value in given if isinstance(value, bool)}


def _edit_of(record: Record | None) -> Edit | None:
    if not record:
        return None
    return Edit(**{**record, "layers": tuple(record["layers"]), "tokens": tuple(record["tokens"])})


def _step_record(turn: Turn, step: int, with_attention: bool) -> Record:
    trace = turn.trace
    return {
        "token_id": int(trace.token_ids[step]),
        "token": trace.tokens[step],
        "prob": float(trace.token_probs[step]),
        "logit": float(trace.token_logits[step]),
        "rank": int(trace.token_ranks[step]),
        "top": candidate_records(
            trace.top_token_ids[step], trace.top_tokens[step], trace.top_probs[step], trace.top_logits[step]
        ),
        "entropy_nats": _known(trace.entropies, step),
        **(lens_record(trace.lens[step]) if step in trace.lens else {}),
        **({"attention": _attention_record(turn, step)} if with_attention else {}),
    }


def _known(values: FloatArray | None, step: int) -> float | None:
    """A step's number; None where it is not known."""
    return None if values is None or np.isnan(values[step]) else float(values[step])


def _attention_record(turn: Turn, step: int) -> Record:
    """The words that the last layer with attention looked at; no layer, and nothing for any word, where none has."""
    words = last_layer_words(turn, step)
    return {
        "layer": last_attending(turn.trace) if turn.trace.attending_layers else None,
        "sink_share": 1 - sum(share for _, share in words) if turn.trace.has_sinks else 0.0,
        "words": [
            {"text": word.text, "role": word.role, "tokens": list(word.tokens), "share": share} for word, share in words
        ],
    }


def turn_of(record: Record, arrays: Arrays) -> Turn:
    """The turn of a record and its arrays. Raises KeyError or TypeError for another record."""
    prompt = record["prompt"]
    steps = record["steps"]
    thought = Thought(**record["thought"]) if record.get("thought") else None
    turn = Turn(
        said=record["said"],
        prompt=Prompt(
            messages=tuple(_message_of(message) for message in record["messages"]),
            text=prompt["text"],
            token_ids=tuple(record["prompt_token_ids"]),
            spans=tuple((start, end) for start, end in prompt["spans"]),
            roles=tuple(prompt["roles"]),
            token_bytes=tuple(bytes.fromhex(each) for each in prompt.get("token_bytes", [])),
            control_positions=frozenset(prompt.get("control_positions", [])),
            stops_at_newline=prompt["stops_at_newline"],
            beginning_token=record.get("beginning_token", "none"),
            template_arguments=template_arguments_of(record),
            keeps_room_for_thought=prompt.get("keeps_room_for_thought", False),
            thought_marks=ThoughtMarks(**prompt["thought_marks"]) if prompt.get("thought_marks") else None,
            notices=tuple(prompt["notices"]),
        ),
        trace=Trace(
            prompt_length=len(record["prompt_token_ids"]),
            before=prompt["before"],
            token_ids=ints(record["answer_token_ids"]),
            tokens=tuple(step["token"] for step in steps),
            token_probs=floats([step["prob"] for step in steps]),
            token_logits=floats([step["logit"] for step in steps]),
            token_ranks=ints([step["rank"] for step in steps]),
            top_token_ids=ints([[each["token_id"] for each in step["top"]] for step in steps]),
            top_tokens=tuple(tuple(each["token"] for each in step["top"]) for step in steps),
            top_logits=floats([[each["logit"] for each in step["top"]] for step in steps]),
            top_probs=floats([[each["prob"] for each in step["top"]] for step in steps]),
            attention=arrays["attention"],
            attention_mean=arrays.get("attention_mean"),
            resid=arrays["resid"],
            lens={at: lens_of(step, leading_of(step, arrays, at)) for at, step in enumerate(steps) if "lens" in step},
            heads=tuple(record.get("heads", ())),
            has_sinks=record.get("has_sinks", False),
            entropies=kept_floats([step.get("entropy_nats") for step in steps]),
        ),
        text=record["answer_text"],
        spans=tuple((start, end) for start, end in record["answer_spans"]),
        answer=str(record.get("answer_behind_thought", record["answer"])),
        answer_step=record["answer_step"],
        ended=record["ended"],
        thought=thought,
        edit=_edit_of(record.get("edit")),
    )
    first = turn.first_step
    # A file of an earlier version does not say where words part: that is yet to be read.
    partings = {first: partings_of(record)} if record.get("partings") is not None else {}
    return replace(turn, scores={first: scores_of(record)}, partings=partings)
