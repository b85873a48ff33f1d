"""The embedded service: API, conductor, Placement and all agents in one process."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID, uuid4

from sundog.edges.identity.users_file import read_users_file
from sundog.edges.images.image_folder import ImageFolder
from sundog.edges.keys.key_maker import CryptographyKeys
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.membership import PlacementMembership
from sundog.edges.placement.sessions import inside_session, token_session
from sundog.edges.rest.app import build_app
from sundog.edges.rest.ask import Books
from sundog.edges.storage.state_lock import hold_state
from sundog.edges.storage.store import Store, open_store
from sundog.wiring.pulse import heartbeat
from sundog.wiring.real import RealHost, follow_guests, real_host, real_host_name
from sundog.wiring.rules import follow_rules, host_rules
from sundog.wiring.simulated import (
    SimulatedHost,
    host_models,
    join,
    simulated_host,
)
from sundog.workflows.access.register import Register
from sundog.workflows.access.sign_in import LockedDoor, OpenDoor
from sundog.workflows.actions.book import ActionBook
from sundog.workflows.actions.guest_views import GuestBook
from sundog.workflows.actions.history import History
from sundog.workflows.actions.recorded import (
    boot_recorded,
    delete_recorded,
    end_cut_off,
)
from sundog.workflows.agreement.audit import AuditBook
from sundog.workflows.conductor import Conductor
from sundog.workflows.devices.cards import CardBook
from sundog.workflows.devices.health import DeviceBook, HealthBook
from sundog.workflows.devices.plug_book import PlugBook
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.host_agent import LocalHost
from sundog.workflows.hosts import HostBook
from sundog.workflows.jobs import Jobs
from sundog.workflows.moves.book import MoveBook
from sundog.workflows.projects.aggregates import AggregateBook
from sundog.workflows.projects.flavor_access import AccessBook
from sundog.workflows.projects.flavors import FlavorBook
from sundog.workflows.projects.groups import GroupBook
from sundog.workflows.projects.keypairs import KeypairBook
from sundog.workflows.projects.quotas import QuotaBook
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.servers import ServerBook
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from wsgiref.types import WSGIApplication

    from sundog.core.access.people import People
    from sundog.core.devices.pci_address import PciAddress
    from sundog.settings.tree import Settings
    from sundog.workflows.access.sign_in import Door
    from sundog.workflows.ports import Ledger
    from sundog.workflows.projects.aggregates import Membership
    from sundog.workflows.pulse.heartbeat import Heartbeat

# Servers of one create request that are claimed in one write: a write's own cost is
# shared, and a refusal costs no more than this many single writes.
_BATCH: Final = 10


def now() -> datetime:
    """Tell the time, UTC and aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A service in this process; close it when done, or use ``with``.

    ``simulated`` gives the kernels of simulated hosts, to ask faults of.
    """

    app: WSGIApplication
    books: Books
    conductor: Conductor
    agents: Mapping[str, LocalHost]
    simulated: Mapping[str, SimulatedHost]
    jobs: Jobs
    heartbeat: Heartbeat
    closing: ExitStack

    def start(self) -> None:
        """Take the hosts up and settle what an earlier life left."""
        self.heartbeat.look()
        servers, history = self.conductor.servers, self.books.actions.history
        end_cut_off(servers, history)
        settle(self.conductor, self.books.servers.begin_delete)
        end_cut_off(servers, history)

    def beat(self) -> None:
        """Scan every host, report what changed, take up what waited."""
        self.heartbeat.beat()

    def follow_rules(self, settings: Settings) -> None:
        """Apply a whitelist that was read anew, at once.

        Raises BadConfigurationError, and changes nothing, where it would turn a held
        PF into VFs or the other way round. A host that is away takes it up later.
        """
        follow_rules(self.agents, settings)
        self.beat()

    def close(self) -> None:
        """Finish the jobs that were begun, then close everything."""
        self.closing.close()

    def __enter__(self) -> Self:
        """Return the service itself."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """What the books need beside the store and the conductor."""

    door: Door
    health: HealthBook
    images: ImageFolder
    membership: Membership


def build_embedded(settings: Settings) -> Embedded:
    """Build the service; nothing is scanned before ``start``.

    Raises BadConfigurationError with everything that is wrong.
    """
    models = host_models(settings.simulated_hosts, real_host_name(settings))
    images = ImageFolder(settings.images)
    people = _people(settings)
    settings.state_path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opening:
        opening.callback(hold_state(settings.state_path))
        store = open_store(settings.database)
        opening.callback(store.close)
        ledger, membership, mounts = _placement(settings, opening)
        simulated = {
            model.name: simulated_host(model, settings.state_path) for model in models
        }
        join(simulated)
        rules, serial = host_rules(settings), time.time_ns()
        health, cards = HealthBook(store.health), CardBook(store.cards)
        tools = {name: host.tools for name, host in simulated.items()}
        real = _real(settings, images, opening)
        if real is not None:
            tools[real.name] = real.tools
        agents = {
            name: LocalHost(
                name,
                replace(each, health=health, cards=cards),
                store.claims,
                rules,
                serial,
            )
            for name, each in tools.items()
        }
        jobs = opening.enter_context(Jobs())
        conductor = _conductor(settings, store, ledger, agents)
        if real is not None:
            opening.callback(follow_guests(real, conductor, jobs).stop)
        outside = _Outside(
            door=_door(settings, people, store),
            health=health,
            images=images,
            membership=membership,
        )
        books = _books(settings, store, conductor, jobs, outside)
        return Embedded(
            app=build_app(books, mounts),
            books=books,
            conductor=conductor,
            agents=agents,
            simulated=simulated,
            jobs=jobs,
            heartbeat=heartbeat(conductor, books, jobs, health, opening),
            closing=opening.pop_all(),
        )


def _real(
    settings: Settings, images: ImageFolder, opening: ExitStack
) -> RealHost | None:
    name = real_host_name(settings)
    if name is None:
        return None
    host = real_host(settings, name, images.file_of)
    opening.callback(host.connection.close)
    return host


def _placement(
    settings: Settings, opening: ExitStack
) -> tuple[Ledger, Membership, Mapping[str, WSGIApplication]]:
    mounts: dict[str, WSGIApplication] = {}
    if settings.placement.endpoint:
        session = token_session(settings.placement.endpoint, settings.placement.token)
    else:
        placement = EmbeddedPlacement(settings.state_path / "placement.db")
        opening.callback(placement.close)
        session = inside_session(placement)
        mounts["/placement"] = placement
    return PlacementLedger(session), PlacementMembership(session), mounts


def _conductor(
    settings: Settings, store: Store, ledger: Ledger, agents: Mapping[str, LocalHost]
) -> Conductor:
    fleet = FleetView(settings.taste)
    return Conductor(
        servers=store.servers,
        claims=store.claims,
        migrations=store.migrations,
        ledger=ledger,
        fleet=fleet,
        agents=agents,
        reports=HostReport(ledger, fleet, store.services, now),
        aliases=settings.pci.aliases,
        clock=now,
        locks=ServerLocks(),
        max_attempts=settings.max_attempts,
        resize_in_place=settings.resize_in_place,
        detach_seconds=settings.detach_seconds,
        groups=store.groups,
        aggregates=store.aggregates,
    )


def _aggregate_book(
    store: Store, conductor: Conductor, membership: Membership
) -> AggregateBook:
    return AggregateBook(
        shelf=store.aggregates,
        services=store.services,
        servers=store.servers,
        fleet=conductor.fleet,
        membership=membership,
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


def _people(settings: Settings) -> People | None:
    """Read who may sign in; None where everybody is let in."""
    file = settings.identity.users_file
    return read_users_file(file) if file else None


def _door(settings: Settings, people: People | None, store: Store) -> Door:
    lifetime = timedelta(seconds=settings.identity.token_seconds)
    if people is None:
        return OpenDoor(now, lifetime)
    register = Register(people, store.enrolment, token_urlsafe)
    return LockedDoor(register, now, token_urlsafe, lifetime)


def _books(
    settings: Settings,
    store: Store,
    conductor: Conductor,
    jobs: Jobs,
    outside: _Outside,
) -> Books:
    images = outside.images
    aliases = settings.pci.aliases
    quotas = QuotaBook(shelf=store.quotas, servers=store.servers, aliases=aliases)
    history = History(shelf=store.actions, clock=now)
    actions = ActionBook(
        conductor=conductor, images=images, history=history, begin=jobs.begin
    )

    def begin_boot(server_ids: Sequence[UUID]) -> None:
        for start in range(0, len(server_ids), _BATCH):
            batch = tuple(server_ids[start : start + _BATCH])
            jobs.begin(partial(boot_recorded, conductor, history, batch))

    def begin_delete(server_id: UUID) -> None:
        jobs.begin(partial(delete_recorded, conductor, history, server_id))

    actions = ActionBook(
        conductor=conductor, images=images, history=history, begin=jobs.begin
    )
    hosts = HostBook(
        services=store.services,
        fleet=conductor.fleet,
        flavors=store.flavors,
        images=images,
        aliases=aliases,
        clock=now,
        aggregates=store.aggregates,
    )
    return Books(
        flavors=FlavorBook(store.flavors, aliases),
        servers=ServerBook(
            servers=store.servers,
            claims=store.claims,
            flavors=store.flavors,
            images=images,
            aliases=aliases,
            history=history,
            clock=now,
            new_id=uuid4,
            quotas=quotas,
            check_ledger=conductor.ledger.check,
            begin_boot=begin_boot,
            begin_delete=begin_delete,
        ),
        hosts=hosts,
        aggregates=_aggregate_book(store, conductor, outside.membership),
        actions=actions,
        moves=MoveBook(
            actions=actions,
            flavors=store.flavors,
            hosts=hosts,
            quotas=quotas,
            new_id=uuid4,
        ),
        audit=AuditBook(conductor),
        devices=_device_book(outside.health, conductor),
        guests=GuestBook(agents=conductor.agents),
        plugs=PlugBook(actions=actions, quotas=quotas),
        images=images,
        keypairs=KeypairBook(shelf=store.keypairs, keys=CryptographyKeys(), clock=now),
        groups=GroupBook(shelf=store.groups, servers=store.servers, new_id=uuid4),
        quotas=quotas,
        access=AccessBook(shelf=store.flavor_access),
        door=outside.door,
        region=settings.identity.region,
        placement=settings.placement.endpoint,
    )
