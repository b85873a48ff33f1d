"""Hosts, cards and holdings that the tests of the provider tree are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
from sundog.core.devices.device import Card, Device, DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Cell, Holding, HostSnapshot
from sundog.core.hosts.pages import PagePool
from sundog.core.hosts.provider_tree import provider_uuid

HOST = UUID("c0ffee00-0000-4000-8000-000000000001")
SERVER = UUID("5e17e400-0000-4000-8000-000000000001")
GPU = PciAddress.parse("0000:84:00.0")
PF = PciAddress.parse("0000:3b:00.0")


def vf(number: int) -> PciAddress:
    """Return the address of the PF's VF, numbered from 1."""
    return PciAddress.parse(f"0000:3b:00.{number}")


def mdev_type(type_id: str, total: int, cost: int, **rest: Any) -> Device:
    """Return an mdev type of the GPU on node 1."""
    base = Device(
        address=GPU,
        kind=DeviceKind.MDEV,
        vendor_id="10de",
        product_id="20b0",
        resource_class=f"CUSTOM_{type_id.upper()}",
        numa_nodes=frozenset({1}),
        type_id=type_id,
        total=total,
        available=total,
        cost=cost,
    )
    return replace(base, **rest)


def function(address: PciAddress, kind: DeviceKind, **rest: Any) -> Device:
    """Return a whole function on node 0."""
    base = Device(
        address=address,
        kind=kind,
        vendor_id="15b3",
        product_id="101e",
        resource_class="CUSTOM_PCI_15B3_101E",
        numa_nodes=frozenset({0}),
    )
    return replace(base, **rest)


def nic(**pf: Any) -> Card:
    """Return a NIC whose PF and four VFs are on offer: they exclude each other."""
    whole = {"cost": 4, "resource_class": "CUSTOM_NIC"} | pf
    vfs = (function(vf(n), DeviceKind.VF) for n in range(1, 5))
    port = function(PF, DeviceKind.PF, **whole)
    return Card(address=PF, devices=(port, *vfs), budget=4)


def one_type_gpu(**card: Any) -> Card:
    """Return a GPU that makes four of one type."""
    devices = (mdev_type("t4", 4, 4, resource_class="VGPU"),)
    return replace(Card(address=GPU, devices=devices, budget=16), **card)


def mixed_gpu(**card: Any) -> Card:
    """Return a GPU that makes 16 small or 4 large mdevs, or a mixture."""
    devices = (mdev_type("small", 16, 1), mdev_type("large", 4, 4))
    return replace(Card(address=GPU, devices=devices, budget=16), **card)


def cell(number: int, **rest: Any) -> Cell:
    """Return a cell of four CPUs, two shared and two dedicated, and 1 GiB."""
    cpus = [number * 4 + n for n in range(4)]
    base = Cell(
        id=number,
        socket=number,
        cpus=frozenset(cpus),
        shared=frozenset(cpus[:2]),
        dedicated=frozenset(cpus[2:]),
        siblings=tuple(frozenset({cpu}) for cpu in cpus),
        memory_mb=1024,
        pages=(PagePool(size_kb=2048, total=512),),
    )
    return replace(base, **rest)


def host(*cards: Card, **rest: Any) -> HostSnapshot:
    """Return a host of two cells and 100 GiB of disk with these cards."""
    base = HostSnapshot(
        name="h1",
        uuid=HOST,
        cells=(cell(0), cell(1)),
        cards=cards,
        disk_gb=100,
        cpu_ratio=4.0,
        ram_ratio=1.5,
    )
    return replace(base, **rest)


def below(name: str) -> UUID:
    """Return the uuid of a provider below the host."""
    return provider_uuid(HOST, name)


GPU_PROVIDER = below("h1_0000:84:00.0")
NIC_PROVIDER = below("h1_0000:3B:00.0")
CELL_0 = below("h1_cell0")
CELL_1 = below("h1_cell1")


def share(device: Device, card: PciAddress, number: int = 0) -> DeviceShare:
    """Return one instance of a device of a card, as slot ``d-0/<number>``."""
    return DeviceShare(
        slot=f"d-0/{number}",
        alias="d",
        kind=device.kind,
        address=device.address,
        card=card,
        resource_class=device.resource_class,
        cost=device.cost,
        type_id=device.type_id,
        numa_nodes=device.numa_nodes,
    )


def holding(
    *devices: DeviceShare, cells: tuple[CellShare, ...] = (), disk_gb: int = 0
) -> Holding:
    """Return what the server holds."""
    assignment = Assignment(host="h1", cells=cells, devices=devices, disk_gb=disk_gb)
    return Holding(consumer=SERVER, assignment=assignment)
