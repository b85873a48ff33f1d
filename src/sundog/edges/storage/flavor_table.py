"""Flavors in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from sundog.core.errors import ConflictError, NotFoundError
from sundog.core.requests.flavor import Flavor
from sundog.edges.storage.documents.flavors import read_extra_specs, write_extra_specs
from sundog.edges.storage.retrying import retrying
from sundog.edges.storage.tables import flavors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping

    from sundog.edges.storage.database import Database


@retrying
class FlavorTable:
    """Fulfils ``FlavorStore``."""

    def __init__(self, database: Database) -> None:
        """Keep flavors in ``database``."""
        self._database = database

    def add(self, flavor: Flavor) -> None:
        """Keep a new flavor; raises ConflictError if its id or name is taken."""
        same = or_(flavors.c.id == flavor.id, flavors.c.name == flavor.name)
        with self._database.writing() as connection:
            for row in connection.execute(select(flavors.c.id).where(same)):
                key = "id" if row.id == flavor.id else "name"
                raise ConflictError(
                    f"flavor {key} {getattr(flavor, key)!r} is taken; choose another"
                )
            connection.execute(insert(flavors).values(_columns(flavor)))

    def get(self, flavor_id: str) -> Flavor:
        """Return one by id; raises NotFoundError."""
        query = select(flavors).where(flavors.c.id == flavor_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise _not_found(flavor_id)
        return _flavor(row)

    def list(self) -> Sequence[Flavor]:
        """Return all, ordered by id."""
        query = select(flavors)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        # Databases differ in how they order text; Python does not.
        return sorted(map(_flavor, rows), key=lambda flavor: flavor.id)

    def replace(self, flavor: Flavor) -> None:
        """Write description and extra specs of a flavor; raises NotFoundError."""
        change = (
            update(flavors)
            .where(flavors.c.id == flavor.id)
            .values(
                description=flavor.description, extra_specs=write_extra_specs(flavor)
            )
        )
        with self._database.writing() as connection:
            if not connection.execute(change).rowcount:
                raise _not_found(flavor.id)

    def remove(self, flavor_id: str) -> None:
        """Forget one; raises NotFoundError."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(flavors).where(flavors.c.id == flavor_id))
            if not gone.rowcount:
                raise _not_found(flavor_id)


def _not_found(flavor_id: str) -> NotFoundError:
    return NotFoundError(f"flavor {flavor_id!r} could not be found")


def _columns(flavor: Flavor) -> dict[str, Any]:
    columns = {column.name: getattr(flavor, column.name) for column in flavors.c}
    columns["extra_specs"] = write_extra_specs(flavor)
    return columns


def _flavor(row: RowMapping) -> Flavor:
    fields: dict[str, Any] = dict(row)
    specs = read_extra_specs(fields["extra_specs"], f"flavor {row['id']!r}")
    fields["extra_specs"] = specs
    return Flavor(**fields)
