"""The four records of a host, and what it is called when two of them differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sundog.core.devices.device import Mdev, Source
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import Allocation
    from sundog.core.lives.claim import Claim
    from sundog.core.lives.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWord:
    """What a server's record says: its phase, and its host if it has one."""

    phase: Phase
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecords:
    """What is recorded of one host, in four places, and of all servers.

    ``snapshot`` has the devices on the host. ``guests`` are those of ours that run,
    each with the devices that it has.
    ``claims`` are the database's on this host, by consumer. ``allocations`` are what
    consumers hold on the host's tree in Placement, ``providers`` the names in that
    tree. ``servers`` are all that are known, the deleted ones too. ``mdev_names`` are
    the mdevs that servers would call theirs: to the consumer and its slot.
    ``moves`` are the migrations that hold the old side of a move: to their server.
    ``moving`` are the consumers that a job works on: nothing is said of those.
    """

    snapshot: HostSnapshot
    guests: Mapping[UUID, frozenset[Source]]
    claims: Mapping[UUID, Claim]
    allocations: Mapping[UUID, Allocation]
    providers: Mapping[UUID, str]
    servers: Mapping[UUID, ServerWord]
    mdev_names: Mapping[UUID, tuple[UUID, str]] = field(default_factory=dict)
    moves: Mapping[UUID, UUID] = field(default_factory=dict)
    moving: frozenset[UUID] = frozenset()


class DisagreementKind(Enum):
    """Which records differ, and how; the values are public and stable."""

    HOST_AWAY = "host-away"
    HOST_UNKNOWN = "host-unknown"
    GUEST_UNCLAIMED = "guest-unclaimed"
    GUEST_UNWANTED = "guest-unwanted"
    GUEST_MISSING = "guest-missing"
    CLAIM_MISSING = "claim-missing"
    CLAIM_ABANDONED = "claim-abandoned"
    CLAIM_UNFINISHED = "claim-unfinished"
    CLAIM_DOUBLED = "claim-doubled"
    ALLOCATION_MISSING = "allocation-missing"
    ALLOCATION_WRONG = "allocation-wrong"
    ALLOCATION_ORPHANED = "allocation-orphaned"
    ALLOCATION_FOREIGN = "allocation-foreign"
    DEVICE_MISSING = "device-missing"
    DEVICE_UNPLUGGED = "device-unplugged"
    DEVICE_UNCLAIMED = "device-unclaimed"
    MDEV_ORPHANED = "mdev-orphaned"
    MDEV_FOREIGN = "mdev-foreign"
    VGPU_FOREIGN = "vgpu-foreign"
    PROVIDER_LEFT = "provider-left"
    PROVIDER_MISSING = "provider-missing"


class Repair(Enum):
    """What heal does of a disagreement; the values are public and stable."""

    NONE = "reported only"
    GIVE_BACK = "give the claim back"
    RELEASE = "release the allocation"
    WRITE = "write the allocation again"
    REMOVE_MDEV = "remove the mdev"
    PLUG = "plug the device in again"
    REPORT = "report the host to Placement again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One thing that two records tell differently.

    ``what`` is a sentence for people, without its full stop. ``consumer`` is the
    server that it is about, None when it is about no one; ``mdev`` and ``slot`` say
    which mdev or vGPU.
    """

    host: str
    kind: DisagreementKind
    what: str
    repair: Repair = Repair.NONE
    consumer: UUID | None = None
    mdev: Mdev | None = None
    slot: str = ""

    @property
    def line(self) -> str:
        """One line for people: where, what, and what heal would do."""
        return f"{self.host}: {self.what} ({self.repair.value})"
