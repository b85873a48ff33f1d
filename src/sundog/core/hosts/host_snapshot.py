"""One host at one moment: what a scan found, and what the chooser works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.devices.device import Card, Mdev, PciFunction
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.pages import PagePool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A host NUMA cell.

    ``cpus`` are its online CPUs; ``shared`` and ``dedicated`` are those of them that
    floating and pinned vCPUs may use (``cpu_shared_set``, ``cpu_dedicated_set``).
    ``siblings`` are the thread groups of its cores. ``memory_mb`` is what guests on
    small pages may use: without the huge pages and without what the host keeps.
    ``socket`` is None when the host does not tell. ``distances`` are (cell, how far),
    as the firmware says: 10 is the cell itself.
    """

    id: int
    socket: int | None
    cpus: frozenset[int]
    shared: frozenset[int]
    dedicated: frozenset[int]
    siblings: tuple[frozenset[int], ...]
    memory_mb: int
    pages: tuple[PagePool, ...] = ()
    distances: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something on the host that could not be read or used, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What a scan of a host found, before the whitelist is applied.

    ``libvirt_version`` and ``qemu_version`` count as libvirt does: 9.0.0 is 9000000,
    0 is unknown. ``boot_id`` changes with every boot of the host's kernel; ``booted``
    is when that was, if it is told.
    ``one_type`` tells of cards whether they were last seen to make one type at a time,
    which an empty one does not show.
    """

    name: str
    uuid: UUID
    cells: tuple[Cell, ...]
    functions: tuple[PciFunction, ...]
    mdevs: tuple[Mdev, ...] = ()
    disk_gb: int = 0
    libvirt_version: int = 0
    qemu_version: int = 0
    boot_id: str = ""
    booted: datetime | None = None
    one_type: Mapping[PciAddress, bool] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSnapshot:
    """A host as the chooser sees it: its cells and the cards that rules offer.

    ``mdevs`` are those that existed when it was scanned. The ratios are Nova's
    ``cpu_allocation_ratio`` (shared CPUs), ``ram_allocation_ratio`` (small pages)
    and ``disk_allocation_ratio``. ``uuid`` is the root provider's in Placement.
    ``serial`` grows with every scan of the host, so that a late one is known as old.
    """

    name: str
    uuid: UUID
    cells: tuple[Cell, ...]
    cards: tuple[Card, ...] = ()
    mdevs: tuple[Mdev, ...] = ()
    disk_gb: int = 0
    cpu_ratio: float = 1.0
    ram_ratio: float = 1.0
    disk_ratio: float = 1.0
    traits: frozenset[str] = frozenset()
    libvirt_version: int = 0
    qemu_version: int = 0
    boot_id: str = ""
    booted: datetime | None = None
    problems: tuple[Problem, ...] = ()
    serial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one consumer (a server, or a migration) holds on a host.

    ``guest`` is the server whose guest has it, where that is not the consumer.
    """

    consumer: UUID
    assignment: Assignment
    guest: UUID | None = None

    @property
    def maker(self) -> UUID:
        """For whom its devices are made."""
        return self.guest or self.consumer


@dataclass(frozen=True, kw_only=True)
class HostState:
    """A snapshot and everything that is held on it: the chooser's input.

    ``enabled`` is False when the operator disabled the host's service or its agent
    is away; ``why_disabled`` then says so, and ``answers`` which of the two it is.
    """

    snapshot: HostSnapshot
    holdings: tuple[Holding, ...] = ()
    enabled: bool = True
    why_disabled: str = ""
    answers: bool = True

    @cached_property
    def held_by(self) -> dict[UUID, Assignment]:
        """Assignments by consumer."""
        return {held.consumer: held.assignment for held in self.holdings}
