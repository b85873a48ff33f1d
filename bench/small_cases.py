"""Random small hosts and requests that every side can express."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bench.fleet import (
    OTHER_PRODUCT,
    PRODUCT,
    AskedPlan,
    CellPlan,
    DevicePlan,
    GuestPlan,
    HostPlan,
    RequestPlan,
)

POLICIES = ("required", "socket", "legacy", "preferred")


def small_case(seed: int) -> tuple[HostPlan, RequestPlan]:
    """Make a host of 2 to 4 cells, and a request of 1 to 3 guest cells."""
    random = Random(seed)  # noqa: S311 - test data, no secret
    cells = tuple(_cell(random, number) for number in range(random.randint(2, 4)))
    devices = tuple(
        device
        for number in range(random.randint(1, 5))
        for device in _card(random, number, len(cells))
    )
    host = HostPlan(
        name="host",
        uuid="7a3c5d0e-1f7b-4a58-9d53-0d6a5a1f9c11",
        cells=cells,
        devices=devices,
    )
    guests = tuple(_guest(random, cell, devices) for cell in cells)
    host = replace(host, guests=tuple(guest for guest in guests if guest))
    return host, _request(random)


def _cell(random: Random, number: int) -> CellPlan:
    return CellPlan(
        id=number,
        socket=random.choice((0, 0, 1)),
        first_cpu=number * 16,
        cores=random.randint(1, 4),
        threads=random.choice((1, 2)),
        memory_mb=random.choice((1024, 2048, 4096)),
    )


def _card(random: Random, number: int, cells: int) -> list[DevicePlan]:
    card = f"0000:{1 + number:02x}:00.0"
    cell = random.choice((None, *range(cells), *range(cells)))
    product = random.choice((PRODUCT, OTHER_PRODUCT))
    vfs = random.choice((0, 0, 1, 2, 3))
    addresses = [f"0000:{1 + number:02x}:02.{n}" for n in range(vfs)] or [card]
    return [
        DevicePlan(address=address, card=card, product=product, cell=cell)
        for address in addresses
    ]


def _guest(
    random: Random, cell: CellPlan, devices: tuple[DevicePlan, ...]
) -> GuestPlan | None:
    if random.random() < 0.6:  # noqa: PLR2004 - most cells are empty
        return None
    near = [device.address for device in devices if device.cell == cell.id]
    return GuestPlan(
        cell=cell.id,
        cpus=tuple(random.sample(cell.cpus, random.randint(1, len(cell.cpus)))),
        memory_mb=random.choice((512, 1024)),
        devices=tuple(near[: random.choice((0, 1))]),
    )


def _request(random: Random) -> RequestPlan:
    return RequestPlan(
        cells=tuple(
            (random.randint(1, 3), random.choice((512, 1024)))
            for _ in range(random.choice((1, 2, 2, 3)))
        ),
        asked=tuple(
            AskedPlan(
                product=random.choice((PRODUCT, OTHER_PRODUCT)),
                count=random.choice((1, 1, 2)),
                policy=random.choice(POLICIES),
            )
            for _ in range(random.choice((1, 1, 2, 2, 3)))
        ),
    )
