"""Shelves: small things by kind, owner and key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sundog.edges.storage.columns import LONG_TEXT, NAME

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shelves",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("document", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "owner", "key", name="pk_shelves"),
    )
