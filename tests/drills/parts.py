"""A service of real parts that a drill can cut off between any two steps.

Real SQLite, real Placement, real libvirt (its test driver), simulated devices; only
the threads are left out, so that a step is the same step in every run.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Self
from uuid import NAMESPACE_DNS, UUID, uuid4, uuid5

from tests.drills.databases import Databases
from tests.drills.fuse import Fuse, watched
from tests.fakes.images import FakeImages
from tests.fakes.shelf import FakeShelf

from sundog.core.choosing.taste import Taste
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.lives.instance_action import Asked
from sundog.core.lives.intent import BOOT, Intent
from sundog.core.lives.server import Phase, Server, ServerEvent
from sundog.core.lives.server_life import MOVE_EVENTS
from sundog.core.requests.alias import parse_aliases
from sundog.core.requests.flavor import Flavor
from sundog.edges.libvirt.capabilities_xml import CpuSets
from sundog.edges.libvirt.connection import libvirt_error, open_connection
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.libvirt.live.carriers import TestDriverCarrier
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session
from sundog.edges.simulation.consoles import SimulatedConsoles
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.plugging.hot_plug import HotPlug
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.workflows.actions.book import ActionBook, Call, Rebuild
from sundog.workflows.actions.history import History
from sundog.workflows.actions.recorded import (
    boot_recorded,
    delete_recorded,
    end_cut_off,
    end_settled,
)
from sundog.workflows.agreement.audit import AuditBook
from sundog.workflows.conductor import Conductor
from sundog.workflows.devices.plug_book import PlugBook
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.host_agent import HostRules, HostTools, LocalHost
from sundog.workflows.hosts import HostBook
from sundog.workflows.moves.book import MoveBook
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.ports import Image, ServerQuery
from sundog.workflows.projects.quotas import QuotaBook
from sundog.workflows.pulse.heartbeat import Heartbeat
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from sundog.edges.libvirt.connection import Connection
    from sundog.workflows.ports import Clock

RULES: Final = (
    '{"product_id": "1eb8", "mdev_type": "nvidia-232", "live_migratable": "yes"}',
    '{"product_id": "1db4", "live_migratable": "yes"}',
)
_MOVABLE: Final = {"numa_policy": "preferred", "live_migratable": "yes"}
ALIASES: Final = (
    json.dumps({"name": "vGPU", "device_type": "type-MDEV"} | _MOVABLE),
    json.dumps({"name": "v100", "product_id": "1db4"} | _MOVABLE),
)
FLAVOR: Final = Flavor(
    id="two",
    name="two",
    vcpus=1,
    memory_mb=64,
    disk_gb=1,
    extra_specs={
        "pci_passthrough:alias": "vGPU:2,v100:1",
        "hw:cpu_policy": "dedicated",
    },
)
SLICE: Final = Flavor(
    id="one",
    name="one",
    vcpus=1,
    memory_mb=64,
    disk_gb=1,
    extra_specs={"pci_passthrough:alias": "vGPU:1"},
)
IMAGE: Final = Image(
    id="tiny",
    name="tiny",
    size=1,
    disk_format="raw",
    checksum="0",
    created=datetime(2026, 1, 1, tzinfo=UTC),
    updated=datetime(2026, 1, 1, tzinfo=UTC),
)
OTHER_IMAGE: Final = replace(IMAGE, id="other", name="other")
# How an action is asked for that needs more than its name.
ASK: Final[Mapping[ServerEvent, Callable[[ActionBook, Call, ServerEvent], object]]] = {
    ServerEvent.REBUILD: lambda book, call, _: book.rebuild(
        call, Rebuild(image_id=OTHER_IMAGE.id)
    ),
    ServerEvent.RESCUE: lambda book, call, _: book.rescue(call, OTHER_IMAGE.id),
    ServerEvent.UNRESCUE: lambda book, call, _: book.unrescue(call),
    ServerEvent.UNSHELVE: lambda book, call, _: book.unshelve(call, None),
    ServerEvent.ATTACH: lambda book, call, _: plugs(book).attach(call, "vGPU:1"),
    ServerEvent.DETACH: lambda book, call, _: plugs(book).detach(call, "vGPU/0"),
    ServerEvent.RESET_ERROR: lambda book, call, _: book.reset(call, active=False),
}


@dataclass(frozen=True)
class Machine:
    """A simulated host, which outlives the service's processes."""

    kernel: SimulatedKernel
    guests: LibvirtGuests
    connection: Connection
    carrier: TestDriverCarrier
    versions: Callable[[], tuple[int, int]] | None = None

    @classmethod
    def boot(cls, folder: Path, name: str = "small") -> Self:
        """Boot the host: no guests, no mdevs."""
        model = replace(read_host_file(shipped_host("small")), name=name)
        kernel = SimulatedKernel(model)
        return cls.of(kernel, open_connection(write_test_host(kernel, folder)))

    @classmethod
    def of(cls, kernel: SimulatedKernel, connection: Connection) -> Self:
        """Return the host of a kernel and its libvirt."""
        carrier = TestDriverCarrier()
        plugged = HotPlug(connection, kernel, libvirt_error)
        guests = LibvirtGuests(plugged, TEST_DRIVER, lambda _: None, carrier=carrier)
        return cls(kernel, guests, connection, carrier)

    @property
    def name(self) -> str:
        """The host's name."""
        return self.kernel.host.name

    def tools(self, fuse: Fuse) -> HostTools:
        """Return the host's edges, each step of theirs watched."""
        guests = watched(self.guests, fuse)
        kernel = watched(self.kernel, fuse)
        model = self.kernel.host
        identity = HostIdentity(
            name=self.name,
            uuid=uuid5(NAMESPACE_DNS, self.name),
            disk_gb=model.disk_gb,
            libvirt_version=10_000_000,
            qemu_version=8_002_002,
            cpu_sets=CpuSets(
                shared=model.cpu_shared_set, dedicated=model.cpu_dedicated_set
            ),
        )
        site = Site(kernel=kernel, holders=guests.holders, wait=lambda _: None)
        return HostTools(
            reader=LibvirtHostReader(identity, kernel, self.versions),
            bench=LibvirtDeviceBench(site),
            guests=guests,
            consoles=SimulatedConsoles(guests.definition),
        )


def plugs(actions: ActionBook) -> PlugBook:
    """Return what attaches and detaches devices; there are no quotas here."""
    servers, aliases = actions.conductor.servers, actions.conductor.aliases
    quotas = QuotaBook(shelf=FakeShelf(), servers=servers, aliases=aliases)
    return PlugBook(actions=actions, quotas=quotas)


def _do(work: Callable[[], object]) -> None:
    work()


def _asked() -> Asked:
    return Asked(request_id=f"req-{uuid4()}", user_id="u", project_id="p")


class Process:
    """One life of the service on a folder, or databases, and one or two machines."""

    def __init__(
        self,
        where: Path | Databases,
        machine: Machine,
        fuse: Fuse | None = None,
        clock: Clock = lambda: datetime.now(UTC),
        other: Machine | None = None,
    ) -> None:
        """Open what is not open yet; the fuse burns from the first step on."""
        fuse = fuse or Fuse()
        self.machine = machine
        self.machines = [machine, *([other] if other else [])]
        self._closing = ExitStack()
        if not isinstance(where, Databases):
            where = self._closing.enter_context(Databases(where))
        self.store = where.store
        ledger = watched(PlacementLedger(inside_session(where.placement)), fuse)
        servers = watched(self.store.servers, fuse)
        claims = watched(self.store.claims, fuse)
        fleet = FleetView(Taste())
        rules = HostRules(specs=parse_device_specs(RULES))
        self.agents = {
            one.name: LocalHost(one.name, one.tools(fuse), claims, rules)
            for one in self.machines
        }
        for one in self.machines:
            one.carrier.peers = {
                peer.name: watched(peer.guests, fuse) for peer in self.machines
            }
        self.conductor = Conductor(
            servers=servers,
            claims=claims,
            migrations=watched(self.store.migrations, fuse),
            ledger=ledger,
            fleet=fleet,
            agents=self.agents,
            reports=HostReport(ledger, fleet, self.store.services, clock),
            aliases=parse_aliases(ALIASES),
            clock=clock,
            locks=ServerLocks(),
        )
        self.agent = self.agents[machine.name]
        self.history = History(shelf=watched(self.store.actions, fuse), clock=clock)
        self.actions = ActionBook(
            conductor=self.conductor,
            images=FakeImages([IMAGE, OTHER_IMAGE]),
            history=self.history,
            begin=_do,
        )
        self.audit = AuditBook(self.conductor)
        self.hosts = HostBook(
            services=self.store.services,
            fleet=fleet,
            flavors=self.store.flavors,
            images=FakeImages([]),
            aliases={},
            clock=clock,
        )
        self.heartbeat = Heartbeat(
            conductor=self.conductor,
            hosts=self.hosts,
            begin=_do,
            begin_delete=self._delete,
            settled=partial(end_settled, self.store.servers, self.history),
        )
        self.moves = MoveBook(
            actions=self.actions,
            flavors=self.store.flavors,
            hosts=self.hosts,
            quotas=QuotaBook(
                shelf=self.store.quotas,
                servers=self.store.servers,
                aliases=self.conductor.aliases,
            ),
            new_id=uuid4,
        )
        if not self.store.flavors.list():
            self.store.flavors.add(SLICE)

    def start(self) -> None:
        """Take the host up and settle what an earlier life left."""
        self.heartbeat.look()
        end_cut_off(self.conductor.servers, self.history)
        settle(self.conductor, self._delete)
        end_cut_off(self.conductor.servers, self.history)

    def boot(self, server_id: UUID, flavor: Flavor = FLAVOR) -> Phase:
        """Ask for a server and build it."""
        now = self.conductor.clock()
        server = Server(
            id=server_id,
            name="vm",
            project_id="p",
            user_id="u",
            flavor=flavor,
            image_id=IMAGE.id,
            created=now,
            updated=now,
            intent=Intent.of(BOOT, now),
        )
        self.conductor.servers.add([server])
        self.history.begin(server_id, "create", _asked())
        boot_recorded(self.conductor, self.history, [server_id])
        return self.phase(server_id)

    def delete(self, server_id: UUID) -> Phase:
        """Ask for a server's end and bring it about."""
        self.conductor.advance(server_id, ServerEvent.ASK_DELETE)
        self.history.begin(server_id, "delete", _asked())
        self._delete(server_id)
        return self.phase(server_id)

    def _delete(self, server_id: UUID) -> None:
        delete_recorded(self.conductor, self.history, server_id)

    def act(self, server_id: UUID, event: ServerEvent) -> Phase:
        """Ask for an action and bring it to its end."""
        call = Call(server_id=server_id, asked=_asked(), over_lock=True)
        if event in MOVE_EVENTS:
            self._move(call, event)
        else:
            ASK.get(event, ActionBook.act)(self.actions, call, event)
        return self.phase(server_id)

    def _move(self, call: Call, event: ServerEvent) -> None:
        match event:
            case ServerEvent.RESIZE:
                self.moves.resize(call, SLICE.id)
            case ServerEvent.MIGRATE:
                self.moves.migrate(call)
            case ServerEvent.CONFIRM:
                self.moves.confirm(call)
            case ServerEvent.REVERT:
                self.moves.revert(call)
            case ServerEvent.MIGRATE_LIVE:
                self.moves.migrate_live(call)
            case _:
                host = self.store.servers.get(call.server_id).host
                self.force_down({host})
                self.moves.evacuate(call, stays_off=event is ServerEvent.EVACUATE_OFF)

    def force_down(self, hosts: Collection[str | None]) -> None:
        """Say which hosts are down; the others are up, and cleaned if they were not."""
        for service in self.store.services.list():
            down = service.host in hosts
            self.moves.clean(self.hosts.set_service(service.id, forced_down=down))

    def phase(self, server_id: UUID) -> Phase:
        """Return where a server is."""
        return self.store.servers.get(server_id).phase

    def unfinished(self) -> list[UUID]:
        """Return the servers that are not deleted."""
        return [server.id for server in self.store.servers.list(ServerQuery())]

    def disagreements(self) -> list[str]:
        """Return what the audit finds, and what choosers know otherwise."""
        found = [one.line for one in self.audit.audit()]
        for name in self.agents:
            state = self.conductor.fleet.state(name)
            claimed = {claim.consumer for claim in self.store.claims.of_host(name)}
            if state is None or set(state.held_by) != claimed:
                found.append("choosers see something else than what is claimed")
        found += [f"unfinished: {job.line}" for job in self.audit.unfinished()]
        found += [
            f"the action {action.action} of {action.server_id} does not end"
            for action in self.history.under_way()
        ]
        return found

    def left(self) -> list[str]:
        """Return everything that is held by anybody: rows, charges, mdevs, guests."""
        left = [f"server {server}" for server in self.unfinished()]
        for one in self.machines:
            root = self.agents[one.name].report().uuid
            left += [
                *(f"claim {c.consumer}" for c in self.store.claims.of_host(one.name)),
                *(f"charge {c}" for c in self.conductor.ledger.consumers(root)),
                *(f"mdev {mdev.uuid}" for mdev in one.kernel.mdevs()),
                *(f"guest {guest}" for guest in one.guests.running()),
            ]
        moves = self.store.migrations.list(MigrationQuery(is_over=False))
        return left + [f"migration {move.number}" for move in moves]

    def close(self) -> None:
        """Let go of the databases, as the end of a process does."""
        self._closing.close()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()
