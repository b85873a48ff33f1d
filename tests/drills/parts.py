"""A service of real parts that a drill can cut off between any two steps.

Real SQLite, real Placement, real libvirt (its test driver), simulated devices; only
the threads are left out, so that a step is the same step in every run.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Self
from uuid import NAMESPACE_DNS, UUID, uuid4, uuid5

from tests.drills.fuse import Fuse, watched
from tests.fakes.images import FakeImages
from tests.stories.service import new_databases

from sundog.core.choosing.taste import Taste
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.lives.instance_action import Asked
from sundog.core.lives.intent import BOOT, Intent
from sundog.core.lives.server import Phase, Server, ServerEvent
from sundog.core.requests.alias import parse_aliases
from sundog.core.requests.flavor import Flavor
from sundog.edges.libvirt.capabilities_xml import CpuSets
from sundog.edges.libvirt.connection import open_connection
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session
from sundog.edges.simulation.consoles import SimulatedConsoles
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.edges.storage.store import Store, open_store
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
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.host_agent import HostRules, HostTools, LocalHost
from sundog.workflows.hosts import HostBook
from sundog.workflows.ports import Image, ServerQuery
from sundog.workflows.pulse.heartbeat import Heartbeat
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from sundog.edges.libvirt.connection import Connection
    from sundog.workflows.ports import Clock

RULES: Final = (
    '{"product_id": "1eb8", "mdev_type": "nvidia-232"}',
    '{"product_id": "1db4"}',
)
ALIASES: Final = (
    '{"name": "vGPU", "device_type": "type-MDEV", "numa_policy": "preferred"}',
    '{"name": "v100", "product_id": "1db4", "numa_policy": "preferred"}',
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
    disk_gb=0,
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
    ServerEvent.UNSHELVE: lambda book, call, _: book.unshelve(call, None),
    ServerEvent.RESET_ERROR: lambda book, call, _: book.reset(call, active=False),
}


@dataclass(frozen=True)
class Machine:
    """A simulated host, which outlives the service's processes."""

    kernel: SimulatedKernel
    guests: LibvirtGuests
    connection: Connection

    @classmethod
    def boot(cls, folder: Path) -> Self:
        """Boot the host: no guests, no mdevs."""
        kernel = SimulatedKernel(read_host_file(shipped_host("small")))
        connection = open_connection(write_test_host(kernel, folder))
        return cls(kernel, LibvirtGuests(connection, TEST_DRIVER), connection)

    def tools(self, fuse: Fuse) -> HostTools:
        """Return the host's edges, each step of theirs watched."""
        guests = watched(self.guests, fuse)
        kernel = watched(self.kernel, fuse)
        model = self.kernel.host
        identity = HostIdentity(
            name="small",
            uuid=uuid5(NAMESPACE_DNS, "small"),
            disk_gb=model.disk_gb,
            cpu_sets=CpuSets(
                shared=model.cpu_shared_set, dedicated=model.cpu_dedicated_set
            ),
        )
        site = Site(kernel=kernel, holders=guests.holders, wait=lambda _: None)
        return HostTools(
            reader=LibvirtHostReader(identity, kernel),
            bench=LibvirtDeviceBench(site),
            guests=guests,
            consoles=SimulatedConsoles(guests.definition),
        )


class Databases:
    """What outlives every process: Sundog's database and Placement with its own."""

    def __init__(self, folder: Path) -> None:
        """Open both; new ones are copies, since making them takes a second."""
        for made in new_databases().iterdir():
            if not (folder / made.name).exists():
                shutil.copy(made, folder)
        with ExitStack() as opening:
            self.store: Store = open_store(f"sqlite:///{folder}/sundog.db")
            opening.callback(self.store.close)
            self.placement = EmbeddedPlacement(folder / "placement.db")
            opening.callback(self.placement.close)
            self._closing = opening.pop_all()

    def __enter__(self) -> Self:
        """Return them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both."""
        self._closing.close()


def _do(work: Callable[[], object]) -> None:
    work()


def _asked() -> Asked:
    return Asked(request_id=f"req-{uuid4()}", user_id="u", project_id="p")


class Process:
    """One life of the service on a folder, or databases, and a machine."""

    def __init__(
        self,
        where: Path | Databases,
        machine: Machine,
        fuse: Fuse | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        """Open what is not open yet; the fuse burns from the first step on."""
        fuse = fuse or Fuse()
        self.machine = machine
        self._closing = ExitStack()
        if not isinstance(where, Databases):
            where = self._closing.enter_context(Databases(where))
        self.store = where.store
        ledger = watched(PlacementLedger(inside_session(where.placement)), fuse)
        servers = watched(self.store.servers, fuse)
        claims = watched(self.store.claims, fuse)
        fleet = FleetView(Taste())
        rules = HostRules(specs=parse_device_specs(RULES))
        agent = LocalHost("small", machine.tools(fuse), claims, rules)
        self.conductor = Conductor(
            servers=servers,
            claims=claims,
            ledger=ledger,
            fleet=fleet,
            agents={"small": agent},
            reports=HostReport(ledger, fleet, self.store.services, clock),
            aliases=parse_aliases(ALIASES),
            clock=clock,
            locks=ServerLocks(),
        )
        self.agent = agent
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
        ASK.get(event, ActionBook.act)(self.actions, call, event)
        return self.phase(server_id)

    def phase(self, server_id: UUID) -> Phase:
        """Return where a server is."""
        return self.store.servers.get(server_id).phase

    def unfinished(self) -> list[UUID]:
        """Return the servers that are not deleted."""
        return [server.id for server in self.store.servers.list(ServerQuery())]

    def disagreements(self) -> list[str]:
        """Return what the audit finds, and what choosers know otherwise."""
        found = [one.line for one in self.audit.audit()]
        state = self.conductor.fleet.state("small")
        claimed = {claim.consumer for claim in self.store.claims.of_host("small")}
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
        root = self.agent.report().uuid
        return [
            *(f"claim {c.consumer}" for c in self.store.claims.of_host("small")),
            *(f"charge {c}" for c in self.conductor.ledger.consumers(root)),
            *(f"mdev {mdev.uuid}" for mdev in self.machine.kernel.mdevs()),
            *(f"guest {guest}" for guest in self.machine.guests.running()),
            *(f"server {server}" for server in self.unfinished()),
        ]

    def close(self) -> None:
        """Let go of the databases, as the end of a process does."""
        self._closing.close()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
