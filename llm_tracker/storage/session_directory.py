"""A session as a directory: session.json, and each turn's and control's arrays. Needs no model.

turn-<i>.safetensors holds the arrays of turn i, control-<i>.safetensors those of its neutral control, experiment.json
what a correction did (of further ones experiment-<i>.json).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from llm_tracker.errors import InputError, one_line
from llm_tracker.languages.texts import say
from llm_tracker.storage.experiment_files import experiment_file, experiment_records
from llm_tracker.storage.lens_records import LEADING_AXES, Arrays, leading_arrays
from llm_tracker.storage.records import SCHEMA, partial_record, session_of, session_record
from llm_tracker.tracing.session import Session
from llm_tracker.tracing.trace import Trace

AXES = {
    "attention": "step, layer, head, key: after the softmax; zero beyond the row's own length",
    "attention_mean": "step, layer, key: mean over heads, of all steps",
    "resid": "step, depth, d_model: before the final norm; depth 0 = embeddings, d = after layer d",
    **LEADING_AXES,
}


def save_session(session: Session, directory: str | Path, partial: bool = False) -> Path:
    """Write a session into a directory (made if need be) in place of an earlier one, and return it.

    session.json is written last and moved into place, so that it never names arrays that are not there. With `partial`
    it has the lenses that have been computed so far. Raises InputError where the place can't be written, or where the
    lens of a step has not been computed and it is not to be partial.
    """
    folder = Path(directory)
    record = partial_record(session) if partial else session_record(session)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index, turn in enumerate(session.turns):
            save_file(trace_arrays(turn.trace), folder / f"turn-{index}.safetensors", metadata=AXES)
        for index, control in session.controls.items():
            save_file(trace_arrays(control.trace), folder / f"control-{index}.safetensors", metadata=AXES)
        for index, experiment in session.experiments.items():
            _write_json(folder / experiment_file(session.experiments, index), experiment)
        _write_json(folder / "session.json", record)
        _forget_others(folder, session)
    except (OSError, SafetensorError) as error:
        raise InputError(
            say(
                "The session could not be written to {folder}: {error}. Choose another folder.",
                folder=folder,
                error=one_line(error),
            )
        ) from error
    return folder


def _write_json(file: Path, record: Mapping[str, Any]) -> None:
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(unfinished, file)


def _forget_others(folder: Path, session: Session) -> None:
    """Remove what belongs to an earlier session of this folder and the new one did not write over."""
    own = {f"turn-{index}" for index in range(len(session.turns))} | {f"control-{index}" for index in session.controls}
    for file in (*folder.glob("turn-*.safetensors"), *folder.glob("control-*.safetensors")):
        if file.stem not in own:
            file.unlink()
    experiments = {experiment_file(session.experiments, index) for index in session.experiments}
    for file in folder.glob("experiment*.json"):
        if file.name not in experiments:
            file.unlink()


UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What a record of another form than a session's raises where it is read."""


def load_session(directory: str | Path) -> Session:
    """Read a session back from its directory. Raises InputError where there is none, or one of another format."""
    folder = Path(directory)
    try:
        record = json.loads((folder / "session.json").read_text(encoding="utf-8"))
        if record.get("schema") != SCHEMA:
            raise InputError(
                say(
                    "{folder} holds a session of format {found}; this version reads {known}.",
                    folder=folder,
                    found=record.get("schema"),
                    known=SCHEMA,
                )
            )
        arrays = [load_file(folder / f"turn-{index}.safetensors") for index in range(len(record["turns"]))]
        controls = [load_file(folder / f"control-{each['turn']}.safetensors") for each in record.get("controls", [])]
        return session_of(record, arrays, controls, experiment_records(folder))
    except (OSError, SafetensorError, *UNREADABLE) as error:
        raise InputError(
            say(
                "{folder} holds no complete session ({kind}: {error}). Give a folder that save_session wrote.",
                folder=folder,
                kind=type(error).__name__,
                error=error,
            )
        ) from error


def trace_arrays(trace: Trace) -> Arrays:
    """The arrays of a trace that are kept beside its record."""
    arrays: Arrays = {"attention": trace.attention, "resid": trace.resid, **leading_arrays(trace)}
    if trace.attention_mean is not None:
        arrays["attention_mean"] = trace.attention_mean
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}
