"""The first tables: flavors, servers, claims, services."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sundog.edges.storage.columns import COUNTER, LONG_TEXT, NAME, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_flavors()
    _make_servers()
    op.create_table(
        "claims",
        sa.Column("consumer", sa.Uuid(), nullable=False),
        sa.Column("host", NAME, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("assignment", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("consumer", name="pk_claims"),
    )
    op.create_index("ix_claims_host", "claims", ["host"])
    op.create_table(
        "services",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", NAME, nullable=False),
        sa.Column("binary", NAME, nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", LONG_TEXT),
        sa.Column("forced_down", sa.Boolean(), nullable=False),
        sa.Column("last_seen", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_services"),
    )
    op.create_index(
        "ix_services_host_binary", "services", ["host", "binary"], unique=True
    )


def _make_flavors() -> None:
    op.create_table(
        "flavors",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("vcpus", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("disk_gb", sa.Integer(), nullable=False),
        sa.Column("ephemeral_gb", sa.Integer(), nullable=False),
        sa.Column("swap_mb", sa.Integer(), nullable=False),
        sa.Column("rxtx_factor", sa.Double(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("description", LONG_TEXT),
        sa.Column("extra_specs", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flavors"),
        sa.UniqueConstraint("name", name="uq_flavors_name"),
    )


def _make_servers() -> None:
    op.create_table(
        "servers",
        sa.Column("number", COUNTER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", NAME, nullable=False),
        sa.Column("host", NAME),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.Column("document", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_servers"),
        sa.UniqueConstraint("id", name="uq_servers_id"),
    )
    for columns in (
        ["deleted", "created"],
        ["project_id", "deleted", "created"],
        ["host", "deleted", "created"],
        ["updated"],
    ):
        op.create_index(f"ix_servers_{'_'.join(columns)}", "servers", columns)
