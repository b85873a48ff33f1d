"""The outcome of choosing: a frozen value that leaves nothing to choose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from sundog.core.devices.device import DeviceKind, Source
from sundog.core.devices.vgpu import vgpu_uuid
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.core.lives.life import move
from sundog.core.lives.plug import PLUG_LIFE, PlugEvent, PlugState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sundog.core.devices.pci_address import PciAddress

MADE_KINDS: Final = (DeviceKind.MDEV, DeviceKind.VGPU)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellShare:
    """What a guest takes of one host cell.

    ``guest_cell`` is None for a guest that floats (its amounts are still charged to
    cells, so that the ledger adds up). ``shared_cpus`` counts vCPUs that float over
    the cell's shared CPUs; ``pins`` are (vCPU, host CPU); ``blocked`` are host CPUs
    that thread policy ``isolate`` keeps idle. ``memory_mb`` is taken in pages of
    ``page_kb``.
    """

    host_cell: int
    guest_cell: int | None = None
    shared_cpus: int = 0
    pins: tuple[tuple[int, int], ...] = ()
    blocked: frozenset[int] = frozenset()
    memory_mb: int = 0
    page_kb: int = SMALL_PAGE_KB


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceShare:
    """One device that a guest gets.

    ``slot`` is the request's id and a number (``vGPU-0/1``): unique in the guest and
    stable. ``address`` is the function, or the parent of the type. ``guest_cell`` is
    the guest cell on whose expander bus the device appears, None without affinity.
    ``cost`` is its share of the card's budget. ``plug`` says whether the guest has it.
    """

    slot: str
    alias: str
    kind: DeviceKind
    address: PciAddress
    card: PciAddress
    resource_class: str
    cost: int
    type_id: str = ""
    numa_nodes: frozenset[int] = frozenset()
    guest_cell: int | None = None
    managed: bool = True
    plug: PlugState = PlugState.ATTACHED

    @property
    def is_made(self) -> bool:
        """Whether it is made when claimed (an mdev, a vGPU) rather than found."""
        return self.kind in MADE_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Host, cells, CPUs and exact devices for one guest."""

    host: str
    cells: tuple[CellShare, ...] = ()
    devices: tuple[DeviceShare, ...] = ()
    disk_gb: int = 0

    @property
    def has_topology(self) -> bool:
        """Whether the guest is bound to host cells."""
        return any(share.guest_cell is not None for share in self.cells)

    @property
    def standing(self) -> tuple[DeviceShare, ...]:
        """The devices that a guest gets when it starts: none that is to go."""
        return tuple(s for s in self.devices if s.plug is not PlugState.DETACHING)

    @property
    def restless(self) -> tuple[DeviceShare, ...]:
        """The devices that are on their way into the guest, or out of it."""
        return tuple(s for s in self.devices if s.plug is not PlugState.ATTACHED)

    def plugging(self, slots: Collection[str], event: PlugEvent) -> Assignment:
        """Return it with devices moved along their life; those that are gone fall out.

        Raises ConflictError for a move that is not in the table.
        """
        moved = (
            replace(share, plug=move(PLUG_LIFE, share.plug, event))
            if share.slot in slots
            else share
            for share in self.devices
        )
        left = tuple(share for share in moved if share.plug is not PlugState.GONE)
        return replace(self, devices=left)


def mdev_uuid(consumer: UUID, slot: str) -> UUID:
    """Name the mdev that serves a consumer's device slot.

    It is derived, so that an mdev is known as ours, and is found or made again
    under the same name after a crash or a reboot.
    """
    return uuid5(consumer, f"mdev:{slot}")


def source_of(maker: UUID, share: DeviceShare) -> Source:
    """Name a share's device as the guest that it is made for knows it."""
    is_mdev = share.kind is DeviceKind.MDEV
    return mdev_uuid(maker, share.slot) if is_mdev else share.address


def made_uuid(consumer: UUID, share: DeviceShare) -> UUID | None:
    """Name what is made for a consumer's share; None for what is found.

    Nothing on a VF tells who set its vGPU: it is ours if a claim of ours says so.
    """
    match share.kind:
        case DeviceKind.MDEV:
            return mdev_uuid(consumer, share.slot)
        case DeviceKind.VGPU:
            return vgpu_uuid(share.address, share.type_id)
        case _:
            return None
