"""Sundog's values for the hosts and requests of a description."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
from sundog.core.devices.device import Card, Device, DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Cell, Holding, HostSnapshot, HostState
from sundog.core.requests.guest_request import (
    CpuPolicy,
    DeviceRequest,
    DeviceWant,
    GuestCell,
    GuestRequest,
    NumaPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.fleet import (
        AskedPlan,
        CellPlan,
        DevicePlan,
        GuestPlan,
        HostPlan,
        RequestPlan,
    )

DISK_GB = 10_000


def state_of(plan: HostPlan) -> HostState:
    """Make a host with its guests."""
    root = UUID(plan.uuid)
    cards = tuple(_cards(plan))
    snapshot = HostSnapshot(
        name=plan.name,
        uuid=root,
        cells=tuple(map(_cell, plan.cells)),
        cards=cards,
        disk_gb=DISK_GB,
    )
    devices = {d.address: (c, d) for c in cards for d in c.devices}
    hold = partial(_holding, plan, devices)
    return HostState(snapshot=snapshot, holdings=tuple(map(hold, plan.guests)))


def _cell(plan: CellPlan) -> Cell:
    cpus = frozenset(plan.cpus)
    cores = range(plan.first_cpu, plan.first_cpu + len(cpus), plan.threads)
    return Cell(
        id=plan.id,
        socket=plan.socket,
        cpus=cpus,
        shared=frozenset(),
        dedicated=cpus,
        siblings=tuple(frozenset(range(cpu, cpu + plan.threads)) for cpu in cores),
        memory_mb=plan.memory_mb,
    )


def _cards(plan: HostPlan) -> Iterator[Card]:
    by_card: dict[str, list[DevicePlan]] = {}
    for device in plan.devices:
        by_card.setdefault(device.card, []).append(device)
    for address, devices in by_card.items():
        yield Card(
            address=PciAddress.parse(address),
            devices=tuple(map(_device, devices)),
            budget=len(devices),
        )


def _device(plan: DevicePlan) -> Device:
    return Device(
        address=PciAddress.parse(plan.address),
        kind=DeviceKind.PCI if plan.address == plan.card else DeviceKind.VF,
        vendor_id="8086",
        product_id=plan.product,
        resource_class=f"CUSTOM_PCI_8086_{plan.product.upper()}",
        numa_nodes=frozenset() if plan.cell is None else frozenset({plan.cell}),
    )


def _holding(
    host: HostPlan, devices: dict[PciAddress, tuple[Card, Device]], plan: GuestPlan
) -> Holding:
    share = CellShare(
        host_cell=plan.cell,
        guest_cell=0,
        pins=tuple(enumerate(plan.cpus)),
        memory_mb=plan.memory_mb,
    )
    held = [devices[PciAddress.parse(address)] for address in plan.devices]
    shares = tuple(
        DeviceShare(
            slot=f"a/{number}",
            alias="a",
            kind=device.kind,
            address=device.address,
            card=card.address,
            resource_class=device.resource_class,
            cost=device.cost,
            numa_nodes=device.numa_nodes,
            guest_cell=0,
        )
        for number, (card, device) in enumerate(held)
    )
    assignment = Assignment(host=host.name, cells=(share,), devices=shares)
    consumer = uuid5(UUID(host.uuid), f"{plan.cell} {plan.cpus}")
    return Holding(consumer=consumer, assignment=assignment)


def request_of(plan: RequestPlan) -> GuestRequest:
    """Make a request: every vCPU is pinned."""
    cells, start = [], 0
    for number, (cpus, memory_mb) in enumerate(plan.cells):
        vcpus = frozenset(range(start, start + cpus))
        cells.append(
            GuestCell(id=number, cpus=vcpus, dedicated=vcpus, memory_mb=memory_mb)
        )
        start += cpus
    return GuestRequest(
        vcpus=start,
        memory_mb=sum(cell.memory_mb for cell in cells),
        cells=tuple(cells),
        cpu_policy=CpuPolicy.DEDICATED,
        devices=tuple(_asked(n, asked) for n, asked in enumerate(plan.asked)),
    )


def _asked(number: int, plan: AskedPlan) -> DeviceRequest:
    return DeviceRequest(
        id=f"r{number}",
        alias="a",
        count=plan.count,
        policy=NumaPolicy(plan.policy),
        wants=(DeviceWant(vendor_id="8086", product_id=plan.product),),
    )
