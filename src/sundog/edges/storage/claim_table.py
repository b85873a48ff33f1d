"""Claims in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from sundog.core.lives.claim import Claim, ClaimState
from sundog.edges.storage.documents.assignments import (
    read_assignment,
    write_assignment,
)
from sundog.edges.storage.documents.common import unreadable
from sundog.edges.storage.retrying import retrying
from sundog.edges.storage.tables import claims

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from sundog.edges.storage.database import Database


@retrying
class ClaimTable:
    """Fulfils ``ClaimStore``."""

    def __init__(self, database: Database) -> None:
        """Keep claims in ``database``."""
        self._database = database

    def put(self, claim: Claim) -> None:
        """Write a consumer's claim, new or changed."""
        with self._database.writing() as connection:
            _put(connection, claim)

    def exchange(self, put: Sequence[Claim], remove: Sequence[UUID] = ()) -> None:
        """Write some claims and forget others, all or none."""
        with self._database.writing() as connection:
            for claim in put:
                _put(connection, claim)
            connection.execute(delete(claims).where(claims.c.consumer.in_(remove)))

    def get(self, consumer: UUID) -> Claim | None:
        """Return a consumer's claim, or None."""
        query = select(claims).where(claims.c.consumer == consumer)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _claim(row)

    def remove(self, consumer: UUID) -> None:
        """Forget a consumer's claim; none is fine."""
        with self._database.writing() as connection:
            connection.execute(delete(claims).where(claims.c.consumer == consumer))

    def of_host(self, host: str) -> Sequence[Claim]:
        """Return all claims on a host, ordered by consumer."""
        query = select(claims).where(claims.c.host == host).order_by(claims.c.consumer)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [_claim(row) for row in rows]


def _put(connection: Connection, claim: Claim) -> None:
    columns = {
        "host": claim.assignment.host,
        "state": claim.state.value,
        "assignment": write_assignment(claim.assignment),
        "guest": claim.guest,
    }
    known = update(claims).where(claims.c.consumer == claim.consumer)
    if not connection.execute(known, columns).rowcount:
        connection.execute(insert(claims), {"consumer": claim.consumer, **columns})


def _claim(row: Row[Any]) -> Claim:
    what = f"server {row.consumer}'s claim"
    try:
        known = ClaimState(row.state)
    except ValueError as error:
        raise unreadable(what, error) from error
    return Claim(
        consumer=row.consumer,
        assignment=read_assignment(row.assignment, what),
        state=known,
        guest=row.guest,
    )
