"""The tables, as the newest migration leaves them.

A record that queries look into has columns; what they only carry (a server, an
assignment) is a JSON document beside the few columns that find it. A change here
needs a migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    false,
)

from sundog.edges.storage.columns import COUNTER, LONG_TEXT, NAME, UtcDateTime

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

flavors: Final = Table(
    "flavors",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("vcpus", Integer, nullable=False),
    Column("memory_mb", Integer, nullable=False),
    Column("disk_gb", Integer, nullable=False),
    Column("ephemeral_gb", Integer, nullable=False),
    Column("swap_mb", Integer, nullable=False),
    Column("rxtx_factor", Double, nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("description", LONG_TEXT),
    Column("extra_specs", LONG_TEXT, nullable=False),
)

# ``number`` counts servers as they are added: it orders those of one moment.
servers: Final = Table(
    "servers",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("project_id", NAME, nullable=False),
    Column("host", NAME),
    Column("deleted", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("updated", UtcDateTime, nullable=False),
    Column("document", LONG_TEXT, nullable=False),
)
Index(None, servers.c.deleted, servers.c.created)
Index(None, servers.c.project_id, servers.c.deleted, servers.c.created)
Index(None, servers.c.host, servers.c.deleted, servers.c.created)
Index(None, servers.c.updated)

claims: Final = Table(
    "claims",
    metadata,
    Column("consumer", Uuid, primary_key=True),
    Column("host", NAME, nullable=False, index=True),
    Column("state", String(32), nullable=False),
    Column("assignment", LONG_TEXT, nullable=False),
    Column("guest", Uuid),
)

# ``number`` is what the API counts migrations by.
migrations: Final = Table(
    "migrations",
    metadata,
    Column("number", COUNTER, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("server_id", Uuid, nullable=False, index=True),
    Column("source", NAME, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("document", LONG_TEXT, nullable=False),
)
Index(None, migrations.c.source, migrations.c.is_over)

services: Final = Table(
    "services",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("host", NAME, nullable=False),
    Column("binary", NAME, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("disabled_reason", LONG_TEXT),
    Column("forced_down", Boolean, nullable=False),
    Column("last_seen", UtcDateTime),
)
Index(None, services.c.host, services.c.binary, unique=True)

# Small things by kind, owner and key: keypairs, quotas, server groups and their like.
shelves: Final = Table(
    "shelves",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("owner", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("document", LONG_TEXT, nullable=False),
    Column("is_over", Boolean, nullable=False, server_default=false()),
)
Index(None, shelves.c.kind, shelves.c.is_over)
