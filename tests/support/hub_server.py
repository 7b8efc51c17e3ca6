"""A hub of models on 127.0.0.1: serves a folder of repositories in the hub's protocol, and misbehaves on demand."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

REVISIONS = ("main", "v1")
"""The names that every repository has for its one commit."""

_API = re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)(/revision/(?P<revision>[^/]+))?")
_FILE = re.compile(r"/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_CHUNK = 4096


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error: its status, the code by which the hub says which one, and when to come again."""

    status: int
    code: str | None = None
    retry_after: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        named = {"X-Error-Code": self.code, "Retry-After": self.retry_after}
        return {name: value for name, value in named.items() if value is not None}


GATED = Refusal(401, "GatedRepo")
NO_REPOSITORY = Refusal(404, "RepoNotFound")
NO_REVISION = Refusal(404, "RevisionNotFound")
NO_FILE = Refusal(404, "EntryNotFound")
BROKEN = Refusal(500)
UNKNOWN_CALLER = Refusal(401)
TOO_OFTEN = Refusal(429, retry_after="40")


class HubServer:
    """Serves `root/owner/name/file` while the context is open. Its attributes are switches, turned at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.silent = False
        """Take requests and never answer them."""
        self.refuse_api: Refusal | None = None
        self.refuse_files: Refusal | None = None
        self.slow = False
        """Send large files in small pieces with a pause after each."""
        self.pause_seconds = 0.005
        self.corruptions = 0
        """How many more times `corruptible` is sent with one byte wrong."""
        self.corruptible = "model.safetensors"
        self.drops = 0
        """How many more large files break off half way."""
        self.breakdowns = 0
        """How many more requests are answered with an error of the hub's own."""
        self.stalls = 0
        """How many more large files come to a halt half way."""
        self.knows_ranges = True
        self.token: str | None = None
        """The access token without which nothing is handed out."""
        self.requests: list[str] = []
        """Method and path of every request so far."""
        self.ranges: list[str] = []
        """From where on files were asked for, where it was not their beginning."""
        self.sent_bytes = 0
        """Of large files."""
        self._closed = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=partial(self._http.serve_forever, poll_interval=0.01), daemon=True).start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._closed.set()
        self._http.shutdown()
        self._http.server_close()

    def wait_until_closed(self) -> None:
        self._closed.wait()

    def commit(self, repository: str) -> str:
        """The commit of a repository: another one as soon as a file of it changes."""
        contents = [path.name.encode() + path.read_bytes() for path in self.files(repository)]
        return hashlib.sha1(b"".join(contents)).hexdigest()

    def files(self, repository: str) -> list[Path]:
        return sorted((self.root / repository).iterdir())

    def size_bytes(self, repository: str) -> int:
        return sum(path.stat().st_size for path in self.files(repository))


class _Handler(BaseHTTPRequestHandler):
    """One connection; a fresh one for every request, so that none outlives the server."""

    def __init__(self, hub: HubServer, *args: Any) -> None:
        self.hub = hub
        super().__init__(*args)

    def log_message(self, *_args: Any) -> None:
        """Say nothing on standard error."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append(f"{self.command} {path}")
        if self.hub.silent:
            self.hub.wait_until_closed()
        elif self.hub.breakdowns:
            self.hub.breakdowns -= 1
            self._refuse(BROKEN)
        elif self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._refuse(GATED)
        elif asked := _API.fullmatch(path):
            self._answer_api(asked["repository"], asked["revision"] or "main")
        elif asked := _FILE.fullmatch(path):
            self._answer_file(asked["repository"], asked["revision"], unquote(asked["file"]))
        else:
            self._refuse(NO_REPOSITORY)

    def _answer_api(self, repository: str, revision: str) -> None:
        refusal = self.hub.refuse_api or self._missing(repository, revision)
        if refusal:
            return self._refuse(refusal)
        record = {
            "id": repository,
            "sha": self.hub.commit(repository),
            "siblings": [_sibling(path) for path in self.hub.files(repository)],
        }
        return self._send(200, json.dumps(record).encode(), {"Content-Type": "application/json"})

    def _answer_file(self, repository: str, revision: str, name: str) -> None:
        refusal = self.hub.refuse_files or self._missing(repository, revision)
        path = self.hub.root / repository / name
        if not refusal and not path.is_file():
            refusal = NO_FILE
        if refusal:
            return self._refuse(refusal)
        headers = {"X-Repo-Commit": self.hub.commit(repository), **_file_headers(path)}
        return self._send_content(self._content(path), headers, _is_large(path))

    def _missing(self, repository: str, revision: str) -> Refusal | None:
        if not (self.hub.root / repository).is_dir():
            return NO_REPOSITORY
        return None if revision in (*REVISIONS, self.hub.commit(repository)) else NO_REVISION

    def _content(self, path: Path) -> bytes:
        content = bytearray(path.read_bytes())
        if self.hub.corruptions and path.name == self.hub.corruptible:
            self.hub.corruptions -= 1
            content[-100] ^= 0xFF
        return bytes(content)

    def _send_content(self, content: bytes, headers: dict[str, str], large: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked:
            self.hub.ranges.append(asked[1])
        if not asked or not self.hub.knows_ranges:
            return self._send(200, content, headers, large)
        start = int(asked[1])
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self._send(206, content[start:], headers, large)

    def _refuse(self, refusal: Refusal) -> None:
        self._send(refusal.status, b"{}", refusal.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str], large: bool = False) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self._send_body(body, large)

    def _send_body(self, body: bytes, large: bool) -> None:
        stalls = large and self.hub.stalls > 0
        if large and self.hub.drops:
            self.hub.drops -= 1
            body = body[: len(body) // 2]
        if stalls:
            self.hub.stalls -= 1
            body = body[: len(body) // 2]
        try:
            for start in range(0, len(body), _CHUNK):
                piece = body[start : start + _CHUNK]
                self.wfile.write(piece)
                self.hub.sent_bytes += len(piece) if large else 0
                time.sleep(self.hub.pause_seconds if large and self.hub.slow else 0)
            if stalls:
                self.hub.wait_until_closed()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client stopped its download, as a test wants


def _is_large(path: Path) -> bool:
    """Whether the hub keeps a file in its store of large files, under its SHA-256."""
    return path.suffix in (".safetensors", ".bin")


def _sibling(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    sibling: dict[str, Any] = {"rfilename": path.name, "size": size, "blobId": _git_blob(path)}
    if _is_large(path):
        sibling["lfs"] = {"sha256": _sha256(path), "size": size, "pointerSize": 135}
    return sibling


def _file_headers(path: Path) -> dict[str, str]:
    """As the hub's: with the offer of its Xet store for large files, which this server does not have."""
    if not _is_large(path):
        return {"ETag": f'"{_git_blob(path)}"'}
    return {
        "ETag": f'"{_sha256(path)}"',
        "X-Linked-ETag": f'"{_sha256(path)}"',
        "X-Linked-Size": str(path.stat().st_size),
        "X-Xet-Hash": _sha256(path),
        "X-Xet-Refresh-Route": "/no-xet-here",
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git_blob(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
