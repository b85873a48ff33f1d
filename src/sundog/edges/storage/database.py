"""Transactions on the database; its errors leave here as Sundog's own."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.pool import QueuePool

from sundog.core.errors import (
    BadConfigurationError,
    BadRequestError,
    ConflictError,
    UnavailableError,
)
from sundog.edges.storage.retrying import may_pass

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL, Connection, Engine, RootTransaction

T = TypeVar("T")
LOG: Final = logging.getLogger(__name__)
_BUSY_TIMEOUT_MS: Final = 30_000
# How long to wait before a lost transaction is done again.
_WAITS: Final = (0.05, 0.2, 1.0)
_WRITES: Final = "sundog_writes"


class Database:
    """One database, for any number of threads.

    A block of ``reading`` or ``writing`` is one transaction on one connection. Do not
    open a block inside another in the same thread: it would wait for itself.
    """

    def __init__(
        self, engine: Engine, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """Work on an engine that ``open_engine`` made; ``wait`` sleeps for seconds."""
        self.engine = engine
        self._wait = wait

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with database_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose work is kept as a whole, or not at all."""
        with database_errors(), writing(self.engine) as connection:
            yield connection

    def again(self, work: Callable[[], T]) -> T:
        """Do what is one transaction, and do it again while it is lost; bounded."""
        for seconds in _WAITS:
            try:
                return work()
            except LostTransactionError as lost:
                LOG.warning("%s; trying again", lost)
                self._wait(seconds)
        return work()

    def close(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()


class LostTransactionError(UnavailableError):
    """A transaction came to nothing; done again it may go well."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Let no error of SQLAlchemy or of a driver out: raise Sundog's own instead."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(f"the record is taken: {_reason(error)}") from error
    except (DataError, OverflowError, UnicodeEncodeError) as error:
        raise BadRequestError(f"the value cannot be kept: {_reason(error)}") from error
    except SQLAlchemyError as error:
        kind = LostTransactionError if may_pass(error) else UnavailableError
        raise kind(f"the database failed: {_reason(error)}") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that is alone in writing from its start (SQLite)."""
    with engine.connect() as connection:
        connection.execution_options(**{_WRITES: True})
        with connection.begin() as transaction:
            yield connection
            _commit(transaction)


def _commit(transaction: RootTransaction) -> None:
    """Commit; whether one that was cut off is kept, nobody knows."""
    try:
        transaction.commit()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise UnavailableError(
            f"the database failed, and may have kept the last change: {_reason(error)}"
        ) from error


def open_engine(url: str, busy_ms: int = _BUSY_TIMEOUT_MS) -> Engine:
    """Return an engine; raises BadConfigurationError for an unusable URL.

    SQLite waits ``busy_ms`` for a lock.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed, busy_ms)
        return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
    except (ArgumentError, ImportError) as error:
        # The URL itself may hold a password, so it is not repeated.
        raise BadConfigurationError(
            f"[database] connection: {_reason(error)}; "
            "use a URL like sqlite:////var/lib/sundog/sundog.db"
        ) from error


def _open_sqlite(url: URL, busy_ms: int) -> Engine:
    options: dict[str, Any] = {"poolclass": QueuePool, "max_overflow": -1}
    if url.database in {None, "", ":memory:"}:
        # Each connection to :memory: is a database of its own: threads take turns.
        options |= {"pool_size": 1, "max_overflow": 0}
    elif not (folder := Path(str(url.database)).absolute().parent).is_dir():
        raise BadConfigurationError(
            f"[database] connection: there is no folder {folder}; make it"
        )
    engine = create_engine(url, connect_args={"check_same_thread": False}, **options)
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_ms))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(
    busy_ms: int, connection: sqlite3.Connection, _record: object
) -> None:
    # sqlite3 would begin transactions by itself, late; _begin_sqlite does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # What was committed outlives a loss of power, too.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could find the lock taken in
    # between, and SQLite then fails at once instead of waiting.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _reason(error: Exception) -> str:
    told = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(told).splitlines() or [type(told).__name__])[0]
