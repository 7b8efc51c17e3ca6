"""What a list shows of a stored session, without opening it."""

from __future__ import annotations

import json
import os
import socket
import time
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import psutil
from sqlalchemy import RowMapping

from llm_tracker.analysis.compare import same_answer
from llm_tracker.tracing.session import Session

Outcome = Literal["none", "one", "same", "changed", "unclear"]
"""Of a session's first and last answer: none came yet, there is one alone, they say the same, they don't, or one of
them was cut before that shows."""

ELSEWHERE_SECONDS = 120.0
"""How long a question that is answered on another machine counts as being answered."""


@dataclass(frozen=True)
class Unanswered:
    """A question or correction whose answer has not been kept: it is being answered, or was cut off."""

    form: Literal["ask", "correct"]
    said: str
    model_id: str
    recipe: str
    of_session: int | None = None
    """Of a correction: the stored session whose answer it corrects."""
    of_turn: int | None = None
    asked_at: float = 0.0
    """Seconds since 1970."""
    process: str = ""
    """Who is answering it."""

    @property
    def is_cut_off(self) -> bool:
        """Whether nobody answers it any more: its process has ended, or nothing was heard of another machine's."""
        host, _, process = self.process.rpartition("/")
        if host == _host():
            return not _is_alive(process)
        return not 0 <= time.time() - self.asked_at < ELSEWHERE_SECONDS


@cache
def this_process() -> str:
    """A name of this process that no other has: machine, number and when it began."""
    return f"{_host()}/{os.getpid()}:{psutil.Process().create_time()}"


@cache
def _host() -> str:
    return socket.gethostname()


def _is_alive(process: str) -> bool:
    number, _, began = process.partition(":")
    try:
        return str(psutil.Process(int(number)).create_time()) == began
    except (psutil.Error, ValueError, OverflowError):
        return False


@dataclass(frozen=True)
class StoredSession:
    """One session of a store, as a list shows it. Times are seconds since 1970."""

    id: int
    created_at: float
    changed_at: float
    model_id: str
    model_title: str
    said: tuple[str, ...]
    """The question and the corrections."""
    answers: tuple[str, ...]
    outcome: Outcome
    n_turns: int
    n_bytes: int
    parent_id: int | None
    """Of a branch: the session whose answer it goes on from."""
    name: str
    tags: tuple[str, ...]
    note: str
    starred: bool
    unanswered: Unanswered | None

    @property
    def title(self) -> str:
        """Its name, or the question."""
        return self.name or (self.said[0] if self.said else "")


def summary_of(row: RowMapping) -> StoredSession:
    """The summary of a row of `sessions`."""
    read = {name: row[name] for name in StoredSession.__dataclass_fields__}
    unanswered = row["unanswered"] and Unanswered(**json.loads(row["unanswered"]))
    lists = {name: tuple(json.loads(row[name])) for name in ("said", "answers", "tags")}
    return StoredSession(**{**read, **lists, "unanswered": unanswered or None, "starred": bool(row["starred"])})


def said_row(session: Session) -> dict[str, Any]:
    """What a row says of a session's turns and model."""
    return {
        "model_id": plain(session.model.id),
        "model_title": plain(session.model.title),
        "said": json.dumps([turn.said for turn in session.turns]),
        "answers": json.dumps([turn.answer for turn in session.turns]),
        "outcome": outcome_of(session),
        "n_turns": len(session.turns),
    }


def outcome_of(session: Session) -> Outcome:
    """What became of a session's first answer."""
    if len(session.turns) < 2:
        return "one" if session.turns else "none"
    same = same_answer(session.turns[0], session.turns[-1])
    return "unclear" if same is None else "same" if same else "changed"


def unanswered_row(unanswered: Unanswered) -> str:
    """What a row keeps of a question that has no answer yet."""
    return json.dumps(asdict(unanswered))


def searched_text(row: Mapping[str, Any]) -> str:
    """All that a search looks through, beginning with what a session is called; so that it can be sorted by it, too."""
    lists = [" ".join(json.loads(row[name])) for name in ("said", "answers", "tags")]
    return folded(" ".join(filter(None, [row["name"], *lists, row["note"], row["model_title"], row["model_id"]])))


def folded(text: str) -> str:
    """A text without differences of case, as it is searched."""
    return unicodedata.normalize("NFC", plain(text).casefold())


def plain(text: str) -> str:
    """A text that every database can hold: no NUL, and no half of a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def tag_row(tags: Iterable[str]) -> str:
    """Tags as a row keeps them: each once, in order, without outer blanks."""
    return json.dumps(sorted({plain(tag).strip() for tag in tags} - {""}, key=str.casefold))
