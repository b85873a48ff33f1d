"""Random small hosts and requests, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from sundog.core.choosing.assignment import MADE_KINDS, Assignment, made_uuid
from sundog.core.devices.device import Card, Device, DeviceKind, DeviceTags, Mdev
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Cell, Holding, HostSnapshot, HostState
from sundog.core.hosts.pages import PagePool
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    GuestCell,
    GuestRequest,
    NumaPolicy,
    PageChoice,
    ThreadPolicy,
)

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")

PAGE_2M, PAGE_1G = 2048, 1048576
TYPES = {"small": 1, "half": 2, "whole": 4}
CARD_BUDGET = 4


def any_cell(random: Random, number: int) -> Cell:
    """Make a cell of up to 6 CPUs, some shared and some dedicated."""
    threads = random.choice((1, 2, 2, 3))
    cores = random.randint(1, 4)
    share = random.choice((0.2, 0.4, 0.6))
    cpus = range(number * 12, number * 12 + threads * cores)
    shared = {cpu for cpu in cpus if random.random() < share}
    return Cell(
        id=number,
        socket=random.choice((None, 0, 0, 1, 1)),
        cpus=frozenset(cpus),
        shared=frozenset(shared),
        dedicated=frozenset(cpus) - shared,
        siblings=tuple(
            frozenset(cpus[core * threads : (core + 1) * threads])
            for core in range(cores)
        ),
        memory_mb=random.choice((2048, 4096, 8192)),
        pages=tuple(
            PagePool(size_kb=size, total=random.randint(0, most))
            for size, most in ((PAGE_2M, 3000), (PAGE_1G, 4))
            if random.random() < 0.8
        ),
    )


def any_nodes(random: Random, cells: int) -> frozenset[int]:
    """Choose where a device is: mostly in a cell, or unknown, in two, elsewhere."""
    chance = random.random()
    if chance < 0.15:
        return frozenset()
    if chance < 0.25:
        return frozenset({random.randrange(cells), random.randrange(cells)})
    if chance < 0.3:
        return frozenset({9})
    return frozenset({random.randrange(cells)})


def any_tags(random: Random) -> DeviceTags:
    """Make tags that wants may ask about."""
    return DeviceTags(
        traits=frozenset(random.sample(("T1", "T2"), random.choice((0, 0, 1)))),
        live_migratable=random.choice((None, None, True, False)),
    )


def any_card(random: Random, number: int, cells: int) -> Card:
    """Make a card: one function, a PF with VFs, an mdev parent or vGPU VFs."""
    base = Device(
        address=PciAddress(0, number, 0, 0),
        kind=DeviceKind.PCI,
        vendor_id="10de",
        product_id=random.choice(("0001", "0002")),
        resource_class="CUSTOM_CARD",
        numa_nodes=any_nodes(random, cells),
        tags=any_tags(random),
        unavailable="broken" if random.random() < 0.05 else "",
    )
    make = random.choice((_function, _sriov, _mdev_parent, _mdev_parent, _vgpus))
    return make(random, base)


def _function(_random: Random, base: Device) -> Card:
    return Card(address=base.address, devices=(base,))


def _sriov(random: Random, base: Device) -> Card:
    count = random.randint(1, 3)
    vfs = tuple(
        replace(base, kind=DeviceKind.VF, address=_function_of(base, 1 + number))
        for number in range(count)
    )
    pf = replace(base, kind=DeviceKind.PF, cost=count)
    devices = (pf, *vfs) if random.random() < 0.7 else vfs
    return Card(address=base.address, devices=devices, budget=count)


def _mdev_parent(random: Random, base: Device) -> Card:
    offered = random.sample(sorted(TYPES), random.randint(1, 3))
    if random.random() < 0.2:
        parents = [_function_of(base, 0), _function_of(base, 1)]
    else:
        parents = [base.address]
    types = tuple(
        replace(
            base,
            kind=DeviceKind.MDEV,
            address=parent,
            type_id=name,
            type_name=f"GRID {name}",
            cost=TYPES[name],
            total=CARD_BUDGET // TYPES[name],
            available=random.choice((CARD_BUDGET // TYPES[name], 1)),
        )
        for parent in parents
        for name in offered
    )
    whole = replace(base, cost=CARD_BUDGET)
    plain = (whole,) if random.random() < 0.2 else ()
    return Card(
        address=base.address,
        devices=types + plain,
        budget=CARD_BUDGET,
        one_type=random.random() < 0.3,
        max_instances=random.choice((None, None, 1, 2)),
    )


def _vgpus(random: Random, base: Device) -> Card:
    kins = random.choice((("", ""), ("1 MiB", "2 MiB"), ("1 MiB", "1 MiB")))
    devices = tuple(
        replace(
            base,
            kind=DeviceKind.VGPU,
            address=_function_of(base, 1 + number),
            type_id=name,
            type_name=f"GRID {name}",
            cost=TYPES[name],
            available=random.choice((1, 1, 1, 0)),
            kin=kin,
        )
        for number in range(random.randint(1, 3))
        for name, kin in zip(("small", "half"), kins, strict=True)
    )
    return Card(
        address=base.address,
        devices=devices,
        budget=CARD_BUDGET,
        one_type=random.random() < 0.3,
        max_instances=random.choice((None, None, 1, 2)),
    )


def _function_of(base: Device, number: int) -> PciAddress:
    return replace(base.address, function=number)


def any_snapshot(random: Random, name: str = "host") -> HostSnapshot:
    """Make a host of 2 to 4 cells and up to 4 cards, with an mdev now and then."""
    cells = random.randint(2, 4)
    cards = tuple(any_card(random, n, cells) for n in range(random.randint(2, 5)))
    parents = [
        device for card in cards for device in card.devices if device.kind in MADE_KINDS
    ]
    # A VF is one vGPU at most, so the last of two takes the place of the first.
    foreign = {
        (device.address, device.kind is DeviceKind.MDEV and device.type_id): Mdev(
            uuid=UUID(int=random.getrandbits(128)),
            type_id=device.type_id,
            parent=device.address,
            kind=device.kind,
        )
        for device in parents
        if random.random() < 0.1
    }
    return HostSnapshot(
        name=name,
        uuid=UUID(int=1),
        cells=tuple(any_cell(random, number) for number in range(cells)),
        cards=cards,
        mdevs=tuple(foreign.values()),
        disk_gb=10,
        cpu_ratio=random.choice((1.0, 2.0, 0.5, 4.0)),
        ram_ratio=random.choice((1.0, 1.5)),
    )


def hold(state: HostState, assignment: Assignment, random: Random) -> HostState:
    """Hold an assignment; what it makes may already be seen in the snapshot."""
    consumer = UUID(int=random.getrandbits(128))
    made = tuple(
        Mdev(uuid=uuid, type_id=share.type_id, parent=share.address, kind=share.kind)
        for share in assignment.devices
        if (uuid := made_uuid(consumer, share)) and random.random() < 0.4
    )
    snapshot = replace(state.snapshot, mdevs=state.snapshot.mdevs + made)
    holding = Holding(consumer=consumer, assignment=assignment)
    return HostState(snapshot=snapshot, holdings=(*state.holdings, holding))


def any_want(random: Random, device: Device) -> DeviceWant:
    """Describe a device by some of its properties, and now and then another."""

    def some(value: T, chance: float) -> T | None:
        return value if random.random() < chance else None

    forbids = random.random() < 0.05
    return DeviceWant(
        kind=random.choice((None, device.kind, device.kind, DeviceKind.MDEV)),
        vendor_id=some(device.vendor_id, 0.5),
        product_id=some(device.product_id, 0.3),
        type_id=some(random.choice((device.type_id, device.type_name)), 0.7) or None,
        resource_class=some(device.resource_class, 0.3),
        traits=some(device.tags.traits, 0.2) or frozenset(),
        forbidden_traits=frozenset({"T2"} if forbids else ()),
        live_migratable=some(device.tags.live_migratable, 0.2),
    )


def any_request(random: Random, host: HostSnapshot) -> GuestRequest:
    """Make a request of up to 3 guest cells and up to 4 device requests."""
    cells = tuple(_guest_cell(random, n) for n in range(random.choice((0, 1, 1, 2, 3))))
    count = random.choice((0, 1, 1, 2, 2, 3, 4))
    grouped = random.random() < 0.2
    offers = [device for card in host.cards for device in card.devices]
    devices = tuple(
        DeviceRequest(
            id=f"r{number}",
            alias="a",
            count=1 if count > 2 else random.choice((1, 1, 2, 3)),
            policy=random.choice((NumaPolicy.PREFERRED, *NumaPolicy)),
            wants=tuple(
                any_want(random, random.choice(offers))
                for _ in range(random.choice((1, 1, 2)))
            ),
            same_card=random.random() < 0.15,
            group=random.choice(("", "one", "one", "two")) if grouped else "",
        )
        for number in range(count)
    )
    pages = (None, None, PageChoice.LARGE, PageChoice.ANY, PAGE_2M)
    return GuestRequest(
        vcpus=sum(len(cell.cpus) for cell in cells) if cells else random.randint(1, 4),
        memory_mb=sum(c.memory_mb for c in cells) if cells else 1024,
        cells=cells,
        thread_policy=random.choice((ThreadPolicy.PREFER, *ThreadPolicy)),
        page_size=random.choice(pages) if cells else None,
        devices=devices,
        isolate_groups=random.random() < 0.2,
    )


def _guest_cell(random: Random, number: int) -> GuestCell:
    cpus = range(number * 4, number * 4 + random.randint(1, 3))
    chance = random.choice((0, 0, 0.5, 1))
    return GuestCell(
        id=number,
        cpus=frozenset(cpus),
        dedicated=frozenset(cpu for cpu in cpus if random.random() < chance),
        memory_mb=random.choice((512, 1024, 1024, 1024, 2048)),
    )
