"""The contract of the five stores, held by the fake and by the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from tests.contracts import records
from tests.contracts.records import NOON, a_claim, a_flavor, a_migration, a_server
from tests.contracts.stores import KINDS, AnyStore, opened

from sundog.core.errors import ConflictError, NotFoundError
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.server import Phase, Server
from sundog.core.moves.migration import MoveState
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.ports import ServerQuery, ServiceRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.core.lives.claim import Claim
    from sundog.core.moves.migration import Migration
    from sundog.core.requests.flavor import Flavor

NOBODY = UUID(int=404)
_numbers = count(1000)
# One store serves all examples of a test: each puts a record, reads it, removes it.
any_record = settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with opened(request.param, tmp_path) as store:
        yield store


class TestFlavors:
    @any_record
    @given(flavor=records.flavors)
    def test_any_flavor_comes_back_as_it_was(
        self, store: AnyStore, flavor: Flavor
    ) -> None:
        store.flavors.add(flavor)
        assert store.flavors.get(flavor.id) == flavor
        store.flavors.remove(flavor.id)

    @pytest.mark.parametrize("taken", [a_flavor("1", "new"), a_flavor("2", "small")])
    def test_an_id_or_name_is_given_once(self, store: AnyStore, taken: Flavor) -> None:
        store.flavors.add(a_flavor("1", "small"))
        with pytest.raises(ConflictError, match="is taken"):
            store.flavors.add(taken)
        assert store.flavors.list() == [a_flavor("1", "small")]

    def test_ids_and_names_differ_by_case(self, store: AnyStore) -> None:
        store.flavors.add(a_flavor("a", "n"))
        store.flavors.add(a_flavor("A", "N"))
        assert store.flavors.get("A").name == "N"

    def test_the_list_is_ordered_by_id(self, store: AnyStore) -> None:
        for flavor_id in ("b", "10", "a", "B"):
            store.flavors.add(a_flavor(flavor_id, f"name of {flavor_id}"))
        assert [f.id for f in store.flavors.list()] == ["10", "B", "a", "b"]

    def test_replacing_writes_only_description_and_extra_specs(
        self, store: AnyStore
    ) -> None:
        store.flavors.add(a_flavor())
        asked = replace(a_flavor(), description="new", extra_specs={"a:b": "2"})
        store.flavors.replace(replace(asked, vcpus=9))
        assert store.flavors.get("1") == asked

    def test_an_unknown_flavor_is_not_found(self, store: AnyStore) -> None:
        for use in (
            lambda: store.flavors.get("none"),
            lambda: store.flavors.remove("none"),
            lambda: store.flavors.replace(a_flavor("none")),
        ):
            with pytest.raises(NotFoundError, match="'none' could not be found"):
                use()


class TestServers:
    @any_record
    @given(server=records.servers)
    def test_any_server_comes_back_as_it_was(
        self, store: AnyStore, server: Server
    ) -> None:
        # Servers are never removed, so each example gets an id of its own.
        server = replace(server, id=UUID(int=next(_numbers)))
        store.servers.add([server])
        assert store.servers.get(server.id) == server

    def test_servers_are_added_all_or_none(self, store: AnyStore) -> None:
        store.servers.add([a_server(1)])
        with pytest.raises(ConflictError, match="taken"):
            store.servers.add([a_server(2), a_server(1)])
        assert [s.id.int for s in store.servers.list(ServerQuery())] == [1]

    def test_one_call_names_no_server_twice(self, store: AnyStore) -> None:
        with pytest.raises(ConflictError, match="taken"):
            store.servers.add([a_server(1), a_server(1)])

    def test_adding_none_is_fine(self, store: AnyStore) -> None:
        store.servers.add([])
        assert store.servers.list(ServerQuery()) == []

    def test_the_list_is_newest_first_and_latest_added_first(
        self, store: AnyStore
    ) -> None:
        later = NOON + timedelta(microseconds=1)
        store.servers.add([a_server(1, created=later), a_server(3), a_server(2)])
        assert [s.id.int for s in store.servers.list(ServerQuery())] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (ServerQuery(), [4, 3, 1]),
            (ServerQuery(deleted=True), [2]),
            (ServerQuery(deleted=None), [4, 3, 2, 1]),
            (ServerQuery(project_id="other"), [3]),
            (ServerQuery(host="gpu1", deleted=None), [2, 1]),
            (ServerQuery(changed_since=NOON), [4, 3, 1]),
            (ServerQuery(changed_since=NOON + timedelta(seconds=1)), [4]),
            (ServerQuery(project_id="demo", host="gpu1"), [1]),
        ],
    )
    def test_each_filter_narrows_the_list(
        self, store: AnyStore, query: ServerQuery, found: list[int]
    ) -> None:
        store.servers.add(
            [
                replace(a_server(1), host="gpu1"),
                replace(a_server(2), host="gpu1", phase=Phase.DELETED),
                a_server(3, project_id="other"),
                replace(a_server(4), updated=NOON + timedelta(seconds=1)),
            ]
        )
        assert [server.id.int for server in store.servers.list(query)] == found

    def test_a_change_is_written_and_returned(self, store: AnyStore) -> None:
        store.servers.add([a_server(1), a_server(2)])
        gone = replace(a_server(1), phase=Phase.DELETED, host="gpu1")
        assert store.servers.change(UUID(int=1), lambda _: gone) == gone
        assert store.servers.get(UUID(int=1)) == gone
        assert store.servers.list(ServerQuery()) == [a_server(2)]
        assert store.servers.list(ServerQuery(host="gpu1", deleted=True)) == [gone]

    def test_a_change_that_raises_changes_nothing(self, store: AnyStore) -> None:
        def refuse(_: Server) -> Server:
            raise ConflictError("not now")

        store.servers.add([a_server(1)])
        with pytest.raises(ConflictError, match="not now"):
            store.servers.change(UUID(int=1), refuse)
        assert store.servers.get(UUID(int=1)) == a_server(1)

    def test_an_unknown_server_is_not_found(self, store: AnyStore) -> None:
        with pytest.raises(NotFoundError, match=f"{NOBODY} could not be found"):
            store.servers.get(NOBODY)
        with pytest.raises(NotFoundError, match=f"{NOBODY} could not be found"):
            store.servers.change(NOBODY, lambda server: server)

    def test_changes_from_many_threads_are_all_kept(self, store: AnyStore) -> None:
        def add_one(_: int) -> None:
            store.servers.change(
                UUID(int=1), lambda s: replace(s, launch_index=s.launch_index + 1)
            )
            store.servers.list(ServerQuery())

        store.servers.add([a_server(1)])
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(add_one, range(40)))
        assert store.servers.get(UUID(int=1)).launch_index == 40


class TestClaims:
    @any_record
    @given(claim=records.claims)
    def test_any_claim_comes_back_as_it_was(
        self, store: AnyStore, claim: Claim
    ) -> None:
        store.claims.put(claim)
        assert store.claims.get(claim.consumer) == claim
        assert store.claims.of_host(claim.assignment.host) == [claim]
        store.claims.remove(claim.consumer)

    def test_a_consumer_has_one_claim_the_last_one_put(self, store: AnyStore) -> None:
        store.claims.put(a_claim(1, "gpu1"))
        store.claims.put(a_claim(1, "gpu2"))
        assert store.claims.of_host("gpu1") == []
        assert store.claims.of_host("gpu2") == [a_claim(1, "gpu2")]

    def test_claims_are_listed_by_host_in_order_of_consumer(
        self, store: AnyStore
    ) -> None:
        for claim in (a_claim(3), a_claim(1), a_claim(2, "gpu2")):
            store.claims.put(claim)
        assert store.claims.of_host("gpu1") == [a_claim(1), a_claim(3)]

    def test_removing_a_claim_twice_is_fine(self, store: AnyStore) -> None:
        store.claims.put(a_claim(1))
        store.claims.remove(UUID(int=1))
        store.claims.remove(UUID(int=1))
        assert store.claims.get(UUID(int=1)) is None

    def test_claims_are_exchanged_at_once(self, store: AnyStore) -> None:
        """What is put replaces, what is removed is gone, the others stay."""
        for claim in (a_claim(1), a_claim(2), a_claim(3)):
            store.claims.put(claim)
        moved = replace(a_claim(1, "gpu2"), state=ClaimState.ALLOCATED)
        old = replace(a_claim(4), guest=UUID(int=1))
        store.claims.exchange([moved, old], [UUID(int=2)])
        assert store.claims.of_host("gpu1") == [a_claim(3), old]
        assert store.claims.of_host("gpu2") == [moved]
        store.claims.exchange([a_claim(1)], [UUID(int=4)])
        assert store.claims.of_host("gpu1") == [a_claim(1), a_claim(3)]


class TestMigrations:
    @any_record
    @given(migration=records.migrations)
    def test_any_migration_comes_back_as_it_was(
        self, store: AnyStore, migration: Migration
    ) -> None:
        new = replace(migration, id=UUID(int=next(_numbers)))
        kept = store.migrations.add(new)
        assert kept == replace(new, number=kept.number)
        assert store.migrations.get(new.id) == kept

    def test_migrations_are_numbered_as_they_come(self, store: AnyStore) -> None:
        first = store.migrations.add(a_migration(7))
        second = store.migrations.add(a_migration(5))
        assert 0 < first.number < second.number

    def test_an_id_is_given_once(self, store: AnyStore) -> None:
        store.migrations.add(a_migration(1))
        with pytest.raises(ConflictError):
            store.migrations.add(a_migration(1))

    def test_queries_name_server_source_and_end(self, store: AnyStore) -> None:
        one = store.migrations.add(a_migration(1, server=1))
        two = store.migrations.add(a_migration(2, server=2))
        far = store.migrations.add(a_migration(3, server=1, source="gpu2"))
        over = store.migrations.change(
            two.id, lambda old: replace(old, state=MoveState.FAILED)
        )
        listed = store.migrations.list
        assert listed(MigrationQuery()) == [far, over, one]
        assert listed(MigrationQuery(server_id=UUID(int=1))) == [far, one]
        assert listed(MigrationQuery(source="gpu1", is_over=False)) == [one]
        assert listed(MigrationQuery(is_over=True)) == [over]

    def test_an_edit_that_raises_changes_nothing(self, store: AnyStore) -> None:
        kept = store.migrations.add(a_migration(1))

        def refuse(_: Migration) -> Migration:
            raise ConflictError("no")

        with pytest.raises(ConflictError):
            store.migrations.change(kept.id, refuse)
        assert store.migrations.get(kept.id) == kept

    def test_an_unknown_migration_is_not_found(self, store: AnyStore) -> None:
        with pytest.raises(NotFoundError, match=f"{NOBODY} could not be found"):
            store.migrations.get(NOBODY)
        with pytest.raises(NotFoundError, match=f"{NOBODY} could not be found"):
            store.migrations.change(NOBODY, lambda one: one)


def write(store: AnyStore, service: ServiceRecord) -> None:
    store.services.change(service.id, lambda _: service)


class TestServices:
    @any_record
    @given(service=records.services)
    def test_any_service_comes_back_as_it_was(
        self, store: AnyStore, service: ServiceRecord
    ) -> None:
        assert store.services.change(service.id, lambda _: service) == service
        assert store.services.get(service.id) == service
        store.services.remove(service.id)

    def test_services_are_listed_by_host_as_last_written(self, store: AnyStore) -> None:
        first = ServiceRecord(id=UUID(int=1), host="b")
        second = ServiceRecord(id=UUID(int=2), host="a")
        for service in (first, second, replace(first, disabled=True)):
            write(store, service)
        assert store.services.list() == [second, replace(first, disabled=True)]

    def test_a_host_has_one_service_of_a_binary(self, store: AnyStore) -> None:
        write(store, ServiceRecord(id=UUID(int=1), host="a"))
        with pytest.raises(ConflictError):
            write(store, ServiceRecord(id=UUID(int=2), host="a"))
        assert len(store.services.list()) == 1

    def test_a_change_sees_what_the_one_before_it_wrote(self, store: AnyStore) -> None:
        """A heartbeat and an operator at the same moment both have their way."""
        one = ServiceRecord(id=UUID(int=1), host="a")

        def beat(old: ServiceRecord | None) -> ServiceRecord:
            return replace(old or one, last_seen=NOON)

        def disable(old: ServiceRecord | None) -> ServiceRecord:
            return replace(old or one, disabled=True)

        with ThreadPoolExecutor(2) as pool:
            edits = [beat, disable] * 10
            [*pool.map(lambda edit: store.services.change(one.id, edit), edits)]
        both = replace(one, last_seen=NOON, disabled=True)
        assert store.services.get(one.id) == both

    def test_a_change_that_fails_changes_nothing(self, store: AnyStore) -> None:
        one = ServiceRecord(id=UUID(int=1), host="a")
        write(store, one)

        def fails(_: ServiceRecord | None) -> ServiceRecord:
            raise NotFoundError("no such word")

        with pytest.raises(NotFoundError, match="no such word"):
            store.services.change(one.id, fails)
        assert store.services.get(one.id) == one

    def test_an_unknown_service_is_not_found(self, store: AnyStore) -> None:
        with pytest.raises(NotFoundError, match=f"{NOBODY} could not be found"):
            store.services.get(NOBODY)
        with pytest.raises(NotFoundError, match=f"{NOBODY} could not be found"):
            store.services.remove(NOBODY)
