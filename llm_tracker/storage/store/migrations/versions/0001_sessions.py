"""Sessions, and the parts that they are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables, and on SQLite the index that a search uses."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("deleted_at", sa.Float),
        sa.Column("model_id", sa.String, nullable=False),
        sa.Column("model_title", sa.String, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("n_turns", sa.Integer, nullable=False),
        sa.Column("n_bytes", sa.BigInteger, nullable=False),
        sa.Column("parent_id", sa.Integer),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("starred", sa.Boolean, nullable=False),
        sa.Column("unanswered", sa.Text),
        sa.Column("searched", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("sessions_of_owner", "sessions", ["owner", "id"])
    op.create_table(
        "parts",
        sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("n_bytes", sa.BigInteger, nullable=False),
        sa.Column("arrays", sa.LargeBinary),
        sa.Column("file", sa.String),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SEARCH:
            op.execute(statement)


# The index holds no text of its own: triggers keep it in step with `sessions.searched`, whoever writes that.
_SEARCH = (
    "CREATE VIRTUAL TABLE session_search USING fts5"
    "(searched, content='sessions', content_rowid='id', tokenize='trigram')",
    "CREATE TRIGGER session_search_insert AFTER INSERT ON sessions BEGIN "
    "INSERT INTO session_search(rowid, searched) VALUES (new.id, new.searched); END",
    "CREATE TRIGGER session_search_delete AFTER DELETE ON sessions BEGIN "
    "INSERT INTO session_search(session_search, rowid, searched) VALUES ('delete', old.id, old.searched); END",
    "CREATE TRIGGER session_search_update AFTER UPDATE OF searched ON sessions BEGIN "
    "INSERT INTO session_search(session_search, rowid, searched) VALUES ('delete', old.id, old.searched); "
    "INSERT INTO session_search(rowid, searched) VALUES (new.id, new.searched); END",
)
