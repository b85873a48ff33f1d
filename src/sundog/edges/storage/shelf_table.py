"""Shelves in the database: one table for all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from sqlalchemy import and_, delete, insert, select, update

from sundog.edges.storage.documents.common import unreadable, written
from sundog.edges.storage.retrying import retrying
from sundog.edges.storage.tables import shelves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Select

    from sundog.edges.storage.database import Database

T = TypeVar("T")


@retrying
class ShelfTable(Generic[T]):
    """Fulfils ``Shelf`` for a dataclass, kept as a JSON document."""

    def __init__(
        self,
        database: Database,
        kind: str,
        shape: type[T],
        is_over: Callable[[T], bool] = lambda _: False,
    ) -> None:
        """Keep things of a kind in ``database``; ``is_over`` tells which have ended."""
        self._database = database
        self._kind = kind
        self._is_over = is_over
        self._decoder = msgspec.json.Decoder(shape)

    def get(self, owner: str, key: str) -> T | None:
        """Return one, or None."""
        with self._database.reading() as connection:
            document = connection.execute(self._query(owner, key)).scalar()
        return None if document is None else self._read(owner, key, document)

    def list(self, owner: str | None = None) -> Sequence[T]:
        """Return an owner's, or everybody's, ordered by owner and key."""
        return self._listed(() if owner is None else (shelves.c.owner == owner,))

    def unfinished(self) -> Sequence[T]:
        """Return everybody's that are not over, in the same order."""
        return self._listed((shelves.c.is_over.is_(False),))

    def _listed(self, conditions: Sequence[ColumnElement[bool]]) -> Sequence[T]:
        query = select(shelves).where(shelves.c.kind == self._kind, *conditions)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        # Databases differ in how they order text; Python does not.
        rows = sorted(rows, key=lambda row: (row.owner, row.key))
        return [self._read(row.owner, row.key, row.document) for row in rows]

    def change(
        self, owner: str, key: str, edit: Callable[[T | None], T | None]
    ) -> T | None:
        """Read, edit and write one in a transaction; returns what was written."""
        same = and_(
            shelves.c.kind == self._kind, shelves.c.owner == owner, shelves.c.key == key
        )
        with self._database.writing() as connection:
            document = connection.execute(self._query(owner, key)).scalar()
            old = None if document is None else self._read(owner, key, document)
            new = edit(old)
            if new is None:
                connection.execute(delete(shelves).where(same))
                return None
            columns = {
                "document": written(new),
                "is_over": self._is_over(new),
            }
            if old is None:
                place = {"kind": self._kind, "owner": owner, "key": key}
                connection.execute(insert(shelves).values(**place, **columns))
            else:
                connection.execute(update(shelves).where(same).values(**columns))
        return new

    def _read(self, owner: str, key: str, document: str) -> T:
        """Read a thing's document; raises UnavailableError naming it."""
        try:
            return self._decoder.decode(document)
        except msgspec.DecodeError as error:
            raise unreadable(f"{self._kind} {owner}/{key}", error) from error

    def _query(self, owner: str, key: str) -> Select[tuple[str]]:
        return select(shelves.c.document).where(
            shelves.c.kind == self._kind, shelves.c.owner == owner, shelves.c.key == key
        )
