"""What the workflows need from outside, by name; wiring says which edge fills it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, DeviceShare
    from sundog.core.devices.device import Source
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import Allocation, ProviderTree
    from sundog.core.lives.claim import Claim
    from sundog.core.lives.figures import GuestFigures
    from sundog.core.lives.guest import GuestState
    from sundog.core.lives.server import Server
    from sundog.core.requests.flavor import Flavor
    from sundog.core.requests.guest_request import GuestCell
    from sundog.workflows.moves.ports import Crossing


class Clock(Protocol):
    """Tells the time, UTC and aware."""

    def __call__(self) -> datetime:
        """Return now."""
        ...


# ------------------------------------------------------------- Placement, the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose allocation it is."""

    project_id: str
    user_id: str


class Ledger(Protocol):
    """Placement: inventories in, claims in, atomic by its generations."""

    def check(self) -> None:
        """Raise UnavailableError when Placement is away; cheap when asked often."""
        ...

    def report(self, tree: ProviderTree) -> None:
        """Make Placement's tree of one host equal ``tree``.

        What others put there (traits, inventories of other classes, allocations)
        is left alone. Raises UnavailableError, or ClaimConflictError when bounded
        retries of a generation conflict ran out.
        """
        ...

    def claim(self, consumer: UUID, allocation: Allocation, owner: Owner) -> None:
        """Write one consumer's whole allocation at once.

        Raises ClaimConflictError when Placement refuses it (capacity or
        generation), UnavailableError when Placement is away.
        """
        ...

    def claim_many(self, claims: Mapping[UUID, tuple[Allocation, Owner]]) -> None:
        """Write the whole allocations of several new consumers, all or none.

        Raises as ``claim`` does.
        """
        ...

    def release(self, consumer: UUID) -> None:
        """Remove all of a consumer's allocations; none is fine."""
        ...

    def allocation(self, consumer: UUID) -> Allocation:
        """Return what a consumer holds; empty when nothing."""
        ...

    def rewrite(self, consumer: UUID, allocation: Allocation, owner: Owner) -> None:
        """Write a consumer's whole allocation, whatever it holds now.

        Raises as ``claim`` does; what it held is then unchanged.
        """
        ...

    def exchange(self, sides: Mapping[UUID, tuple[Allocation, Owner]]) -> None:
        """Write the whole allocations of several consumers, whatever they hold now.

        All or none, in one write: both sides of a move. Nothing is held by whom an
        empty allocation is written for. Raises as ``claim`` does.
        """
        ...

    def consumers(self, host: UUID) -> frozenset[UUID]:
        """Return every consumer that holds something on a host's tree."""
        ...

    def held(self, host: UUID) -> Mapping[UUID, Allocation]:
        """Return what each consumer holds on a host's tree, and only there."""
        ...

    def providers(self, host: UUID) -> Mapping[UUID, str]:
        """Return the providers of a host's tree with their names; none: no host."""
        ...


# ------------------------------------------------------------------------ the store


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerQuery:
    """Which servers to list; None does not filter. Newest first.

    ``deleted`` None lists both. Paging, sorting and rarer filters are the API's.
    """

    project_id: str | None = None
    host: str | None = None
    deleted: bool | None = False
    changed_since: datetime | None = None


class FlavorStore(Protocol):
    """Flavors as the operator wrote them."""

    def add(self, flavor: Flavor) -> None:
        """Keep a new flavor; raises ConflictError if its id or name is taken."""
        ...

    def get(self, flavor_id: str) -> Flavor:
        """Return one by id; raises NotFoundError."""
        ...

    def list(self) -> Sequence[Flavor]:
        """Return all, ordered by id."""
        ...

    def replace(self, flavor: Flavor) -> None:
        """Write description and extra specs of a flavor; raises NotFoundError."""
        ...

    def remove(self, flavor_id: str) -> None:
        """Forget one; raises NotFoundError."""
        ...


class ServerStore(Protocol):
    """Servers, the deleted ones too."""

    def add(self, servers: Sequence[Server]) -> None:
        """Keep new servers, all or none."""
        ...

    def get(self, server_id: UUID) -> Server:
        """Return one, deleted or not; raises NotFoundError."""
        ...

    def list(self, query: ServerQuery) -> Sequence[Server]:
        """Return those that the query names, newest first."""
        ...

    def change(self, server_id: UUID, edit: Callable[[Server], Server]) -> Server:
        """Read, edit and write one in a transaction; returns what was written.

        Raises NotFoundError; an error that ``edit`` raises changes nothing.
        """
        ...


class ClaimStore(Protocol):
    """Claims on hosts: who holds which cells, CPUs and devices."""

    def put(self, claim: Claim) -> None:
        """Write a consumer's claim, new or changed."""
        ...

    def get(self, consumer: UUID) -> Claim | None:
        """Return a consumer's claim, or None."""
        ...

    def remove(self, consumer: UUID) -> None:
        """Forget a consumer's claim; none is fine."""
        ...

    def exchange(self, put: Sequence[Claim], remove: Sequence[UUID] = ()) -> None:
        """Write some claims and forget others, all or none."""
        ...

    def of_host(self, host: str) -> Sequence[Claim]:
        """Return all claims on a host."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """A host's compute service (``os-services``)."""

    id: UUID
    host: str
    binary: str = "nova-compute"
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    last_seen: datetime | None = None


class ServiceStore(Protocol):
    """The hosts' services."""

    def list(self) -> Sequence[ServiceRecord]:
        """Return all, ordered by host."""
        ...

    def get(self, service_id: UUID) -> ServiceRecord:
        """Return one; raises NotFoundError."""
        ...

    def change(
        self,
        service_id: UUID,
        edit: Callable[[ServiceRecord | None], ServiceRecord],
    ) -> ServiceRecord:
        """Read, edit and write one in a transaction; returns what was written.

        ``edit`` is given None when there is none; an error that it raises changes
        nothing. Raises ConflictError when another service is that binary of the host.
        """
        ...

    def remove(self, service_id: UUID) -> None:
        """Forget one; raises NotFoundError."""
        ...


# ------------------------------------------------------------------ images to boot from


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of the embedded image service. Sizes: bytes, GiB, MiB."""

    id: str
    name: str
    size: int
    disk_format: str
    checksum: str
    created: datetime
    updated: datetime
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)


class ImageSource(Protocol):
    """Images, read-only."""

    def get(self, image_id: str) -> Image:
        """Return one by id; raises NotFoundError."""
        ...

    def list(self) -> Sequence[Image]:
        """Return all, ordered by name."""
        ...


# --------------------------------------------------------------------- the host's side


@dataclass(frozen=True, slots=True, kw_only=True)
class BootOrder:
    """Everything that a host needs to boot a server.

    ``guest_cells`` are those of its request, so that vCPUs keep their numbers.
    """

    server: Server
    assignment: Assignment
    guest_cells: tuple[GuestCell, ...] = ()


class HostAgent(Protocol):
    """A host, as the conductor speaks to it."""

    @property
    def name(self) -> str:
        """The host's name."""
        ...

    def report(self) -> HostSnapshot:
        """Scan the host and return its snapshot.

        What rules ask to be enabled is enabled before. Raises UnavailableError while
        the host is away, as every call does.
        """
        ...

    def running(self) -> frozenset[UUID]:
        """Return the consumers whose guests run; raises HostRefusedError."""
        ...

    def guest_devices(self) -> Mapping[UUID, frozenset[Source]]:
        """Return what each running guest has now; raises HostRefusedError."""
        ...

    def boot(self, order: BootOrder) -> HostSnapshot:
        """Make devices ready, define and start the guest.

        Returns the snapshot after it. Raises HostRefusedError with the reason when
        the assignment does not hold on the devices as they are, or a step failed;
        then nothing is left.
        """
        ...

    def prepare(self, order: BootOrder) -> None:
        """Check what a server holds on the devices as they are, and make it ready.

        Raises HostRefusedError with the reason; its guest is not touched.
        """
        ...

    def bring(
        self, order: BootOrder, state: GuestState, grace_seconds: float = 0.0
    ) -> HostSnapshot:
        """Bring a guest to a state, its devices ready; done twice is done once.

        It keeps its claim and devices whatever happens. RUNNING starts it anew from
        the order when it is off; ABSENT takes it away with its files. Raises
        HostRefusedError with the reason, also when there is no guest to pause or save.
        """
        ...

    def attach(self, order: BootOrder) -> HostSnapshot:
        """Make the devices ready that are ATTACHING, and plug them into the guest.

        Of a guest that is off they are made ready only. Raises HostRefusedError; what
        was begun is then taken back by ``detach``.
        """
        ...

    def detach(
        self, order: BootOrder, patience: float
    ) -> tuple[Mapping[str, str], HostSnapshot]:
        """Take the devices out of the guest that are DETACHING, and give them back.

        Waits for so many seconds for the guest; returns the slots of those that are
        still held, with the reasons. Done twice is done once. Raises NotAskedError
        where nothing was begun.
        """
        ...

    def remove(self, consumer: UUID, assignment: Assignment) -> HostSnapshot:
        """Stop the guest and give its devices back; done twice is done once."""
        ...

    def console(self, consumer: UUID) -> str | None:
        """Return what a guest said on its console, None where it has none."""
        ...

    def figures(self, consumer: UUID) -> GuestFigures | None:
        """Return what a guest takes of the host, None while it does not run."""
        ...

    def free(self, consumer: UUID, devices: Sequence[DeviceShare]) -> HostSnapshot:
        """Give some devices of a guest that is off back; its definition stays."""
        ...

    def send(self, order: BootOrder, dest: HostSnapshot, crossing: Crossing) -> None:
        """Send a running guest to another host, where ``order`` is made ready.

        Its CPUs run on one of the two hosts at every moment. Raises HostRefusedError,
        or CancelledError when the crossing was aborted; the guest then runs here on.
        """
        ...
