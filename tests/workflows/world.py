"""A whole service of values and fakes: hosts, stores, ledger, conductor."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from tests.fakes.agent import FakeAgent
from tests.fakes.images import FakeImages
from tests.fakes.ledger import FakeLedger
from tests.fakes.shelf import FakeShelf
from tests.fakes.stores import FakeStore

from sundog.core.choosing.taste import Taste
from sundog.core.devices.device import Card, Device, DeviceKind, DeviceTags
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.host_snapshot import Cell, HostSnapshot
from sundog.core.lives.instance_action import InstanceAction
from sundog.core.requests.alias import parse_aliases
from sundog.core.requests.flavor import Flavor
from sundog.workflows.actions.book import ActionBook
from sundog.workflows.actions.history import History
from sundog.workflows.actions.recorded import boot_recorded, delete_recorded
from sundog.workflows.conductor import Conductor
from sundog.workflows.devices.plug_book import PlugBook
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.hosts import HostBook
from sundog.workflows.moves.book import MoveBook
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.ports import Image
from sundog.workflows.projects.flavors import FlavorBook
from sundog.workflows.projects.quotas import QuotaBook
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.servers import NewServer, ServerBook
from sundog.workflows.start_host import start_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

THEN = datetime(2026, 1, 1, tzinfo=UTC)
TINY = Image(
    id="tiny-id",
    name="tiny",
    size=1,
    disk_format="raw",
    checksum="0",
    created=THEN,
    updated=THEN,
)
ALIASES = parse_aliases(
    [
        json.dumps(
            {
                "name": "vf",
                "product_id": "154c",
                "device_type": "type-VF",
                "live_migratable": "yes",
            }
        ),
        json.dumps(
            {
                "name": "vGPU",
                "device_type": "type-MDEV",
                "mdev_type": "nvidia-35",
                "live_migratable": "yes",
            }
        ),
    ]
)


def host(name: str, vfs: int = 2, mdevs: int = 2) -> HostSnapshot:
    """Return a host of one cell with 8 shared CPUs, a NIC's VFs and a card of mdevs."""
    cpus = frozenset(range(8))
    nic = PciAddress.parse("0000:3b:00.0")
    gpu = PciAddress.parse("0000:84:00.0")
    return HostSnapshot(
        name=name,
        uuid=UUID(int=int.from_bytes(name.encode())),
        cells=(
            Cell(
                id=0,
                socket=0,
                cpus=cpus,
                shared=cpus,
                dedicated=frozenset(),
                siblings=tuple(frozenset({cpu}) for cpu in cpus),
                memory_mb=8192,
            ),
        ),
        cards=(
            Card(
                address=nic,
                budget=max(vfs, 1),
                devices=tuple(
                    Device(
                        address=PciAddress(0, 0x3B, 1, number),
                        kind=DeviceKind.VF,
                        vendor_id="8086",
                        product_id="154c",
                        resource_class="CUSTOM_PCI_8086_154C",
                        numa_nodes=frozenset({0}),
                        tags=DeviceTags(live_migratable=True),
                    )
                    for number in range(vfs)
                ),
            ),
            Card(
                address=gpu,
                budget=max(mdevs, 1),
                devices=(
                    Device(
                        address=gpu,
                        kind=DeviceKind.MDEV,
                        vendor_id="10de",
                        product_id="1db4",
                        resource_class="VGPU",
                        numa_nodes=frozenset({0}),
                        type_id="nvidia-35",
                        total=mdevs,
                        available=mdevs,
                        tags=DeviceTags(live_migratable=True),
                    ),
                ),
            ),
        ),
        disk_gb=100,
        cpu_ratio=16.0,
        libvirt_version=10_000_000,
        qemu_version=8_002_002,
    )


def flavor(name: str, **specs: str) -> Flavor:
    """Return a small flavor; an alias by ``pci=``."""
    extra = {"pci_passthrough:alias": specs.pop("pci")} if "pci" in specs else {}
    return Flavor(
        id=name, name=name, vcpus=1, memory_mb=64, disk_gb=0, extra_specs=extra | specs
    )


@dataclass
class World:
    """Hosts by name with everything round them; jobs run when ``work`` is called."""

    agents: dict[str, FakeAgent]
    store: FakeStore = field(default_factory=FakeStore)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    queue: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        seconds = itertools.count()
        self.clock = lambda: THEN + timedelta(seconds=next(seconds))
        ids = itertools.count(1)
        self.fleet = FleetView(Taste())
        self.images = FakeImages([TINY])
        reports = HostReport(self.ledger, self.fleet, self.store.services, self.clock)
        self.conductor = Conductor(
            servers=self.store.servers,
            claims=self.store.claims,
            migrations=self.store.migrations,
            ledger=self.ledger,
            fleet=self.fleet,
            agents=self.agents,
            reports=reports,
            aliases=ALIASES,
            clock=self.clock,
            locks=ServerLocks(),
        )
        recorded = FakeShelf[InstanceAction](lambda one: not one.is_under_way)
        self.history = History(shelf=recorded, clock=self.clock)
        self.servers = ServerBook(
            servers=self.store.servers,
            claims=self.store.claims,
            flavors=self.store.flavors,
            images=self.images,
            aliases=ALIASES,
            history=self.history,
            clock=self.clock,
            new_id=lambda: UUID(int=next(ids)),
            quotas=QuotaBook(
                shelf=FakeShelf(), servers=self.store.servers, aliases=ALIASES
            ),
            check_ledger=self.ledger.check,
            begin_boot=lambda ids: self.queue.append(
                lambda: boot_recorded(self.conductor, self.history, ids)
            ),
            begin_delete=lambda one: self.queue.append(
                lambda: delete_recorded(self.conductor, self.history, one)
            ),
        )
        self.actions = ActionBook(
            conductor=self.conductor,
            images=self.images,
            history=self.history,
            begin=self.queue.append,
        )
        self.plugs = PlugBook(actions=self.actions, quotas=self.servers.quotas)
        self.hosts = HostBook(
            services=self.store.services,
            fleet=self.fleet,
            flavors=self.store.flavors,
            images=self.images,
            aliases=ALIASES,
            clock=self.clock,
            down_after=10_000,
        )
        self.moves = MoveBook(
            actions=self.actions,
            flavors=self.store.flavors,
            hosts=self.hosts,
            quotas=self.servers.quotas,
            new_id=lambda: UUID(int=next(ids)),
        )
        for agent in self.agents.values():
            agent.peers.update(self.agents)
        self.flavors = FlavorBook(self.store.flavors, ALIASES)
        for agent in self.agents.values():
            start_host(self.conductor, self.hosts, agent.report())

    def order(self, one: Flavor, count: int = 1) -> list[UUID]:
        """Ask for servers of a flavor; nothing is built yet."""
        if one not in self.store.flavors.list():
            self.flavors.create(one)
        new = NewServer(
            name="vm",
            flavor_id=one.id,
            image_id=TINY.id,
            project_id="p",
            user_id="u",
            max_count=count,
        )
        return [server.id for server in self.servers.create(new)]

    def work(self) -> None:
        """Do every queued job, in order."""
        while self.queue:
            self.queue.pop(0)()

    def boot(self, one: Flavor, count: int = 1) -> list[UUID]:
        """Ask for servers and build them."""
        ids = self.order(one, count)
        self.work()
        return ids

    def check_agreement(self) -> None:
        """Claims, view, Placement and guests tell the same of every server."""
        migrations = {one.id for one in self.store.migrations.list(MigrationQuery())}
        for name, agent in self.agents.items():
            claims = self.store.claims.of_host(name)
            held = {claim.consumer: claim.assignment for claim in claims}
            state = self.fleet.state(name)
            assert state is not None
            assert set(agent.guests) - {claim.guest for claim in claims} == (
                held.keys() - migrations
            )
            assert state.held_by == held
            charged = {
                consumer
                for consumer, assignment in held.items()
                if allocation_of(assignment, state.snapshot)
            }
            assert self.ledger.consumers(state.snapshot.uuid) == charged


def world(*snapshots: HostSnapshot) -> World:
    """Return a world of hosts."""
    return World(agents={one.name: FakeAgent(one) for one in snapshots})


def hosts(*names: str) -> Sequence[HostSnapshot]:
    """Equal hosts of these names."""
    return [host(name) for name in names]
