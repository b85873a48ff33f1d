"""The store: all tables of one database, brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from sundog.core.access.enrolment import Enrolment
from sundog.core.devices.card_notes import CardNotes
from sundog.core.devices.health import DeviceHealth
from sundog.core.lives.instance_action import InstanceAction
from sundog.core.projects.aggregates import Aggregates
from sundog.core.projects.flavor_access import FlavorAccess
from sundog.core.projects.keypair import Keypair
from sundog.core.projects.quota import QuotaSet
from sundog.core.projects.server_group import ServerGroup
from sundog.edges.storage.claim_table import ClaimTable
from sundog.edges.storage.database import Database, open_engine
from sundog.edges.storage.flavor_table import FlavorTable
from sundog.edges.storage.migrate import upgrade
from sundog.edges.storage.migration_table import MigrationTable
from sundog.edges.storage.server_table import ServerTable
from sundog.edges.storage.service_table import ServiceTable
from sundog.edges.storage.shelf_table import ShelfTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Everything that Sundog keeps; close it when done, or use ``with``."""

    flavors: FlavorTable
    servers: ServerTable
    claims: ClaimTable
    migrations: MigrationTable
    services: ServiceTable
    keypairs: ShelfTable[Keypair]
    actions: ShelfTable[InstanceAction]
    health: ShelfTable[DeviceHealth]
    cards: ShelfTable[CardNotes]
    groups: ShelfTable[ServerGroup]
    flavor_access: ShelfTable[FlavorAccess]
    quotas: ShelfTable[QuotaSet]
    aggregates: ShelfTable[Aggregates]
    enrolment: ShelfTable[Enrolment]
    database: Database

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()


def open_store(url: str) -> Store:
    """Open the database at an SQLAlchemy URL and bring its tables up to date.

    Raises BadConfigurationError when the URL cannot be used, UnavailableError when
    the database is away or a newer Sundog has upgraded it.
    """
    engine = open_engine(url)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    database = Database(engine)
    return Store(
        flavors=FlavorTable(database),
        servers=ServerTable(database),
        claims=ClaimTable(database),
        migrations=MigrationTable(database),
        services=ServiceTable(database),
        keypairs=ShelfTable(database, "keypair", Keypair),
        actions=ShelfTable(
            database, "action", InstanceAction, lambda one: not one.is_under_way
        ),
        health=ShelfTable(database, "device health", DeviceHealth),
        cards=ShelfTable(database, "card notes", CardNotes),
        flavor_access=ShelfTable(database, "flavor access", FlavorAccess),
        quotas=ShelfTable(database, "quota", QuotaSet),
        groups=ShelfTable(database, "server group", ServerGroup),
        enrolment=ShelfTable(database, "enrolment", Enrolment),
        aggregates=ShelfTable(database, "aggregates", Aggregates),
        database=database,
    )
