"""What a guest asks for, with nothing left of flavors and strings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import count, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sundog.core.devices.device import DeviceKind


class NumaPolicy(Enum):
    """How a device's node must stand to the guest's host cells."""

    REQUIRED = "required"
    SOCKET = "socket"
    PREFERRED = "preferred"
    LEGACY = "legacy"


class CpuPolicy(Enum):
    """``hw:cpu_policy``: vCPUs that float, that are pinned, or some of each."""

    SHARED = "shared"
    DEDICATED = "dedicated"
    MIXED = "mixed"


class ThreadPolicy(Enum):
    """``hw:cpu_thread_policy``: how pinned vCPUs use a core's threads."""

    PREFER = "prefer"
    ISOLATE = "isolate"
    REQUIRE = "require"


class PageChoice(Enum):
    """``hw:mem_page_size`` without a number.

    SMALL: 4 KiB; LARGE: any huge size; ANY: the largest that fits, or small.
    """

    SMALL = "small"
    LARGE = "large"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestCell:
    """A NUMA cell of the guest: its vCPU numbers and its memory.

    ``dedicated`` are those of ``cpus`` that are pinned (all of them, some or none,
    by ``hw:cpu_policy``).
    """

    id: int
    cpus: frozenset[int]
    dedicated: frozenset[int]
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWant:
    """One description of a device; whatever is None or empty does not matter.

    A want without ``kind`` takes any device but a PF (Nova's rule). ``live_migratable``
    True takes only devices tagged so, False only those tagged not so.
    """

    vendor_id: str | None = None
    product_id: str | None = None
    kind: DeviceKind | None = None
    type_id: str | None = None
    resource_class: str | None = None
    traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    live_migratable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """``count`` devices, each matching one of ``wants`` (the first that fits).

    ``id`` is unique in its guest request and stable from one reading of the flavor
    to the next; with a number from 0 it names each device: ``vGPU-0/1``.
    ``same_card`` holds all devices on one card (a numbered ``resources<N>:`` group).
    Requests with the same ``group``, if it is not empty, are of one such group: they
    share one card, and ``isolate_groups`` does not part them. ``skipped`` are numbers
    that no device gets: those of devices that were detached for good.
    """

    id: str
    alias: str
    count: int
    policy: NumaPolicy
    wants: tuple[DeviceWant, ...]
    same_card: bool = False
    group: str = ""
    skipped: frozenset[int] = frozenset()

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the devices, in order."""
        numbers = (number for number in count() if number not in self.skipped)
        return tuple(f"{self.id}/{number}" for number in islice(numbers, self.count))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRequest:
    """Everything that choosing needs to know of a guest.

    Memory in MiB, disk in GiB. ``cells`` is empty when no NUMA topology was asked
    for: the guest floats, unless a device request's policy makes it a topology.
    ``page_size`` is None when the flavor is silent (small pages). ``required_traits``
    and ``forbidden_traits`` speak of the host's own traits; a device's are in its
    wants. ``isolate_groups`` (``group_policy=isolate``) puts different groups of device
    requests on different cards.
    """

    vcpus: int
    memory_mb: int
    disk_gb: int = 0
    cells: tuple[GuestCell, ...] = ()
    cpu_policy: CpuPolicy = CpuPolicy.SHARED
    thread_policy: ThreadPolicy = ThreadPolicy.PREFER
    page_size: PageChoice | int | None = None
    devices: tuple[DeviceRequest, ...] = ()
    required_traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    isolate_groups: bool = False
