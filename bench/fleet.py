"""One description of a fleet and of requests, that Sundog and the peers are fed from.

Plain values that become JSON: nothing here knows who reads it. The same shape gives
the same fleet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

VENDOR, PRODUCT, OTHER_PRODUCT = "8086", "154c", "10fb"


@dataclass(frozen=True, kw_only=True)
class CellPlan:
    """A host cell; each core has the CPUs n, n+1, … of its ``threads``."""

    id: int
    socket: int
    first_cpu: int
    cores: int
    threads: int
    memory_mb: int

    @property
    def cpus(self) -> range:
        """All CPUs of the cell."""
        return range(self.first_cpu, self.first_cpu + self.cores * self.threads)


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """A VF of ``card``, or a whole function when it is its own card.

    ``cell`` is None when the host does not know it.
    """

    address: str
    card: str
    product: str
    cell: int | None


@dataclass(frozen=True, kw_only=True)
class GuestPlan:
    """A guest that is there already: in one cell, pinned, with some devices."""

    cell: int
    cpus: tuple[int, ...]
    memory_mb: int
    devices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """One host and its guests."""

    name: str
    uuid: str
    cells: tuple[CellPlan, ...]
    devices: tuple[DevicePlan, ...]
    guests: tuple[GuestPlan, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AskedPlan:
    """``count`` devices of one product, under one NUMA policy; an alias."""

    product: str = PRODUCT
    count: int = 1
    policy: str = "required"


@dataclass(frozen=True, kw_only=True)
class RequestPlan:
    """Guest cells as (pinned CPUs, MiB), and what devices are asked for."""

    cells: tuple[tuple[int, int], ...]
    asked: tuple[AskedPlan, ...]


@dataclass(frozen=True, kw_only=True)
class FleetShape:
    """How many of what; ``vfs`` 0 makes each card one whole function.

    ``fill`` is the most guests that a host has, by device: each host has a number of
    guests from none to that, of different sizes, so that hardly two hosts are equal.
    """

    hosts: int
    name: str = "host"
    product: str = PRODUCT
    cells: int = 2
    cores: int = 16
    threads: int = 2
    memory_mb: int = 131072
    cards_a_cell: int = 1
    vfs: int = 8
    fill: float = 0.0
    seed: int = 1


@dataclass(kw_only=True)
class _Free:
    """What of a cell is still to be given to guests."""

    cpus: list[int]
    memory_mb: int
    devices: list[str] = field(default_factory=list)


def make_fleet(shape: FleetShape) -> tuple[HostPlan, ...]:
    """Make the hosts of a shape."""
    random = Random(shape.seed)  # noqa: S311 - test data, no secret
    return tuple(_host(shape, number, random) for number in range(shape.hosts))


def make_torn_fleet(hosts: int, seed: int = 3) -> tuple[HostPlan, ...]:
    """Make unlike hosts that have VFs in one cell and free CPUs in the other only."""
    random = Random(seed)  # noqa: S311 - test data, no secret
    return tuple(
        replace(plan, name=f"torn{number:05}", guests=_tearing(plan, random))
        for number, plan in enumerate(make_fleet(FleetShape(hosts=hosts, seed=seed)))
    )


def _tearing(plan: HostPlan, random: Random) -> tuple[GuestPlan, GuestPlan]:
    near, far = ([d.address for d in plan.devices if d.cell == n] for n in (0, 1))
    cpus = plan.cells[1].cpus
    return (
        GuestPlan(
            cell=0,
            cpus=tuple(plan.cells[0].cpus[: random.randint(1, 8)]),
            memory_mb=256 * random.randint(4, 400),
            devices=tuple(near),
        ),
        GuestPlan(
            cell=1,
            cpus=tuple(cpus[random.randint(1, 3) :]),
            memory_mb=256 * random.randint(4, 400),
            devices=tuple(far[: random.randint(0, 7)]),
        ),
    )


def _host(shape: FleetShape, number: int, random: Random) -> HostPlan:
    cells = tuple(_cell(shape, cell) for cell in range(shape.cells))
    devices = tuple(
        device
        for cell in range(shape.cells)
        for card in range(shape.cards_a_cell)
        for device in _card(shape, cell, card)
    )
    return HostPlan(
        name=f"{shape.name}{number:05}",
        uuid=str(UUID(int=random.getrandbits(128), version=4)),
        cells=cells,
        devices=devices,
        guests=_guests(shape, cells, devices, random),
    )


def _cell(shape: FleetShape, number: int) -> CellPlan:
    return CellPlan(
        id=number,
        socket=number,
        first_cpu=number * shape.cores * shape.threads,
        cores=shape.cores,
        threads=shape.threads,
        memory_mb=shape.memory_mb,
    )


def _card(shape: FleetShape, cell: int, number: int) -> list[DevicePlan]:
    bus = f"0000:{1 + cell * shape.cards_a_cell + number:02x}"
    card = f"{bus}:00.0"
    addresses = [f"{bus}:{2 + n // 8:02x}.{n % 8}" for n in range(shape.vfs)] or [card]
    return [
        DevicePlan(address=address, card=card, product=shape.product, cell=cell)
        for address in addresses
    ]


def _guests(
    shape: FleetShape,
    cells: tuple[CellPlan, ...],
    devices: tuple[DevicePlan, ...],
    random: Random,
) -> tuple[GuestPlan, ...]:
    free = {
        cell.id: _Free(
            cpus=list(cell.cpus),
            memory_mb=cell.memory_mb,
            devices=[d.address for d in devices if d.cell == cell.id],
        )
        for cell in cells
    }
    most = int(shape.fill * len(devices))
    found = [
        _guest(random.choice(cells).id, free, random)
        for _ in range(random.randint(0, most))
    ]
    return tuple(guest for guest in found if guest is not None)


def _guest(cell: int, free: dict[int, _Free], random: Random) -> GuestPlan | None:
    room = free[cell]
    cpus, devices = random.choice((2, 4, 6)), random.choice((0, 1, 1, 2))
    memory_mb = 256 * random.randint(4, 64)
    fits = cpus <= len(room.cpus) and memory_mb <= room.memory_mb
    if not fits or devices > len(room.devices):
        return None
    guest = GuestPlan(
        cell=cell,
        cpus=tuple(room.cpus[:cpus]),
        memory_mb=memory_mb,
        devices=tuple(room.devices[:devices]),
    )
    del room.cpus[:cpus], room.devices[:devices]
    room.memory_mb -= memory_mb
    return guest
