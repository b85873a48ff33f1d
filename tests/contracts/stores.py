"""What the store contracts ask for: a store of four ports, fake or real."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from tests.fakes.stores import FakeStore

from sundog.edges.storage.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.workflows.ports import (
        ClaimStore,
        FlavorStore,
        ServerStore,
        ServiceStore,
    )

KINDS: Final = ("fake", "SQLite in memory", "SQLite in a file")


class AnyStore(Protocol):
    """The four ports together."""

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
    def services(self) -> ServiceStore:
        """Services."""
        ...


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[AnyStore]:
    """Open an empty store of one of the kinds; a file is made in ``folder``."""
    if kind == "fake":
        yield FakeStore()
        return
    path = f"/{folder}/sundog.db" if kind == "SQLite in a file" else ""
    with open_store(f"sqlite://{path}") as store:
        yield store
