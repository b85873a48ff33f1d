"""The hosts' services in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from sundog.core.errors import NotFoundError
from sundog.edges.storage.retrying import retrying
from sundog.edges.storage.tables import services
from sundog.workflows.ports import ServiceRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sundog.edges.storage.database import Database


@retrying
class ServiceTable:
    """Fulfils ``ServiceStore``."""

    def __init__(self, database: Database) -> None:
        """Keep services in ``database``."""
        self._database = database

    def list(self) -> Sequence[ServiceRecord]:
        """Return all, ordered by host."""
        with self._database.reading() as connection:
            rows = connection.execute(select(services)).mappings().all()
        found = [ServiceRecord(**row) for row in rows]
        # Databases differ in how they order text; Python does not.
        return sorted(found, key=lambda service: (service.host, service.binary))

    def get(self, service_id: UUID) -> ServiceRecord:
        """Return one; raises NotFoundError."""
        query = select(services).where(services.c.id == service_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise _not_found(service_id)
        return ServiceRecord(**row)

    def change(
        self,
        service_id: UUID,
        edit: Callable[[ServiceRecord | None], ServiceRecord],
    ) -> ServiceRecord:
        """Read, edit and write one in a transaction; returns what was written.

        Raises ConflictError when another service is that binary of the host.
        """
        query = select(services).where(services.c.id == service_id)
        with self._database.writing() as connection:
            # Elsewhere than on SQLite, where writers are alone, the row is locked.
            locked = connection.execute(query.with_for_update())
            row = locked.mappings().one_or_none()
            service = edit(None if row is None else ServiceRecord(**row))
            columns: dict[str, Any] = {
                column.name: getattr(service, column.name) for column in services.c
            }
            if row is None:
                connection.execute(insert(services).values(columns))
            else:
                known = update(services).where(services.c.id == service_id)
                connection.execute(known.values(columns))
        return service

    def remove(self, service_id: UUID) -> None:
        """Forget one; raises NotFoundError."""
        gone = delete(services).where(services.c.id == service_id)
        with self._database.writing() as connection:
            if not connection.execute(gone).rowcount:
                raise _not_found(service_id)


def _not_found(service_id: UUID) -> NotFoundError:
    return NotFoundError(f"service {service_id} could not be found")
