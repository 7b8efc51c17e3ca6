"""What a visitor had chosen and was looking at."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "visits",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
