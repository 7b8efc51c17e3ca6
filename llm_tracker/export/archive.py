"""Sessions as one zip file that says nothing of the machine on which it was made."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from llm_tracker.errors import InputError
from llm_tracker.export.machine_paths import named_without_path, places_of, without_places
from llm_tracker.languages.texts import say
from llm_tracker.storage.records import model_record
from llm_tracker.storage.session_directory import save_session
from llm_tracker.tracing.session import Session

MEMBER_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file knows: with the time of day in it, no two archives would be the same."""


def session_zip(session: Session, partial: bool = False) -> bytes:
    """A zip of the session's directory, without the paths of this machine; unpacked, `load_session` opens it.

    The same session gives the same bytes. With `partial` it has the lenses that have been computed so far. Raises
    InputError where the lens of a step has not been, and it is not to be partial.
    """
    return packed_zip([Packed("", session, {}, partial)])


@dataclass(frozen=True)
class Packed:
    """A session in a zip file."""

    folder: str
    """"" is the root."""
    session: Session
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Further files, by name."""
    partial: bool = True
    """Whether it may lack lenses that have not been computed."""


def packed_zip(several: Iterable[Packed]) -> bytes:
    """Several sessions in one zip; see `session_zip`."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for each in several:
            for file, bytes_of_file in {**_files(each.session, each.partial), **each.beside}.items():
                archive.writestr(_member(f"{each.folder}/{file}".removeprefix("/")), bytes_of_file)
    return content.getvalue()


def _files(session: Session, partial: bool) -> dict[str, bytes]:
    try:
        with TemporaryDirectory() as place:
            folder = save_session(without_paths(session), place, partial)
            return {file.name: _canonical(file) for file in sorted(folder.iterdir())}
    except OSError as error:
        raise InputError(
            say(
                "The zip file could not be made: {reason}. Make room where temporary files are kept.",
                reason=error.strerror,
            )
        ) from error


def without_paths(session: Session) -> Session:
    """The session without what names a place on this machine: its model's path, and paths in what is said of it.

    A model's id that is a path is cut to its last part. What was said in the conversation stays as it is.
    """
    model, places = session.model, places_of(session.model)
    bare = replace(
        model,
        id=named_without_path(model),
        title=without_places(model.title, places),
        path=None,
        revision=model.revision and without_places(model.revision, places),
        notices=tuple(without_places(notice, places) for notice in model.notices),
    )
    versions = {name: without_places(version, places) for name, version in session.versions.items()}
    experiments = {
        at: {**record, "model": model_record(bare), "versions": versions} for at, record in session.experiments.items()
    }
    return replace(session, model=bare, versions=versions, experiments=experiments)


def _member(name: str) -> ZipInfo:
    """An entry of the archive that is the same on every system."""
    member = ZipInfo(name, MEMBER_DATE)
    member.create_system, member.external_attr, member.compress_type = 3, 0o644 << 16, ZIP_DEFLATED
    return member


def _canonical(file: Path) -> bytes:
    """A file of a session's directory, the same each time that it is written."""
    content = file.read_bytes()
    return _sorted_header(content) if file.suffix == ".safetensors" else _without_path_key(content)


def _without_path_key(content: bytes) -> bytes:
    """session.json with no word of a path: readers take a key that is missing for one that is not known."""
    record = json.loads(content)
    record["model"].pop("path", None)
    return json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8")


def _sorted_header(content: bytes) -> bytes:
    """A safetensors file with its header in order: the library writes the metadata in another order each time.

    The format is eight bytes with the header's length, the header as JSON, and the tensors.
    """
    (length,) = struct.unpack_from("<Q", content)
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode("utf-8")
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]
