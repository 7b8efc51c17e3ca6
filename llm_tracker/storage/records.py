"""Session <-> session.json: plain records of what a session holds, except its large arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from itertools import repeat

from llm_tracker.prompts.chat_template import TemplateUse
from llm_tracker.prompts.recipes import as_message
from llm_tracker.storage.lens_records import Arrays, Record
from llm_tracker.storage.turn_records import (
    message_record,
    require_lenses,
    template_arguments_of,
    turn_of,
    turn_record,
)
from llm_tracker.storage.word_records import word_records
from llm_tracker.tracing.session import Decoding, ModelInfo, Parent, Session

SCHEMA = 1

OPTIONAL = ("path", "revision", "weights_sha256")
"""Of a model: what an export or an older file may lack."""


def session_record(session: Session) -> Record:
    """The record of a session. Raises InputError where a step's lens has not been computed."""
    for turn in session.all_turns:
        require_lenses(turn)
    return partial_record(session)


def partial_record(session: Session) -> Record:
    """The record of a session, with the lenses that have been computed so far."""
    return {
        **head_record(session),
        "turns": [turn_record(turn, session.recipe) for turn in session.turns],
        "words": [word_records(turn) for turn in session.turns],
        "controls": [
            {"turn": at, **turn_record(turn, session.recipe), "words": word_records(turn)}
            for at, turn in session.controls.items()
        ],
    }


def head_record(session: Session) -> Record:
    """What the record says of a session besides its turns and controls."""
    return {
        "schema": SCHEMA,
        "model": model_record(session.model),
        "versions": session.versions,
        "recipe": session.recipe,
        "recipe_messages": [message_record(message) for message in session.recipe_messages],
        "decoding": session.decoding.as_dict(),
        "follow_template": session.template.follow,
        "template_arguments": dict(session.template.arguments),
        "date": session.template.date or None,
        "thinking": _thinking_record(session),
        "watch_words": list(session.watch_words),
        "parent": None if session.parent is None else asdict(session.parent),
    }


def model_record(model: ModelInfo) -> Record:
    """What the record says of the model."""
    return {**asdict(model), **{name: list(getattr(model, name)) for name in ("notices", "kernels")}}


def session_of(
    record: Record, arrays: list[Arrays], control_arrays: list[Arrays], experiments: Iterable[Record] = ()
) -> Session:
    """The session of a record and the arrays of its turns and controls; keys that it does not know are ignored.

    `experiments` are the records of what its corrections did. Raises KeyError or TypeError for another record.
    """
    lists = {name: tuple(record["model"].get(name, ())) for name in ("notices", "kernels")}
    return Session(
        model=ModelInfo(**_known({**dict.fromkeys(OPTIONAL), **record["model"], **lists}, ModelInfo)),
        recipe=record["recipe"],
        recipe_messages=tuple(as_message(message) for message in record["recipe_messages"]),
        decoding=_decoding_of(record),
        turns=tuple(
            turn_of({**turn, "words": words}, own)
            for turn, words, own in zip(record["turns"], record.get("words") or repeat(()), arrays, strict=False)
        ),
        watch_words=tuple(record.get("watch_words", [])),
        versions=record.get("versions", {}),
        template=TemplateUse(
            template_arguments_of(record),
            record.get("date") or "",
            record.get("follow_template", False),
            record.get("thinking", {}).get("on", False),
        ),
        parent=Parent(**_known(record["parent"], Parent)) if record.get("parent") else None,
        controls={
            each["turn"]: turn_of(each, own)
            for each, own in zip(record.get("controls", []), control_arrays, strict=True)
        },
        experiments={int(each.get("turn", 1)): each for each in experiments},
    )


def _thinking_record(session: Session) -> Record:
    """Whether it may think, how long, and the steps of each turn's thought: first, one past last."""
    steps = [[0, turn.thought.n_steps if turn.thought else 0] for turn in session.turns]
    return {"on": session.template.thinks, "limit": session.decoding.max_thought_tokens, "steps": steps}


def _decoding_of(record: Record) -> Decoding:
    known = _known(record["decoding"], Decoding)
    limit = record.get("thinking", {}).get("limit")
    return Decoding(**known, **({} if limit is None else {"max_thought_tokens": limit}))


def _known(record: Record, kind: type[ModelInfo] | type[Decoding] | type[Parent]) -> Record:
    """What a value of this kind knows of a record: files of later versions may say more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in record.items() if name in names}
