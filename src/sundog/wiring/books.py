"""The books that the API works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from sundog.edges.keys.key_maker import CryptographyKeys
from sundog.edges.rest.ask import Books
from sundog.wiring.outside import now
from sundog.workflows.actions.book import ActionBook
from sundog.workflows.actions.guest_views import GuestBook
from sundog.workflows.actions.history import History
from sundog.workflows.actions.recorded import boot_recorded, delete_recorded
from sundog.workflows.agreement.audit import AuditBook
from sundog.workflows.devices.health import DeviceBook
from sundog.workflows.devices.plug_book import PlugBook
from sundog.workflows.hosts import HostBook
from sundog.workflows.moves.book import MoveBook
from sundog.workflows.projects.aggregates import AggregateBook
from sundog.workflows.projects.flavor_access import AccessBook
from sundog.workflows.projects.flavors import FlavorBook
from sundog.workflows.projects.groups import GroupBook
from sundog.workflows.projects.keypairs import KeypairBook
from sundog.workflows.projects.quotas import QuotaBook
from sundog.workflows.servers import ServerBook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.images.image_folder import ImageFolder
    from sundog.edges.storage.store import Store
    from sundog.settings.tree import Settings
    from sundog.workflows.access.sign_in import Door
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.devices.health import HealthBook
    from sundog.workflows.jobs import Jobs
    from sundog.workflows.projects.aggregates import Membership

# Servers of one create request that are claimed in one write: a write's own cost is
# shared, and a refusal costs no more than this many single writes.
_BATCH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the books need."""

    settings: Settings
    store: Store
    images: ImageFolder
    conductor: Conductor
    jobs: Jobs
    door: Door
    health: HealthBook
    membership: Membership


def build_books(given: Needs) -> Books:
    """Build all of them."""
    settings, store, conductor = given.settings, given.store, given.conductor
    aliases = settings.pci.aliases
    quotas = QuotaBook(shelf=store.quotas, servers=store.servers, aliases=aliases)
    actions = ActionBook(
        conductor=conductor,
        images=given.images,
        history=History(shelf=store.actions, clock=now),
        begin=given.jobs.begin,
    )
    hosts = _host_book(given)
    return Books(
        flavors=FlavorBook(store.flavors, aliases),
        servers=_server_book(given, actions.history, quotas),
        hosts=hosts,
        aggregates=_aggregate_book(given),
        actions=actions,
        moves=MoveBook(
            actions=actions,
            flavors=store.flavors,
            hosts=hosts,
            quotas=quotas,
            new_id=uuid4,
        ),
        audit=AuditBook(conductor),
        devices=_device_book(given.health, conductor),
        guests=GuestBook(agents=conductor.agents),
        plugs=PlugBook(actions=actions, quotas=quotas),
        images=given.images,
        keypairs=KeypairBook(shelf=store.keypairs, keys=CryptographyKeys(), clock=now),
        groups=GroupBook(shelf=store.groups, servers=store.servers, new_id=uuid4),
        quotas=quotas,
        access=AccessBook(shelf=store.flavor_access),
        door=given.door,
        region=settings.identity.region,
        placement=settings.placement.endpoint,
    )


def _server_book(given: Needs, history: History, quotas: QuotaBook) -> ServerBook:
    store, conductor, begin = given.store, given.conductor, given.jobs.begin

    def begin_boot(server_ids: Sequence[UUID]) -> None:
        for start in range(0, len(server_ids), _BATCH):
            batch = tuple(server_ids[start : start + _BATCH])
            begin(partial(boot_recorded, conductor, history, batch))

    def begin_delete(server_id: UUID) -> None:
        begin(partial(delete_recorded, conductor, history, server_id))

    return ServerBook(
        servers=store.servers,
        claims=store.claims,
        flavors=store.flavors,
        images=given.images,
        aliases=conductor.aliases,
        history=history,
        clock=now,
        new_id=uuid4,
        quotas=quotas,
        check_ledger=conductor.ledger.check,
        begin_boot=begin_boot,
        begin_delete=begin_delete,
    )


def _host_book(given: Needs) -> HostBook:
    return HostBook(
        services=given.store.services,
        fleet=given.conductor.fleet,
        flavors=given.store.flavors,
        images=given.images,
        aliases=given.conductor.aliases,
        clock=now,
        aggregates=given.store.aggregates,
    )


def _aggregate_book(given: Needs) -> AggregateBook:
    return AggregateBook(
        shelf=given.store.aggregates,
        services=given.store.services,
        servers=given.store.servers,
        fleet=given.conductor.fleet,
        membership=given.membership,
        clock=now,
        new_id=uuid4,
    )


def _device_book(health: HealthBook, conductor: Conductor) -> DeviceBook:
    def addresses(host: str) -> frozenset[PciAddress] | None:
        state = conductor.fleet.state(host)
        if state is None:
            return None
        every = (each for card in state.snapshot.cards for each in card.devices)
        return frozenset(device.address for device in every)

    return DeviceBook(health, addresses, conductor.refresh)
