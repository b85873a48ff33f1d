"""Things on shelves that are over, so that what is under way is found without them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sundog.edges.storage.columns import LONG_TEXT

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the column; an action is over when none of its events is unfinished."""
    op.add_column(
        "shelves",
        sa.Column("is_over", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    shelves = sa.table(
        "shelves",
        sa.column("kind", sa.String(32)),
        sa.column("document", LONG_TEXT),
        sa.column("is_over", sa.Boolean()),
    )
    op.execute(
        shelves.update()
        .where(shelves.c.kind == "action")
        .where(shelves.c.document.not_like('%"finished":null%'))
        .values(is_over=sa.true())
    )
    op.create_index("ix_shelves_kind_is_over", "shelves", ["kind", "is_over"])
