"""What moves need from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sundog.core.moves.migration import Migration


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationQuery:
    """Which migrations to list; None does not filter. Newest first."""

    server_id: UUID | None = None
    source: str | None = None
    is_over: bool | None = None


class MigrationStore(Protocol):
    """Moves of servers, those that are over too."""

    def add(self, migration: Migration) -> Migration:
        """Keep a new one; returns it with its number."""
        ...

    def get(self, migration_id: UUID) -> Migration:
        """Return one; raises NotFoundError."""
        ...

    def list(self, query: MigrationQuery) -> Sequence[Migration]:
        """Return those that the query names, newest first."""
        ...

    def change(
        self, migration_id: UUID, edit: Callable[[Migration], Migration]
    ) -> Migration:
        """Read, edit and write one in a transaction; returns what was written.

        Raises NotFoundError; an error that ``edit`` raises changes nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Crossing:
    """A guest on its way between two hosts, and what is asked of it meanwhile.

    ``abort``: go back if it is not over. ``hurry``: be over soon, at the guest's cost.
    """

    abort: Event = field(default_factory=Event)
    hurry: Event = field(default_factory=Event)
