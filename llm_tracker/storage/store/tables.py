"""The tables of the store, as the newest migration leaves them. Times are seconds since 1970, UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("deleted_at", Float),
    Column("model_id", String, nullable=False),
    Column("model_title", String, nullable=False),
    Column("said", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("outcome", String, nullable=False),
    Column("n_turns", Integer, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("parent_id", Integer),
    Column("name", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("starred", Boolean, nullable=False),
    Column("unanswered", Text),
    Column("searched", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""One row a session: what a list shows. `said`, `answers`, `tags` and `unanswered` are JSON; `searched` is all text
that a search looks through."""

parts = Table(
    "parts",
    metadata,
    Column("session_id", Integer, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("answer", String, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("sha256", String, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("arrays", LargeBinary),
    Column("file", String),
)
"""What a session is made of: `head`, `turn-<i>`, `control-<i>`, `experiment-<i>`.

`record` is compressed JSON. The arrays are one safetensors value in `arrays`, or in the file of that name; `sha256` and
`n_bytes` are of that value. `answer` tells one answer from another, whatever has been read of it.
"""

visits = Table(
    "visits",
    metadata,
    Column("key", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("state", Text, nullable=False),
    Index("visits_by_owner", "owner", "changed_at"),
)
"""What a visitor had chosen and was looking at, by a digest of the key in the address."""

shares = Table(
    "shares",
    metadata,
    Column("token", String, primary_key=True),
    Column("session_id", Integer, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Float, nullable=False),
)
"""Who knows a token may read its session."""
