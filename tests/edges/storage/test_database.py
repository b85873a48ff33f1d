"""How the database's own troubles look from outside."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.contracts.records import NOON, a_claim, a_flavor, a_server

from sundog.core.errors import (
    BadConfigurationError,
    BadRequestError,
    SundogError,
    UnavailableError,
)
from sundog.core.lives.instance_action import ActionEvent, Asked, InstanceAction
from sundog.core.projects.quota import QuotaSet
from sundog.edges.storage.database import database_errors
from sundog.edges.storage.store import Store, open_store
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.core.requests.flavor import Flavor


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("sqlite://") as store:
        yield store


def sql(store: Store, statement: str) -> dict[str, Any]:
    """Run a statement beside the store's own; return the first row."""
    with store.database.writing() as connection:
        result = connection.execute(text(statement))
        rows = result.mappings().all() if result.returns_rows else []
        return dict(rows[0]) if rows else {}


@pytest.mark.parametrize(
    "url", ["", "nonsense", "nosuch://db", "sqlite+nosuch://", "oracle://u:secret@h/d"]
)
def test_an_unusable_url_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(BadConfigurationError) as caught:
        open_store(url)
    (line,) = caught.value.problems
    assert line.startswith("[database] connection: ")
    assert "secret" not in line
    assert "\n" not in line


def test_a_file_in_no_folder_is_bad_configuration(tmp_path: Path) -> None:
    told = f"there is no folder {tmp_path}/none; make it"
    with pytest.raises(BadConfigurationError, match=re.escape(told)):
        open_store(f"sqlite:///{tmp_path}/none/sundog.db")


def test_a_file_that_cannot_be_opened_makes_the_store_unavailable(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnavailableError, match="unable to open database file"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_makes_the_store_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "sundog.db"
    path.write_text("no database, " * 100)
    with pytest.raises(UnavailableError, match="file is not a database"):
        open_store(f"sqlite:///{path}")


def test_what_was_kept_is_there_when_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sundog.db"
    with open_store(url) as store:
        store.servers.add([a_server(1)])
    with open_store(url) as store:
        assert store.servers.get(UUID(int=1)) == a_server(1)


def test_a_file_is_in_wal_mode_and_checks_foreign_keys(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/sundog.db") as store:
        assert sql(store, "PRAGMA journal_mode") == {"journal_mode": "wal"}
        assert sql(store, "PRAGMA foreign_keys") == {"foreign_keys": 1}


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/sundog.db") as store:
        store.servers.add([a_server(1)])
        with store.database.writing():
            assert store.servers.get(UUID(int=1)) == a_server(1)


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sundog.db"
    with open_store(url) as one, open_store(url) as other:
        one.servers.add([a_server(1)])

        def add_one(store: Store) -> None:
            for _ in range(10):
                store.servers.change(
                    UUID(int=1), lambda s: replace(s, launch_index=s.launch_index + 1)
                )

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(add_one, (one, other)))
        assert one.servers.get(UUID(int=1)).launch_index == 20


def test_a_lost_table_makes_the_store_unavailable(store: Store) -> None:
    sql(store, "DROP TABLE servers")
    with pytest.raises(UnavailableError, match="the database failed: no such table"):
        store.servers.list(ServerQuery())


@pytest.mark.parametrize(
    "bad",
    [
        replace(a_flavor(), name="half a pair: \ud800"),
        replace(a_flavor(), vcpus=2**70),
        replace(a_flavor(), extra_specs={"hw:numa_nodes": "\ud800"}),
    ],
)
def test_a_value_that_no_database_keeps_is_a_bad_request(
    store: Store, bad: Flavor
) -> None:
    with pytest.raises(BadRequestError, match="the value cannot be kept"):
        store.flavors.add(bad)
    assert store.flavors.list() == []


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = a_server(1, created=NOON.replace(tzinfo=None))
    with pytest.raises(SundogError, match="has no time zone"):
        store.servers.add([naive])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE claims SET assignment = '{'", "server .*1's claim cannot be read"),
        (
            """UPDATE claims SET assignment = '{"host": "a", "new": 1}'""",
            "unknown field `new`.*; if a newer Sundog wrote it, run that one",
        ),
        (
            """UPDATE claims SET assignment = '{"host": "a", "devices": [{
            "slot": "a/0", "alias": "a", "kind": "type-VF", "address": "here",
            "card": "0000:84:00.0", "resource_class": "VGPU", "cost": 1}]}'""",
            "'here' is not a PCI address",
        ),
        ("UPDATE claims SET state = 'lent'", "'lent' is not a valid ClaimState"),
    ],
)
def test_a_claim_that_cannot_be_read_is_one_clear_error(
    store: Store, damage: str, told: str
) -> None:
    store.claims.put(a_claim(1))
    sql(store, damage)
    with pytest.raises(UnavailableError, match=told) as caught:
        store.claims.get(UUID(int=1))
    assert "\n" not in str(caught.value)


def test_a_server_with_a_newer_field_is_refused_not_trimmed(store: Store) -> None:
    store.servers.add([a_server(1)])
    sql(store, "UPDATE servers SET document = json_set(document, '$.newer', 1)")
    with pytest.raises(UnavailableError, match="unknown field `newer`"):
        store.servers.change(UUID(int=1), lambda server: server)


def test_a_thing_on_a_shelf_that_cannot_be_read_is_named(store: Store) -> None:
    store.quotas.change("p", "quota", lambda _: QuotaSet(limits={"ram": 1}))
    sql(store, """UPDATE shelves SET document = '{"limits": 7}'""")
    told = "record of quota p/quota cannot be read"
    for read in (store.quotas.list, partial(store.quotas.get, "p", "quota")):
        with pytest.raises(UnavailableError, match=told):
            read()
    with pytest.raises(UnavailableError, match=told):
        store.quotas.change("p", "quota", lambda _: None)


def test_extra_specs_that_cannot_be_read_name_their_flavor(store: Store) -> None:
    store.flavors.add(a_flavor("42"))
    sql(store, "UPDATE flavors SET extra_specs = '[]'")
    with pytest.raises(UnavailableError, match="flavor '42' cannot be read"):
        store.flavors.list()


def test_an_assignment_is_readable_in_the_database(store: Store) -> None:
    store.claims.put(a_claim(1))
    row = sql(store, "SELECT host, state, assignment FROM claims")
    assert row == {
        "host": "gpu1",
        "state": "claimed",
        "assignment": '{"host":"gpu1","cells":[],"devices":[],"disk_gb":0}',
    }


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("deleted = 0", "deleted_created"),
        ("project_id = 'a' AND deleted = 0", "project_id_deleted_created"),
        ("host = 'a' AND deleted = 0", "host_deleted_created"),
    ],
)
def test_lists_of_servers_are_found_by_index(
    store: Store, where: str, index: str
) -> None:
    query = f"SELECT document FROM servers WHERE {where} ORDER BY created DESC"  # noqa: S608  constants
    plan = sql(store, f"EXPLAIN QUERY PLAN {query}, number DESC")
    assert f"USING INDEX ix_servers_{index} " in plan["detail"]


def test_what_is_under_way_is_found_without_reading_all_that_is_over(
    store: Store,
) -> None:
    """A start reads few of the actions that years have left."""
    began = InstanceAction(
        action="start",
        server_id=UUID(int=1),
        asked=Asked(request_id="req-1", user_id="u", project_id="p"),
        started=NOON,
        updated=NOON,
        events=(ActionEvent(name="start", started=NOON),),
    )
    ended = replace(began, events=(replace(began.events[0], finished=NOON),))
    store.actions.change("1", "req-1", lambda _: began)
    store.actions.change("1", "req-0", lambda _: ended)
    sql(store, "UPDATE shelves SET document = 'unreadable' WHERE key = 'req-0'")
    assert store.actions.unfinished() == [began]
    query = "SELECT * FROM shelves WHERE kind = 'action' AND is_over IS 0"
    plan = sql(store, f"EXPLAIN QUERY PLAN {query}")
    assert "USING INDEX ix_shelves_kind_is_over " in plan["detail"]


def test_a_database_error_without_words_is_told_by_its_kind() -> None:
    silent = sqlite3.OperationalError()
    with (
        pytest.raises(UnavailableError, match="the database failed: OperationalError"),
        database_errors(),
    ):
        raise DBAPIError.instance("SELECT 1", (), silent, sqlite3.Error)
