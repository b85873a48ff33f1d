"""The five stores in memory, safe under threads.

They pass the same contract as the database: tests/contracts/test_stores.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

from sundog.core.errors import ConflictError, NotFoundError
from sundog.core.lives.server import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sundog.core.lives.claim import Claim
    from sundog.core.lives.server import Server
    from sundog.core.moves.migration import Migration
    from sundog.core.requests.flavor import Flavor
    from sundog.workflows.moves.ports import MigrationQuery
    from sundog.workflows.ports import ServerQuery, ServiceRecord


class FakeFlavors:
    """Fulfils ``FlavorStore``."""

    def __init__(self) -> None:
        """Start empty."""
        self._flavors: dict[str, Flavor] = {}
        self._lock = Lock()

    def add(self, flavor: Flavor) -> None:
        with self._lock:
            for other in self._flavors.values():
                if flavor.id == other.id or flavor.name == other.name:
                    key = "id" if flavor.id == other.id else "name"
                    value = getattr(flavor, key)
                    raise ConflictError(f"flavor {key} {value!r} is taken")
            self._flavors[flavor.id] = flavor

    def get(self, flavor_id: str) -> Flavor:
        with self._lock:
            return self._known(flavor_id)

    def list(self) -> Sequence[Flavor]:
        with self._lock:
            return [self._flavors[key] for key in sorted(self._flavors)]

    def replace(self, flavor: Flavor) -> None:
        with self._lock:
            self._flavors[flavor.id] = replace(
                self._known(flavor.id),
                description=flavor.description,
                extra_specs=dict(flavor.extra_specs),
            )

    def remove(self, flavor_id: str) -> None:
        with self._lock:
            self._known(flavor_id)
            del self._flavors[flavor_id]

    def _known(self, flavor_id: str) -> Flavor:
        if flavor_id not in self._flavors:
            raise NotFoundError(f"flavor {flavor_id!r} could not be found")
        return self._flavors[flavor_id]


class FakeServers:
    """Fulfils ``ServerStore``."""

    def __init__(self) -> None:
        """Start empty."""
        self._servers: dict[UUID, Server] = {}
        self._lock = Lock()

    def add(self, servers: Sequence[Server]) -> None:
        with self._lock:
            new = {server.id: server for server in servers}
            if len(new) < len(servers) or new.keys() & self._servers.keys():
                raise ConflictError("a server's id is taken")
            self._servers |= new

    def get(self, server_id: UUID) -> Server:
        with self._lock:
            return self._known(server_id)

    def list(self, query: ServerQuery) -> Sequence[Server]:
        with self._lock:
            latest_first = [*reversed(self._servers.values())]
        found = [server for server in latest_first if _is_wanted(server, query)]
        return sorted(found, key=lambda server: server.created, reverse=True)

    def change(self, server_id: UUID, edit: Callable[[Server], Server]) -> Server:
        with self._lock:
            self._servers[server_id] = changed = edit(self._known(server_id))
            return changed

    def _known(self, server_id: UUID) -> Server:
        if server_id not in self._servers:
            raise NotFoundError(f"server {server_id} could not be found")
        return self._servers[server_id]


def _is_wanted(server: Server, query: ServerQuery) -> bool:
    deleted = server.phase is Phase.DELETED
    return (
        (query.project_id is None or server.project_id == query.project_id)
        and (query.host is None or server.host == query.host)
        and (query.deleted is None or deleted is query.deleted)
        and (query.changed_since is None or server.updated >= query.changed_since)
    )


class FakeClaims:
    """Fulfils ``ClaimStore``."""

    def __init__(self) -> None:
        """Start empty."""
        self._claims: dict[UUID, Claim] = {}
        self._lock = Lock()

    def put(self, claim: Claim) -> None:
        with self._lock:
            self._claims[claim.consumer] = claim

    def get(self, consumer: UUID) -> Claim | None:
        with self._lock:
            return self._claims.get(consumer)

    def remove(self, consumer: UUID) -> None:
        with self._lock:
            self._claims.pop(consumer, None)

    def exchange(self, put: Sequence[Claim], remove: Sequence[UUID] = ()) -> None:
        with self._lock:
            self._claims |= {claim.consumer: claim for claim in put}
            for consumer in remove:
                self._claims.pop(consumer, None)

    def of_host(self, host: str) -> Sequence[Claim]:
        with self._lock:
            claims = [*self._claims.values()]
        found = [claim for claim in claims if claim.assignment.host == host]
        return sorted(found, key=lambda claim: claim.consumer)


class FakeMigrations:
    """Fulfils ``MigrationStore``."""

    def __init__(self) -> None:
        """Start empty."""
        self._migrations: dict[UUID, Migration] = {}
        self._lock = Lock()

    def add(self, migration: Migration) -> Migration:
        with self._lock:
            if migration.id in self._migrations:
                raise ConflictError("a migration's id is taken")
            kept = replace(migration, number=len(self._migrations) + 1)
            self._migrations[migration.id] = kept
            return kept

    def get(self, migration_id: UUID) -> Migration:
        with self._lock:
            return self._known(migration_id)

    def list(self, query: MigrationQuery) -> Sequence[Migration]:
        with self._lock:
            latest_first = [*reversed(self._migrations.values())]
        return [
            one
            for one in latest_first
            if query.server_id in (None, one.server_id)
            and query.source in (None, one.source)
            and query.is_over in (None, one.is_over)
        ]

    def change(
        self, migration_id: UUID, edit: Callable[[Migration], Migration]
    ) -> Migration:
        with self._lock:
            self._migrations[migration_id] = changed = edit(self._known(migration_id))
            return changed

    def _known(self, migration_id: UUID) -> Migration:
        if migration_id not in self._migrations:
            raise NotFoundError(f"migration {migration_id} could not be found")
        return self._migrations[migration_id]


class FakeServices:
    """Fulfils ``ServiceStore``."""

    def __init__(self) -> None:
        """Start empty."""
        self._services: dict[UUID, ServiceRecord] = {}
        self._lock = Lock()

    def list(self) -> Sequence[ServiceRecord]:
        with self._lock:
            found = [*self._services.values()]
        return sorted(found, key=lambda service: (service.host, service.binary))

    def get(self, service_id: UUID) -> ServiceRecord:
        with self._lock:
            return self._known(service_id)

    def change(
        self,
        service_id: UUID,
        edit: Callable[[ServiceRecord | None], ServiceRecord],
    ) -> ServiceRecord:
        with self._lock:
            service = edit(self._services.get(service_id))
            for other in self._services.values():
                same = (other.host, other.binary) == (service.host, service.binary)
                if same and other.id != service.id:
                    raise ConflictError(f"{service.host} has that service already")
            self._services[service_id] = service
            return service

    def remove(self, service_id: UUID) -> None:
        with self._lock:
            self._known(service_id)
            del self._services[service_id]

    def _known(self, service_id: UUID) -> ServiceRecord:
        if service_id not in self._services:
            raise NotFoundError(f"service {service_id} could not be found")
        return self._services[service_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeStore:
    """All five, empty at first."""

    flavors: FakeFlavors = field(default_factory=FakeFlavors)
    servers: FakeServers = field(default_factory=FakeServers)
    claims: FakeClaims = field(default_factory=FakeClaims)
    migrations: FakeMigrations = field(default_factory=FakeMigrations)
    services: FakeServices = field(default_factory=FakeServices)
