"""Sessions out of a zip file that somebody handed over: nothing in it is trusted, and nothing is written to a disk."""

from __future__ import annotations

import json
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from safetensors import SafetensorError
from safetensors.numpy import load

from llm_tracker.errors import InputError
from llm_tracker.experiments.values.records import experiment_of, experiment_record
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.storage.checking import require_form, require_sound
from llm_tracker.storage.lens_records import Arrays, Record
from llm_tracker.storage.records import session_of
from llm_tracker.storage.session_directory import UNREADABLE
from llm_tracker.tracing.session import Session


@dataclass(frozen=True)
class Limits:
    """How much is taken in."""

    members: int = 20_000
    """Files in the archive."""
    member_bytes: int = 1 << 30
    """One file, unpacked."""
    json_bytes: int = 256 << 20
    """One JSON file."""
    json_values: int = 4_000_000
    """Lists and objects in it: each takes some sixty bytes of memory, of which the smallest is written in two."""
    bytes: int = 4 << 30
    """All files together, unpacked."""
    ratio: int = 400
    """How many times larger than packed a file may be (a zip bomb is; JSON and zeros of attention are not)."""

    def within(self, total: int, json_bytes: int) -> Limits:
        """No more than these, of all files together and of one JSON file."""
        json_bytes = min(self.json_bytes, json_bytes)
        values = self.json_values * json_bytes // self.json_bytes
        return replace(self, bytes=min(self.bytes, total), json_bytes=json_bytes, json_values=values)


LIMITS = Limits()

RATIO_FROM_BYTES = 1 << 20
"""Smaller files may be packed as tightly as they like."""

ABOUT = "about.json"
"""Beside a stored session: what its user said of it."""

_EXPERIMENT = r"experiment(?:-\d{1,6})?\.json"
_FILES = rf"session\.json|{re.escape(ABOUT)}|{_EXPERIMENT}|(?:turn|control)-\d{{1,6}}\.safetensors"
_MEMBER = re.compile(rf"(?:(?P<folder>[^/]{{1,200}})/)?(?P<file>{_FILES})")
"""What a session's directory holds, at the root of the archive or in a folder of its own."""


@dataclass(frozen=True)
class Unpacked:
    """A session of an archive, or why there is none."""

    name: str
    """Its folder, or the member that was refused; "" at the root."""
    session: Session | None = None
    why_not: str = ""
    about: Record = field(default_factory=dict)
    """What its user said of it: `name`, `tags`, `note`, `starred`, `created_at`, and the folder of its `parent`."""


def unpack(source: str | Path | IO[bytes], limits: Limits = LIMITS) -> Iterator[Unpacked]:
    """The sessions of a zip file, one after another; what is refused is named, and the rest is read.

    Raises InputError where it is no zip file, or holds too much.
    """
    try:
        with ZipFile(source) as archive:
            yield from _sessions(archive, limits)
    except (BadZipFile, LargeZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(say("This is no zip file that can be read. Give one that Export or Archive made.")) from error


def _sessions(archive: ZipFile, limits: Limits) -> Iterator[Unpacked]:
    members = archive.infolist()
    if len(members) > limits.members:
        raise InputError(
            say(
                "The archive has {n} files; at most {most} are read.",
                n=number(len(members), ","),
                most=number(limits.members, ","),
            )
        )
    folders: dict[str, dict[str, ZipInfo]] = {}
    total = 0
    for member in members:
        why_not = _why_not(member, limits)
        found = _MEMBER.fullmatch(member.filename)
        total += member.file_size
        if why_not or found is None:
            if why_not or not member.is_dir():
                yield Unpacked(member.filename[:200], why_not=why_not or say("it is no part of a session"))
        elif total > limits.bytes:
            raise InputError(
                say(
                    "The archive holds more than {n} MB. Import fewer sessions at a time.",
                    n=number(limits.bytes >> 20, ","),
                )
            )
        else:
            folders.setdefault(found["folder"] or "", {})[found["file"]] = member
    for folder, files in folders.items():
        yield _session(archive, folder, files, limits)


def _why_not(member: ZipInfo, limits: Limits) -> str:
    """Why a member is refused whatever it holds; empty where it is not."""
    name = member.filename
    if name.startswith(("/", "\\")) or "\\" in name or ":" in name or ".." in name.split("/"):
        return say("its path leads out of the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        return say("it is a link")
    if member.flag_bits & 0x1:
        return say("it is encrypted")
    most = limits.json_bytes if name.endswith(".json") else limits.member_bytes
    if member.file_size > most:
        return say("it is larger than {n} MB", n=number(most >> 20, ","))
    is_large = member.file_size > RATIO_FROM_BYTES
    if is_large and member.file_size > limits.ratio * max(1, member.compress_size):
        return say("it is packed as a zip bomb is")
    return ""


def _session(archive: ZipFile, folder: str, files: dict[str, ZipInfo], limits: Limits) -> Unpacked:
    try:
        if "session.json" not in files:
            return Unpacked(folder, why_not=say("it has no session.json"))
        record = require_form(_json(_content(archive, files["session.json"]), limits))
        turns = [_arrays(archive, files, f"turn-{at}") for at in range(len(record["turns"]))]
        named = [f"control-{each['turn']}" for each in record.get("controls", [])]
        controls = [_arrays(archive, files, name) for name in named]
        experiments = list(_experiments(archive, files, limits))
        session = session_of({**record, "model": {**record["model"], "path": None}}, turns, controls, experiments)
        require_sound(session)
        return Unpacked(folder, session, about=_about(archive, files, limits))
    except InputError as error:
        return Unpacked(folder, why_not=str(error))
    except (BadZipFile, NotImplementedError, zlib.error, EOFError, RuntimeError, OSError):
        return Unpacked(folder, why_not=say("it is damaged"))
    except (SafetensorError, *UNREADABLE) as error:
        return Unpacked(folder, why_not=say("its contents cannot be read ({kind})", kind=type(error).__name__))
    except MemoryError:
        return Unpacked(folder, why_not=say("it takes more memory than there is"))


def _experiments(archive: ZipFile, files: dict[str, ZipInfo], limits: Limits) -> Iterator[Record]:
    """The records of what the corrections did, once each can be read as one."""
    for name, member in files.items():
        if re.fullmatch(_EXPERIMENT, name):
            record = _json(_content(archive, member), limits)
            if not isinstance(record, dict):
                raise InputError(say("{name} is no record of an experiment", name=name))
            yield experiment_record(experiment_of(record))


_KINDS = {"name": str, "note": str, "parent": str, "starred": bool, "created_at": float, "tags": list}


def _about(archive: ZipFile, files: dict[str, ZipInfo], limits: Limits) -> Record:
    """What a user said of a session, as far as it is of the kind that it should be."""
    if ABOUT not in files:
        return {}
    said = _json(_content(archive, files[ABOUT]), limits)
    found = said if isinstance(said, dict) else {}
    about = {name: found[name] for name, kind in _KINDS.items() if isinstance(found.get(name), kind)}
    tags = about.get("tags", [])
    return {**about, "tags": [tag for tag in tags if isinstance(tag, str)]}


def _content(archive: ZipFile, member: ZipInfo) -> bytes:
    """A member's bytes, no more than its header says: that was checked, and the rest would be a bomb's."""
    with archive.open(member) as file:
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise BadZipFile("another size than the header says")
    return content


def _json(content: bytes, limits: Limits) -> object:
    """A JSON value. Raises ValueError for another one, and for one that nests too deeply or has half a character."""
    if content.count(b"[") + content.count(b"{") > limits.json_values:
        raise InputError(say("it has more than {n} lists and objects", n=number(limits.json_values, ",")))
    try:
        value = json.loads(content.decode(), parse_constant=_number)
        if re.search(rb"\\u[dD][89a-fA-F]", content):  # half a surrogate pair, perhaps: no table and no file holds one
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _number(name: str) -> float:
    if name == "NaN":
        raise ValueError("a number that is none")
    return float(name)


def _arrays(archive: ZipFile, files: dict[str, ZipInfo], name: str) -> Arrays:
    """The tensors of a turn. Raises InputError where its file is missing."""
    member = files.get(f"{name}.safetensors")
    if member is None:
        raise InputError(say("{name}.safetensors is missing", name=name))
    arrays: dict[str, Any] = load(_content(archive, member))
    return arrays
