"""A session <-> the parts that it is kept in: its head, its turns, its controls, its experiments."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from llm_tracker.errors import DamagedError
from llm_tracker.languages.texts import say
from llm_tracker.storage.lens_records import Arrays, Record
from llm_tracker.storage.records import head_record, session_of
from llm_tracker.storage.session_directory import AXES, UNREADABLE, trace_arrays
from llm_tracker.storage.turn_records import turn_record
from llm_tracker.storage.word_records import word_records
from llm_tracker.tracing.session import Session, Turn

HEAD = "head"

MAX_ROW_BYTES = 4 * 2**20
"""Arrays of more bytes than this are kept in a file of their own, where the store has a folder for them."""


@dataclass(frozen=True)
class Part:
    """One row of `parts`, as it is kept."""

    name: str
    answer: str
    record: bytes
    arrays: bytes | None
    """One safetensors value; None where it is in a file."""
    sha256: str
    n_bytes: int
    file: str | None = None


def named_turns(session: Session) -> dict[str, Turn]:
    """The turns and controls of a session by the names of their parts."""
    turns = {f"turn-{index}": turn for index, turn in enumerate(session.turns)}
    return turns | {f"control-{index}": turn for index, turn in session.controls.items()}


def head_part(session: Session) -> Part:
    """What is kept of a session besides its turns."""
    return Part(HEAD, "", _packed(head_record(session)), b"", "", 0)


def turn_part(name: str, turn: Turn, recipe: str) -> Part:
    """A turn as it is kept, with the lenses and scores computed so far."""
    arrays = save(trace_arrays(turn.trace), AXES)
    record = {**turn_record(turn, recipe, with_attention=False), "words": word_records(turn)}
    return Part(name, answer_of(turn), _packed(record), arrays, hashlib.sha256(arrays).hexdigest(), len(arrays))


def experiment_part(index: int, record: Mapping[str, Any]) -> Part:
    """What the correction of a turn did, as it is kept."""
    return Part(f"experiment-{index}", "", _packed(dict(record)), b"", "", 0)


def answer_of(turn: Turn) -> str:
    """What tells one answer from another: what was said, what was read and what was written."""
    ids = [turn.said, turn.prompt.token_ids, turn.trace.token_ids.tolist()]
    return hashlib.sha256(json.dumps(ids).encode("ascii")).hexdigest()


def session_of_parts(parts: Mapping[str, Part], folder: Path | None) -> Session:
    """The session of its parts. Raises DamagedError where one is missing, or is not what was written."""
    try:
        head = _unpacked(parts[HEAD].record)
        turns = list(_of_kind(parts, "turn"))
        controls = list(_of_kind(parts, "control"))
        records = {name: _unpacked(parts[name].record) for _, name in (*turns, *controls)}
        arrays = {name: _arrays(parts[name], folder) for name in records}
        record = {
            **head,
            "turns": [records[name] for _, name in turns],
            "words": [records[name]["words"] for _, name in turns],
            "controls": [{"turn": index, **records[name]} for index, name in controls],
        }
        experiments = [_unpacked(parts[name].record) for _, name in _of_kind(parts, "experiment")]
        own, of_controls = ([arrays[name] for _, name in several] for several in (turns, controls))
        return session_of(record, own, of_controls, experiments)
    except (OSError, SafetensorError, zlib.error, *UNREADABLE) as error:
        raise DamagedError(
            say(
                "This conversation cannot be read from the store: a part of it is damaged ({kind}). All others can.",
                kind=type(error).__name__,
            )
        ) from error


def _of_kind(parts: Mapping[str, Part], kind: str) -> Iterator[tuple[int, str]]:
    """The numbers and names of the turns, or of the controls, in order."""
    numbers = sorted(int(name.removeprefix(f"{kind}-")) for name in parts if name.startswith(f"{kind}-"))
    return ((number, f"{kind}-{number}") for number in numbers)


def _arrays(part: Part, folder: Path | None) -> Arrays:
    """The arrays of a turn, once they are what was written. Raises ValueError where they are not, OSError."""
    content = part.arrays
    if part.file is not None:
        if folder is None or not part.file.isalnum():
            raise ValueError("arrays in a file of no folder")
        content = (folder / part.file).read_bytes()
    if content is None or hashlib.sha256(content).hexdigest() != part.sha256:
        raise ValueError("another checksum")
    arrays: dict[str, np.ndarray] = load(content)
    return arrays


def keep_file(folder: Path, content: bytes) -> str:
    """Write arrays into a file of their own, whole and on the disk before its name is given back."""
    folder.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(16)
    partial = folder / f"{name}.part"
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(folder / name)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    return name


def _sync_folder(folder: Path) -> None:
    """See to it that the names in a folder outlive a power cut, where the system lets a folder be opened for that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _packed(record: Record) -> bytes:
    # Escaped throughout: half a surrogate, which a model may write, is no UTF-8.
    return zlib.compress(json.dumps(record, separators=(",", ":")).encode("ascii"), 1)


def _unpacked(content: bytes) -> Record:
    record: Record = json.loads(zlib.decompress(content))
    return record
