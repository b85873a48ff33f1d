"""The hosts' services in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from sundog.core.errors import NotFoundError
from sundog.edges.storage.tables import services
from sundog.workflows.ports import ServiceRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sundog.edges.storage.database import Database


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

    def put(self, service: ServiceRecord) -> None:
        """Write one, new or changed.

        Raises ConflictError when another service is that binary of the host.
        """
        columns: dict[str, Any] = {
            column.name: getattr(service, column.name) for column in services.c
        }
        known = update(services).where(services.c.id == service.id).values(columns)
        with self._database.writing() as connection:
            if not connection.execute(known).rowcount:
                connection.execute(insert(services).values(columns))

    def remove(self, service_id: UUID) -> None:
        """Forget one; raises NotFoundError."""
        gone = delete(services).where(services.c.id == service_id)
        with self._database.writing() as connection:
            if not connection.execute(gone).rowcount:
                raise _not_found(service_id)


def _not_found(service_id: UUID) -> NotFoundError:
    return NotFoundError(f"service {service_id} could not be found")
