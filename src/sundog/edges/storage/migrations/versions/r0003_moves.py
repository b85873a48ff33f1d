"""Moves: their records, and whose guest has what a claim holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sundog.edges.storage.columns import COUNTER, LONG_TEXT, NAME

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, and the claims' column."""
    op.add_column("claims", sa.Column("guest", sa.Uuid()))
    op.create_table(
        "migrations",
        sa.Column("number", COUNTER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("server_id", sa.Uuid(), nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("document", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_migrations"),
        sa.UniqueConstraint("id", name="uq_migrations_id"),
    )
    op.create_index("ix_migrations_server_id", "migrations", ["server_id"])
    op.create_index("ix_migrations_source_is_over", "migrations", ["source", "is_over"])
