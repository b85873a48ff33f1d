"""Moves of servers in the database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from sundog.core.errors import NotFoundError
from sundog.edges.storage.documents.migrations import read_migration, write_migration
from sundog.edges.storage.retrying import retrying
from sundog.edges.storage.tables import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row

    from sundog.core.moves.migration import Migration
    from sundog.edges.storage.database import Database
    from sundog.workflows.moves.ports import MigrationQuery


@retrying
class MigrationTable:
    """Fulfils ``MigrationStore``."""

    def __init__(self, database: Database) -> None:
        """Keep migrations in ``database``."""
        self._database = database

    def add(self, migration: Migration) -> Migration:
        """Keep a new one; returns it with its number."""
        row = {
            "id": migration.id,
            "server_id": migration.server_id,
            "source": migration.source,
            **_columns(migration),
        }
        with self._database.writing() as connection:
            result = connection.execute(insert(migrations).values(row))
        [number] = result.inserted_primary_key or (0,)
        return replace(migration, number=number)

    def get(self, migration_id: UUID) -> Migration:
        """Return one; raises NotFoundError."""
        query = select(migrations).where(migrations.c.id == migration_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return _migration(migration_id, row)

    def list(self, query: MigrationQuery) -> Sequence[Migration]:
        """Return those that the query names, newest first."""
        rows = (
            select(migrations)
            .where(*_conditions(query))
            .order_by(migrations.c.number.desc())
        )
        with self._database.reading() as connection:
            found = connection.execute(rows).all()
        return [_migration(row.id, row) for row in found]

    def change(
        self, migration_id: UUID, edit: Callable[[Migration], Migration]
    ) -> Migration:
        """Read, edit and write one in a transaction; returns what was written."""
        same = migrations.c.id == migration_id
        query = select(migrations).where(same)
        with self._database.writing() as connection:
            # Elsewhere than on SQLite, where writers are alone, the row is locked.
            row = connection.execute(query.with_for_update()).one_or_none()
            changed = edit(_migration(migration_id, row))
            connection.execute(update(migrations).where(same), _columns(changed))
        return changed


def _migration(migration_id: UUID, row: Row[Any] | None) -> Migration:
    if row is None:
        raise NotFoundError(f"migration {migration_id} could not be found")
    found = read_migration(row.document, f"migration {migration_id}")
    return replace(found, number=row.number)


def _conditions(query: MigrationQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.server_id is not None:
        conditions.append(migrations.c.server_id == query.server_id)
    if query.source is not None:
        conditions.append(migrations.c.source == query.source)
    if query.is_over is not None:
        conditions.append(migrations.c.is_over.is_(query.is_over))
    return conditions


def _columns(migration: Migration) -> dict[str, Any]:
    return {"is_over": migration.is_over, "document": write_migration(migration)}
