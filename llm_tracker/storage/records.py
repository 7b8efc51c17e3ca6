"""Session <-> session.json: plain records of what a session holds, except its large arrays."""

from __future__ import annotations

from dataclasses import asdict, fields
from itertools import repeat
from typing import Any, cast

import numpy as np

from llm_tracker.analysis.attention import last_attending, last_layer_words
from llm_tracker.errors import InputError
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import as_message
from llm_tracker.tracing.session import Decoding, ModelInfo, Session, Turn
from llm_tracker.tracing.trace import LensTable, Trace, WatchedLens
from llm_tracker.tracing.whole_words import Spelling, WordScore

SCHEMA = 1

Record = dict[str, Any]
OPTIONAL = ("path", "revision", "weights_sha256")
"""Of a model: what an export or an older file may lack."""

Arrays = dict[str, np.ndarray[Any, Any]]


def session_record(session: Session) -> Record:
    """The record of a session. Raises InputError where a step's lens has not been computed."""
    lists = {name: list(getattr(session.model, name)) for name in ("notices", "kernels")}
    model = {**asdict(session.model), **lists}
    return {
        "schema": SCHEMA,
        "model": model,
        "versions": session.versions,
        "recipe": session.recipe,
        "recipe_messages": [asdict(message) for message in session.recipe_messages],
        "decoding": session.decoding.as_dict(),
        "follow_template": session.follow_template,
        "watch_words": list(session.watch_words),
        "turns": [_turn_record(turn, session.recipe) for turn in session.turns],
        "words": [_word_records(turn) for turn in session.turns],
        "controls": [
            {"turn": at, **_turn_record(turn, session.recipe), "words": _word_records(turn)}
            for at, turn in session.controls.items()
        ],
    }


def session_of(record: Record, arrays: list[Arrays], control_arrays: list[Arrays]) -> Session:
    """The session of a record and the arrays of its turns and controls; keys that it does not know are ignored.

    Raises KeyError or TypeError for another record.
    """
    lists = {name: tuple(record["model"].get(name, ())) for name in ("notices", "kernels")}
    return Session(
        model=ModelInfo(**_known({**dict.fromkeys(OPTIONAL), **record["model"], **lists}, ModelInfo)),
        recipe=record["recipe"],
        recipe_messages=tuple(as_message(message) for message in record["recipe_messages"]),
        decoding=Decoding(**_known(record["decoding"], Decoding)),
        turns=tuple(
            _turn_of({**turn, "words": words}, own)
            for turn, words, own in zip(record["turns"], record.get("words") or repeat(()), arrays, strict=False)
        ),
        watch_words=tuple(record.get("watch_words", [])),
        versions=record.get("versions", {}),
        follow_template=record.get("follow_template", False),
        controls={
            each["turn"]: _turn_of(each, own)
            for each, own in zip(record.get("controls", []), control_arrays, strict=True)
        },
    )


def _known(record: Record, kind: type[ModelInfo] | type[Decoding]) -> Record:
    """What a value of this kind knows of a record: files of later versions may say more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in record.items() if name in names}


def _turn_record(turn: Turn, recipe: str) -> Record:
    missing = [step for step in range(turn.trace.n_steps) if step not in turn.trace.lens]
    if missing:
        raise InputError(
            f"The lens of steps {missing} has not been computed yet. "
            "Save what llm_tracker.with_all_lenses(model, session) returns."
        )
    return {
        "messages": [asdict(message) for message in turn.prompt.messages],
        "recipe": recipe,
        "beginning_token": turn.prompt.beginning_token,
        "said": turn.said,
        "prompt_token_ids": list(turn.prompt.token_ids),
        "prompt": {
            "text": turn.prompt.text,
            "spans": [list(span) for span in turn.prompt.spans],
            "roles": list(turn.prompt.roles),
            "token_bytes": [each.hex() for each in turn.prompt.token_bytes],
            "control_positions": sorted(turn.prompt.control_positions),
            "stops_at_newline": turn.prompt.stops_at_newline,
            "notices": list(turn.prompt.notices),
            "before": turn.trace.before,
        },
        "answer_token_ids": turn.trace.token_ids.tolist(),
        "answer": turn.answer,
        "answer_text": turn.text,
        "answer_spans": [list(span) for span in turn.spans],
        "heads": list(turn.trace.heads),
        "has_sinks": turn.trace.has_sinks,
        "answer_step": turn.answer_step,
        "ended": turn.ended,
        "steps": [_step_record(turn, step) for step in range(turn.trace.n_steps)],
    }


def _word_records(turn: Turn) -> list[Record]:
    """The scores of whole words at the answer's first position; of the spelling that was asked for and of all."""
    return [
        {
            "text": score.word,
            "token_ids": list(score.spellings[0].token_ids),
            "log_prob": score.log_prob,
            "end": score.end,
            "variants": [
                {"text": each.text, "token_ids": list(each.token_ids), "log_prob": each.log_prob}
                for each in score.spellings
            ],
            "log_prob_of_all": score.log_prob_of_all,
        }
        for score in turn.scores.get(0, {}).values()
    ]


def _word_of(record: Record) -> WordScore:
    spellings = (Spelling(each["text"], tuple(each["token_ids"]), each["log_prob"]) for each in record["variants"])
    return WordScore(record["text"], tuple(spellings), record["end"])


def _step_record(turn: Turn, step: int) -> Record:
    trace = turn.trace
    return {
        "token_id": int(trace.token_ids[step]),
        "token": trace.tokens[step],
        "prob": float(trace.token_probs[step]),
        "logit": float(trace.token_logits[step]),
        "rank": int(trace.token_ranks[step]),
        "top": _candidates(
            trace.top_token_ids[step], trace.top_tokens[step], trace.top_probs[step], trace.top_logits[step]
        ),
        "lens": _lens_records(trace.lens[step]),
        "watched": {word: _watched_record(lens) for word, lens in trace.lens[step].watched.items()},
        "attention": _attention_record(turn, step),
    }


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


def _candidates(ids: Any, tokens: tuple[str, ...], probs: Any, logits: Any = None) -> list[Record]:
    records: list[Record] = [
        {"token_id": int(token_id), "token": token, "prob": float(prob)}
        for token_id, token, prob in zip(ids, tokens, probs, strict=True)
    ]
    for record, logit in zip(records, () if logits is None else logits, strict=False):
        record["logit"] = float(logit)
    return records


def _lens_records(table: LensTable) -> list[Record]:
    return [
        {
            "layer": at + 1,
            "token_prob": float(table.token_prob[at]),
            "token_rank": int(table.token_rank[at]),
            "top": _candidates(table.top_token_ids[at], table.top_tokens[at], table.top_probs[at]),
        }
        for at in range(len(table.token_prob))
    ]


def _watched_record(lens: WatchedLens) -> Record:
    return {
        "token_id": lens.token_id,
        "token": lens.token,
        "logit": lens.logit.tolist(),
        "prob": lens.prob.tolist(),
        "rank": lens.rank.tolist(),
    }


def _turn_of(record: Record, arrays: Arrays) -> Turn:
    prompt = record["prompt"]
    steps = record["steps"]
    return Turn(
        said=record["said"],
        prompt=Prompt(
            messages=tuple(as_message(message) for message in record["messages"]),
            text=prompt["text"],
            token_ids=tuple(record["prompt_token_ids"]),
            spans=tuple((start, end) for start, end in prompt["spans"]),
            roles=tuple(prompt["roles"]),
            token_bytes=tuple(bytes.fromhex(each) for each in prompt.get("token_bytes", [])),
            control_positions=frozenset(prompt.get("control_positions", [])),
            stops_at_newline=prompt["stops_at_newline"],
            beginning_token=record.get("beginning_token", "none"),
            notices=tuple(prompt["notices"]),
        ),
        trace=Trace(
            prompt_length=len(record["prompt_token_ids"]),
            before=prompt["before"],
            token_ids=np.array(record["answer_token_ids"], dtype=np.int64),
            tokens=tuple(step["token"] for step in steps),
            token_probs=_floats([step["prob"] for step in steps]),
            token_logits=_floats([step["logit"] for step in steps]),
            token_ranks=_ints([step["rank"] for step in steps]),
            top_token_ids=_ints([[each["token_id"] for each in step["top"]] for step in steps]),
            top_tokens=tuple(tuple(each["token"] for each in step["top"]) for step in steps),
            top_logits=_floats([[each["logit"] for each in step["top"]] for step in steps]),
            top_probs=_floats([[each["prob"] for each in step["top"]] for step in steps]),
            attention=arrays["attention"],
            attention_mean=arrays.get("attention_mean"),
            resid=arrays["resid"],
            lens={at: _lens_of(step) for at, step in enumerate(steps)},
            heads=tuple(record.get("heads", ())),
            has_sinks=record.get("has_sinks", False),
        ),
        text=record["answer_text"],
        spans=tuple((start, end) for start, end in record["answer_spans"]),
        answer=record["answer"],
        answer_step=record["answer_step"],
        ended=record["ended"],
        scores={0: {word["text"]: _word_of(word) for word in record.get("words", ())}},
    )


def _lens_of(step: Record) -> LensTable:
    layers = step["lens"]
    watched = cast("dict[str, Record]", step["watched"])
    return LensTable(
        token_prob=_floats([layer["token_prob"] for layer in layers]),
        token_rank=_ints([layer["token_rank"] for layer in layers]),
        top_token_ids=_ints([[each["token_id"] for each in layer["top"]] for layer in layers]),
        top_tokens=tuple(tuple(each["token"] for each in layer["top"]) for layer in layers),
        top_probs=_floats([[each["prob"] for each in layer["top"]] for layer in layers]),
        watched={
            word: WatchedLens(
                token_id=lens["token_id"],
                token=lens["token"],
                logit=_floats(lens["logit"]),
                prob=_floats(lens["prob"]),
                rank=_ints(lens["rank"]),
            )
            for word, lens in watched.items()
        },
    )


def _floats(values: list[Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


def _ints(values: list[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)
