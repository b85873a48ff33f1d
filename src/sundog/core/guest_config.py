"""What a guest's definition must hold for an assignment, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.device import DeviceKind
from sundog.core.hosts.pages import SMALL_PAGE_KB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Cell
    from sundog.core.lives.server import Server
    from sundog.core.requests.guest_request import GuestCell


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCell:
    """A NUMA cell of the guest, on ``host_cells`` and pages of ``page_kb``."""

    id: int
    vcpus: frozenset[int]
    memory_mb: int
    host_cells: frozenset[int]
    page_kb: int = SMALL_PAGE_KB


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDevice:
    """A device of the guest.

    ``address`` is the host's function, or the mdev's parent; ``mdev`` is the mdev's
    name and None for functions and vGPUs, which are VFs. ``guest_cell`` is where the
    guest sees it, None without affinity. ``managed`` lets libvirt change the host's
    driver.
    """

    slot: str
    alias: str
    kind: DeviceKind
    address: PciAddress
    type_id: str = ""
    mdev: UUID | None = None
    guest_cell: int | None = None
    managed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSource:
    """What a guest boots from, in the words of Glance's image properties.

    ``disk_gb`` is the least that its disk has; ``kernel_id`` and ``ramdisk_id`` name
    images that are booted without a boot loader, empty when the disk has one.
    ``rescue`` is what it boots instead while it is rescued; its disk is then a second.
    """

    image_id: str = ""
    disk_gb: int = 0
    kernel_id: str = ""
    ramdisk_id: str = ""
    command_line: str = ""
    rescue: BootSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestConfig:
    """A guest, ready to be written in libvirt's language.

    ``pins`` are (vCPU, host CPUs it may use), in vCPU order; a pinned vCPU has one,
    a floating one in a cell has the cell's shared CPUs. ``floating_cpus`` holds the
    host CPUs for vCPUs without a pin, ``emulator_cpus`` those for QEMU's own threads;
    empty does not restrict. ``page_kb`` matters only to a guest without cells.
    """

    uuid: UUID
    name: str
    server_name: str
    flavor_name: str
    memory_mb: int
    vcpus: int
    cells: tuple[ConfigCell, ...] = ()
    pins: tuple[tuple[int, frozenset[int]], ...] = ()
    emulator_cpus: frozenset[int] = frozenset()
    floating_cpus: frozenset[int] = frozenset()
    page_kb: int = SMALL_PAGE_KB
    devices: tuple[ConfigDevice, ...] = ()
    boot: BootSource = BootSource()


def guest_config(
    server: Server,
    assignment: Assignment,
    host_cells: Sequence[Cell],
    guest_cells: Sequence[GuestCell] = (),
) -> GuestConfig:
    """Spell out a server's guest on the host that was chosen for it.

    ``guest_cells`` are those of the request; without them the vCPUs that have no
    pin are dealt out to the guest's cells in order.
    """
    shared = {cell.id: cell.shared for cell in host_cells}
    bound = [share for share in assignment.cells if share.guest_cell is not None]
    vcpus = _vcpus_by_cell(server.flavor.vcpus, bound, guest_cells)
    pins = _pins(bound, vcpus, shared)
    everywhere = frozenset[int]().union(*shared.values())
    used = frozenset[int]().union(*(cpus for _, cpus in pins))
    return GuestConfig(
        uuid=server.id,
        name=f"sundog-{server.id}",
        server_name=server.name,
        flavor_name=server.flavor.name,
        memory_mb=server.flavor.memory_mb,
        vcpus=server.flavor.vcpus,
        cells=_cells(bound, vcpus),
        pins=pins,
        emulator_cpus=used if bound else everywhere,
        floating_cpus=everywhere,
        page_kb=max(
            (share.page_kb for share in assignment.cells), default=SMALL_PAGE_KB
        ),
        devices=tuple(config_device(server.id, s) for s in assignment.standing),
        boot=_boot_source(server),
    )


def _boot_source(server: Server) -> BootSource:
    own = _image_source(server.image_id, server.image_properties)
    rescue = None
    if server.rescue_image_id is not None:
        rescue = _image_source(server.rescue_image_id, server.rescue_properties)
    return replace(own, disk_gb=server.flavor.disk_gb, rescue=rescue)


def _image_source(image_id: str, said: Mapping[str, str]) -> BootSource:
    return BootSource(
        image_id=image_id,
        kernel_id=said.get("kernel_id", ""),
        ramdisk_id=said.get("ramdisk_id", ""),
        command_line=said.get("os_command_line", ""),
    )


def _vcpus_by_cell(
    vcpus: int, bound: Sequence[CellShare], guest_cells: Sequence[GuestCell]
) -> dict[int, frozenset[int]]:
    """Guest cell id -> its vCPU numbers; every vCPU lands in exactly one cell."""
    if guest_cells:
        return {cell.id: cell.cpus for cell in guest_cells}
    pinned = {vcpu for share in bound for vcpu, _ in share.pins}
    free = [vcpu for vcpu in range(vcpus) if vcpu not in pinned]
    dealt: dict[int, frozenset[int]] = {}
    for share in bound:
        own, free = free[: share.shared_cpus], free[share.shared_cpus :]
        cell = share.guest_cell or 0
        dealt[cell] = dealt.get(cell, frozenset()).union(
            own, (vcpu for vcpu, _ in share.pins)
        )
    return dealt


def _pins(
    bound: Sequence[CellShare],
    vcpus: Mapping[int, frozenset[int]],
    shared: Mapping[int, frozenset[int]],
) -> tuple[tuple[int, frozenset[int]], ...]:
    pins: dict[int, frozenset[int]] = {}
    for share in bound:
        floating = shared.get(share.host_cell, frozenset())
        for vcpu in vcpus.get(share.guest_cell or 0, ()):
            pins[vcpu] = pins.get(vcpu, frozenset()) | floating
    for share in bound:
        pins |= {vcpu: frozenset({cpu}) for vcpu, cpu in share.pins}
    return tuple(sorted((vcpu, cpus) for vcpu, cpus in pins.items() if cpus))


def _cells(
    bound: Sequence[CellShare], vcpus: Mapping[int, frozenset[int]]
) -> tuple[ConfigCell, ...]:
    cells = []
    for cell in sorted(vcpus if bound else ()):
        shares = [share for share in bound if share.guest_cell == cell]
        cells.append(
            ConfigCell(
                id=cell,
                vcpus=vcpus[cell],
                memory_mb=sum(share.memory_mb for share in shares),
                host_cells=frozenset(share.host_cell for share in shares),
                page_kb=max((share.page_kb for share in shares), default=SMALL_PAGE_KB),
            )
        )
    return tuple(cells)


def config_device(consumer: UUID, share: DeviceShare) -> ConfigDevice:
    """Say how a guest sees one device."""
    is_mdev = share.kind is DeviceKind.MDEV
    return ConfigDevice(
        slot=share.slot,
        alias=share.alias,
        kind=share.kind,
        address=share.address,
        type_id=share.type_id,
        mdev=mdev_uuid(consumer, share.slot) if is_mdev else None,
        guest_cell=share.guest_cell,
        managed=share.managed,
    )
