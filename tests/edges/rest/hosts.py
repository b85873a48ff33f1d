"""Two hosts as values: one with cards of every kind, one without."""

from __future__ import annotations

from uuid import UUID

from sundog.core.devices.device import Card, Device, DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Cell, HostSnapshot, Problem
from sundog.core.hosts.pages import PagePool


def cell(number: int, socket: int) -> Cell:
    """Eight CPUs, the first two shared; 8 GiB in small pages and 2 GiB in huge."""
    first = number * 8
    cpus = frozenset(range(first, first + 8))
    return Cell(
        id=number,
        socket=socket,
        cpus=cpus,
        shared=frozenset({first, first + 1}),
        dedicated=cpus - {first, first + 1},
        siblings=tuple(frozenset({cpu, cpu + 1}) for cpu in range(first, first + 8, 2)),
        memory_mb=8192,
        pages=(PagePool(size_kb=2048, total=1024),),
    )


def gpu() -> Card:
    """Make a card on cell 1 that makes two types of mdev on one budget."""
    address = PciAddress.parse("0000:84:00.0")
    types = (("nvidia-35", "A16-4Q", 4, 2), ("nvidia-36", "A16-8Q", 2, 4))
    return Card(
        address=address,
        product="NVIDIA A16",
        budget=8,
        devices=tuple(
            Device(
                address=address,
                kind=DeviceKind.MDEV,
                vendor_id="10de",
                product_id="25b6",
                resource_class="VGPU",
                numa_nodes=frozenset({1}),
                type_id=type_id,
                type_name=name,
                total=total,
                available=total,
                cost=cost,
            )
            for type_id, name, total, cost in types
        ),
    )


def nic() -> Card:
    """Make a PF on cell 0 with two VFs that exclude it."""
    functions = (
        ("0000:05:00.0", DeviceKind.PF, "1592", 2),
        ("0000:05:00.1", DeviceKind.VF, "1889", 1),
        ("0000:05:00.2", DeviceKind.VF, "1889", 1),
    )
    return Card(
        address=PciAddress.parse("0000:05:00.0"),
        product="E810",
        budget=2,
        devices=tuple(
            Device(
                address=PciAddress.parse(address),
                kind=kind,
                vendor_id="8086",
                product_id=product,
                resource_class=f"CUSTOM_PCI_8086_{product}",
                numa_nodes=frozenset({0}),
                cost=cost,
            )
            for address, kind, product, cost in functions
        ),
    )


def loose() -> Card:
    """Make a card of unknown node that could not be read."""
    address = PciAddress.parse("0000:c1:00.0")
    device = Device(
        address=address,
        kind=DeviceKind.PCI,
        vendor_id="1234",
        product_id="5678",
        resource_class="CUSTOM_FPGA",
        unavailable="its config space could not be read",
    )
    return Card(address=address, devices=(device,), product="FPGA")


def rich_host() -> HostSnapshot:
    """``host-a``: two sockets, all cards."""
    return HostSnapshot(
        name="host-a",
        uuid=UUID("aaaaaaaa-0000-4000-8000-000000000001"),
        cells=(cell(0, 0), cell(1, 1)),
        cards=(gpu(), nic(), loose()),
        disk_gb=500,
        libvirt_version=9000000,
        problems=(
            Problem(where="0000:c1:00.0", reason="its config space could not be read"),
        ),
    )


def plain_host() -> HostSnapshot:
    """``host-b``: one cell, no card."""
    return HostSnapshot(
        name="host-b",
        uuid=UUID("bbbbbbbb-0000-4000-8000-000000000002"),
        cells=(cell(0, 0),),
        disk_gb=100,
        libvirt_version=9000000,
    )
