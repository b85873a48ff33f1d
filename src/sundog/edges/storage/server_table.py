"""Servers in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from sundog.core.errors import NotFoundError
from sundog.core.lives.server import Phase, Server
from sundog.edges.storage.documents.servers import read_server, write_server
from sundog.edges.storage.retrying import retrying
from sundog.edges.storage.tables import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from sundog.edges.storage.database import Database
    from sundog.workflows.ports import ServerQuery


@retrying
class ServerTable:
    """Fulfils ``ServerStore``."""

    def __init__(self, database: Database) -> None:
        """Keep servers in ``database``."""
        self._database = database

    def add(self, servers_: Sequence[Server]) -> None:
        """Keep new servers, all or none; raises ConflictError if an id is taken."""
        if not servers_:
            return
        with self._database.writing() as connection:
            rows = [{"id": server.id, **_columns(server)} for server in servers_]
            connection.execute(insert(servers), rows)

    def get(self, server_id: UUID) -> Server:
        """Return one, deleted or not; raises NotFoundError."""
        query = select(servers.c.document).where(servers.c.id == server_id)
        with self._database.reading() as connection:
            document = connection.execute(query).scalar_one_or_none()
        return _server(server_id, document)

    def list(self, query: ServerQuery) -> Sequence[Server]:
        """Return those that the query names, newest first."""
        rows = (
            select(servers.c.id, servers.c.document)
            .where(*_conditions(query))
            .order_by(servers.c.created.desc(), servers.c.number.desc())
        )
        with self._database.reading() as connection:
            found = connection.execute(rows).all()
        return [_server(server_id, document) for server_id, document in found]

    def change(self, server_id: UUID, edit: Callable[[Server], Server]) -> Server:
        """Read, edit and write one in a transaction; returns what was written.

        ``edit`` holds the transaction open: it must be quick and must not use the
        store. Raises NotFoundError; an error that ``edit`` raises changes nothing.
        """
        query = select(servers.c.document).where(servers.c.id == server_id)
        with self._database.writing() as connection:
            # Elsewhere than on SQLite, where writers are alone, the row is locked.
            locked = connection.execute(query.with_for_update())
            changed = edit(_server(server_id, locked.scalar_one_or_none()))
            connection.execute(
                update(servers).where(servers.c.id == server_id), _columns(changed)
            )
        return changed


def _server(server_id: UUID, document: str | None) -> Server:
    if document is None:
        raise NotFoundError(f"server {server_id} could not be found")
    return read_server(document, f"server {server_id}")


def _conditions(query: ServerQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.project_id is not None:
        conditions.append(servers.c.project_id == query.project_id)
    if query.host is not None:
        conditions.append(servers.c.host == query.host)
    if query.deleted is not None:
        conditions.append(servers.c.deleted.is_(query.deleted))
    if query.changed_since is not None:
        conditions.append(servers.c.updated >= query.changed_since)
    return conditions


def _columns(server: Server) -> dict[str, Any]:
    return {
        "project_id": server.project_id,
        "host": server.host,
        "deleted": server.phase is Phase.DELETED,
        "created": server.created,
        "updated": server.updated,
        "document": write_server(server),
    }
