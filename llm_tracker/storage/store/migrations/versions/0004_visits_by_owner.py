"""Whether somebody was here before is looked up by the owner."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the index."""
    op.create_index("visits_by_owner", "visits", ["owner", "changed_at"])
