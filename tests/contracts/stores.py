"""What the store contracts ask for: a store of four ports, fake or real."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from tests.fakes.stores import FakeStore

from sundog.edges.storage.database import open_engine
from sundog.edges.storage.store import open_store
from sundog.edges.storage.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.workflows.moves.ports import MigrationStore
    from sundog.workflows.ports import (
        ClaimStore,
        FlavorStore,
        ServerStore,
        ServiceStore,
    )

# An SQLAlchemy URL of a database to empty and test on: PostgreSQL or MariaDB.
SCRATCH: Final = os.environ.get("SUNDOG_TEST_DATABASE", "")
KINDS: Final = (
    "fake",
    "SQLite in memory",
    "SQLite in a file",
    *(["scratch database"] if SCRATCH else []),
)


class AnyStore(Protocol):
    """The five ports together."""

    @property
    def flavors(self) -> FlavorStore:
        """Flavors."""
        ...

    @property
    def servers(self) -> ServerStore:
        """Servers."""
        ...

    @property
    def claims(self) -> ClaimStore:
        """Claims."""
        ...

    @property
    def migrations(self) -> MigrationStore:
        """Migrations."""
        ...

    @property
    def services(self) -> ServiceStore:
        """Services."""
        ...


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[AnyStore]:
    """Open an empty store of one of the kinds; a file is made in ``folder``."""
    if kind == "fake":
        yield FakeStore()
        return
    if kind == "scratch database":
        _empty(SCRATCH)
        url = SCRATCH
    else:
        url = f"sqlite:///{folder}/sundog.db" if "file" in kind else "sqlite://"
    with open_store(url) as store:
        yield store


def _empty(url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    engine.dispose()
