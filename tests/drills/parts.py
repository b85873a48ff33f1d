"""A service of real parts that a drill can cut off between any two steps.

Real SQLite, real Placement, real libvirt (its test driver), simulated devices; only
the threads are left out, so that a step is the same step in every run.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from uuid import NAMESPACE_DNS, UUID, uuid5

from sundog.core.choosing.taste import Taste
from sundog.core.devices.device_spec import parse_device_specs
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
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.edges.storage.store import Store, open_store
from sundog.workflows.agreement.audit import AuditBook
from sundog.workflows.boot_server import boot_servers
from sundog.workflows.conductor import Conductor
from sundog.workflows.delete_server import delete_server
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.host_agent import HostRules, HostTools, LocalHost
from sundog.workflows.hosts import HostBook
from sundog.workflows.ports import ServerQuery
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.settle import settle
from sundog.workflows.start_host import start_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

T = TypeVar("T")
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
# What changes something: a service is cut off after each of these.
STEPS: Final = frozenset(
    {
        *("put", "remove", "change", "add"),
        *("claim", "claim_many", "release", "report", "rewrite"),
        *("create_mdev", "remove_mdev", "set_vfs", "start", "stop"),
    }
)


class CutOffError(BaseException):
    """The process is no more; whatever it still tries does not happen."""


@dataclass
class Fuse:
    """Counts steps; after the last of ``lasts`` steps ``end`` is called.

    When ``end`` returns, everything that is tried from then on raises CutOffError:
    a process that was killed undoes nothing. ``mishap`` is told of each step before
    and after it is taken, and may raise what could go wrong there.
    """

    lasts: int | None = None
    end: Callable[[], None] = field(default=lambda: None)
    steps: list[str] = field(default_factory=list)
    mishap: Callable[[str], None] = field(default=lambda _: None)

    def check(self) -> None:
        """Raise CutOffError once it has burnt down."""
        if self.lasts is not None and len(self.steps) >= self.lasts:
            self.end()
            raise CutOffError

    def burn(self, step: str) -> None:
        """Note that a step was taken."""
        self.steps.append(step)
        self.check()


class Watched:
    """Passes calls on to a part and burns the fuse after each step."""

    def __init__(self, part: object, fuse: Fuse) -> None:
        """Watch one part."""
        self._part = part
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def call(*values: object, **named: object) -> object:
            self._fuse.check()
            if name not in STEPS:
                return found(*values, **named)
            step = f"{type(self._part).__name__}.{name}"
            self._fuse.mishap(step)
            result = found(*values, **named)
            self._fuse.burn(step)
            self._fuse.mishap(step)
            return result

        return call


def watched(part: T, fuse: Fuse) -> T:
    """Return a part that is watched, as what it was."""
    return Watched(part, fuse)  # type: ignore[return-value]  # it passes everything on


@dataclass(frozen=True)
class Machine:
    """A simulated host, which outlives the service's processes."""

    kernel: SimulatedKernel
    guests: LibvirtGuests

    @classmethod
    def boot(cls, folder: Path) -> Self:
        """Boot the host: no guests, no mdevs."""
        kernel = SimulatedKernel(read_host_file(shipped_host("small")))
        connection = open_connection(write_test_host(kernel, folder))
        return cls(kernel, LibvirtGuests(connection, TEST_DRIVER))

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
        )


class Process:
    """One life of the service on a folder and a machine."""

    def __init__(
        self, folder: Path, machine: Machine, fuse: Fuse | None = None
    ) -> None:
        """Open everything; the fuse burns from the first step on."""
        fuse = fuse or Fuse()
        self.machine = machine
        self._closing = ExitStack()
        self.store: Store = open_store(f"sqlite:///{folder}/sundog.db")
        self._closing.callback(self.store.close)
        placement = EmbeddedPlacement(folder / "placement.db")
        self._closing.callback(placement.close)
        ledger = watched(PlacementLedger(inside_session(placement)), fuse)
        servers = watched(self.store.servers, fuse)
        claims = watched(self.store.claims, fuse)
        fleet, clock = FleetView(Taste()), lambda: datetime.now(UTC)
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
        self.audit = AuditBook(self.conductor)
        self._hosts = HostBook(
            services=self.store.services,
            fleet=fleet,
            flavors=self.store.flavors,
            images=None,  # type: ignore[arg-type]  # nothing is explained here
            aliases={},
            clock=clock,
        )

    def start(self) -> None:
        """Take the host up and settle what an earlier life left."""
        start_host(self.conductor, self._hosts, self.agent.start())
        settle(self.conductor, lambda one: delete_server(self.conductor, one))

    def boot(self, server_id: UUID, flavor: Flavor = FLAVOR) -> Phase:
        """Ask for a server and build it."""
        now = datetime.now(UTC)
        server = Server(
            id=server_id,
            name="vm",
            project_id="p",
            user_id="u",
            flavor=flavor,
            image_id="tiny",
            created=now,
            updated=now,
        )
        self.conductor.servers.add([server])
        boot_servers(self.conductor, [server_id])
        return self.phase(server_id)

    def delete(self, server_id: UUID) -> Phase:
        """Ask for a server's end and bring it about."""
        self.conductor.advance(server_id, ServerEvent.ASK_DELETE)
        delete_server(self.conductor, server_id)
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
