"""Hosts and requests in a few words, for examples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from sundog.core.devices.device import Card, Device, DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Cell, Holding, HostSnapshot, HostState
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    GuestCell,
    GuestRequest,
    NumaPolicy,
)

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment


def cell(number: int, *, socket: int | None = 0, dedicated: int = 4) -> Cell:
    """Make a cell of 8 CPUs in 4 cores, ``dedicated`` of them, and 4 GiB."""
    cpus = range(number * 8, number * 8 + 8)
    return Cell(
        id=number,
        socket=socket,
        cpus=frozenset(cpus),
        shared=frozenset(cpus[dedicated:]),
        dedicated=frozenset(cpus[:dedicated]),
        siblings=tuple(frozenset(cpus[core : core + 2]) for core in (0, 2, 4, 6)),
        memory_mb=4096,
    )


def gpu(number: int, *nodes: int) -> Card:
    """Make a whole function on some nodes (none: unknown)."""
    device = Device(
        address=PciAddress(0, number, 0, 0),
        kind=DeviceKind.PCI,
        vendor_id="10de",
        product_id="20b5",
        resource_class="CUSTOM_GPU",
        numa_nodes=frozenset(nodes),
    )
    return Card(address=device.address, devices=(device,))


def parent(number: int, *nodes: int, **types: int) -> Card:
    """Make a card of budget 8 that makes mdevs; ``types`` has each one's cost."""
    plain = gpu(number, *nodes).devices[0]
    devices = tuple(
        replace(
            plain,
            kind=DeviceKind.MDEV,
            resource_class="VGPU",
            type_id=name,
            total=8 // cost,
            available=8 // cost,
            cost=cost,
        )
        for name, cost in types.items()
    )
    return Card(address=plain.address, devices=devices, budget=8)


def nic(number: int, *nodes: int, vfs: int = 2) -> Card:
    """Make a PF that costs as much as all its VFs."""
    plain = replace(
        gpu(number, *nodes).devices[0],
        vendor_id="8086",
        product_id="1889",
        resource_class="CUSTOM_NIC",
    )
    functions = tuple(
        replace(plain, kind=DeviceKind.VF, address=PciAddress(0, number, 1, function))
        for function in range(vfs)
    )
    whole = replace(plain, kind=DeviceKind.PF, cost=vfs)
    return Card(address=plain.address, devices=(whole, *functions), budget=vfs)


def host(*cards: Card, cells: tuple[Cell, ...] = (), name: str = "one") -> HostState:
    """Make a host of two cells in two sockets, if nothing else is said."""
    return HostState(
        snapshot=HostSnapshot(
            name=name,
            uuid=UUID(int=1),
            cells=cells or (cell(0, socket=0), cell(1, socket=1)),
            cards=cards,
            disk_gb=10,
        )
    )


def asked(
    policy: NumaPolicy = NumaPolicy.LEGACY,
    count: int = 1,
    request_id: str = "vGPU-0",
    want: DeviceWant | None = None,
) -> DeviceRequest:
    """Ask for GPUs, or for what ``want`` describes."""
    want = want or DeviceWant(resource_class="CUSTOM_GPU")
    alias = request_id.partition("-")[0]
    return DeviceRequest(
        id=request_id, alias=alias, count=count, policy=policy, wants=(want,)
    )


def of_type(name: str) -> DeviceWant:
    """Describe an mdev of a type."""
    return DeviceWant(kind=DeviceKind.MDEV, type_id=name)


def pinned(*devices: DeviceRequest, vcpus: int = 2, cells: int = 1) -> GuestRequest:
    """Ask for guest cells of ``vcpus`` pinned vCPUs and 1 GiB each."""
    guest_cells = tuple(
        GuestCell(
            id=number,
            cpus=frozenset(range(number * vcpus, number * vcpus + vcpus)),
            dedicated=frozenset(range(number * vcpus, number * vcpus + vcpus)),
            memory_mb=1024,
        )
        for number in range(cells)
    )
    return GuestRequest(
        vcpus=vcpus * cells, memory_mb=1024 * cells, cells=guest_cells, devices=devices
    )


def floating(*devices: DeviceRequest, vcpus: int = 1) -> GuestRequest:
    """Ask for a guest without cells, of 1 GiB."""
    return GuestRequest(vcpus=vcpus, memory_mb=1024, devices=devices)


def held(state: HostState, *assignments: Assignment | None) -> HostState:
    """Hold assignments, each by a consumer of its own."""
    holdings = [*state.holdings]
    for assignment in assignments:
        assert assignment is not None
        consumer = UUID(int=100 + len(holdings))
        holdings.append(Holding(consumer=consumer, assignment=assignment))
    return replace(state, holdings=tuple(holdings))
