"""A transaction that came to nothing is done again; one that may be kept is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from tests.contracts.records import a_claim, a_migration

from sundog.core.errors import UnavailableError
from sundog.edges.storage.claim_table import ClaimTable
from sundog.edges.storage.database import Database, LostTransactionError, open_engine
from sundog.edges.storage.migration_table import MigrationTable
from sundog.edges.storage.retrying import may_pass
from sundog.edges.storage.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a database with all tables."""
    path = tmp_path / "sundog.db"
    open_store(f"sqlite:///{path}").close()
    return path


@contextmanager
def claims_in(file: Path, wait: Callable[[float], None]) -> Iterator[ClaimTable]:
    """Open the claims; who meets a lock gives up at once, and ``wait`` is called."""
    database = Database(open_engine(f"sqlite:///{file}", busy_ms=1), wait)
    with closing(database):
        yield ClaimTable(database)


def test_a_write_is_done_again_when_the_lock_is_free(file: Path) -> None:
    """Another process held the database; when it lets go the write goes through."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            other.execute("ROLLBACK")

    with closing(other), claims_in(file, wait) as claims:
        claims.put(a_claim(1))
        assert claims.get(UUID(int=1)) == a_claim(1)
    assert waits == [0.05, 0.2]


def test_moves_are_written_again_as_all_else_is(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def wait(_: float) -> None:
        other.execute("ROLLBACK")

    database = Database(open_engine(f"sqlite:///{file}", busy_ms=1), wait)
    with closing(other), closing(database):
        assert MigrationTable(database).add(a_migration(1)).number == 1


def test_a_lock_that_is_never_let_go_is_told(file: Path) -> None:
    """After three more tries, with the database's own word; nothing is written."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits: list[float] = []
    with closing(other), claims_in(file, waits.append) as claims:
        with pytest.raises(UnavailableError, match="database is locked"):
            claims.put(a_claim(1))
        other.execute("ROLLBACK")
        assert claims.get(UUID(int=1)) is None
    assert len(waits) == 3


def test_a_connection_that_was_lost_is_replaced(file: Path) -> None:
    """It was idle when it was lost; the next use of it is done on another."""
    database = Database(open_engine(f"sqlite:///{file}"), wait=lambda _: None)
    lost: list[sqlite3.Connection] = []
    event.listen(database.engine, "connect", lambda made, _: lost.append(made))
    with closing(database):
        claims = ClaimTable(database)
        claims.put(a_claim(1))
        for connection in [*lost]:
            connection.close()
        claims.put(a_claim(2))
        assert len(claims.of_host("gpu1")) == 2


def test_a_connection_lost_while_committing_is_not_tried_again(file: Path) -> None:
    """Whether the change was kept, nobody knows: doing it twice might be wrong."""
    waits: list[float] = []
    database = Database(open_engine(f"sqlite:///{file}"), waits.append)
    made: list[sqlite3.Connection] = []
    event.listen(database.engine, "connect", lambda one, _: made.append(one))
    event.listen(database.engine, "commit", lambda _: made[-1].close())
    with closing(database), pytest.raises(UnavailableError, match="may have kept"):
        ClaimTable(database).put(a_claim(1))
    assert waits == []


@pytest.mark.parametrize("word", ["sqlstate", "pgcode"])
def test_deadlocks_of_other_databases_are_known(word: str) -> None:
    """By PostgreSQL's codes and MariaDB's numbers; what is broken stays broken."""

    def told(**words: object) -> Exception:
        error = sqlite3.OperationalError(words.pop("number", "no"))
        vars(error).update(words)
        return DBAPIError.instance("UPDATE", (), error, sqlite3.Error)

    assert may_pass(told(**{word: "40P01"}))
    assert may_pass(told(number=1213))
    assert not may_pass(told(**{word: "42P01"}))
    assert not may_pass(ValueError("40P01"))
    assert issubclass(LostTransactionError, UnavailableError)
