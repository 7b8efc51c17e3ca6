"""A session as one zip file that says nothing of the machine on which it was made."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from llm_tracker.export.machine_paths import named_without_path, places_of, without_places
from llm_tracker.storage.session_directory import save_session
from llm_tracker.tracing.session import Session

MEMBER_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file knows: with the time of day in it, no two archives would be the same."""


def session_zip(session: Session) -> bytes:
    """A zip of the session's directory, without the paths of this machine; unpacked, `load_session` opens it.

    The same session gives the same bytes. Raises InputError where the lens of a step has not been computed.
    """
    with TemporaryDirectory() as place:
        folder = save_session(without_paths(session), place)
        files = {file.name: _canonical(file) for file in sorted(folder.iterdir())}
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(_member(name), content)
    return packed.getvalue()


def without_paths(session: Session) -> Session:
    """The session without what names a place on this machine: its model's path, and paths in what is said of it.

    A model's id that is a path is cut to its last part. What was said in the conversation stays as it is.
    """
    model, places = session.model, places_of(session.model)
    return replace(
        session,
        model=replace(
            model,
            id=named_without_path(model),
            title=without_places(model.title, places),
            path=None,
            revision=model.revision and without_places(model.revision, places),
            notices=tuple(without_places(notice, places) for notice in model.notices),
        ),
        versions={name: without_places(version, places) for name, version in session.versions.items()},
    )


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
