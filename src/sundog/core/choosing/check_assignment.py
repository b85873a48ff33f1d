"""Whether an assignment can be held on a host now: the host's own, last judgement.

It does not search: each share is compared with what is free, one after the other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import made_uuid
from sundog.core.choosing.card_room import budget_left, fills_parent, free_of
from sundog.core.choosing.host_room import CellRoom, device_uses, host_room
from sundog.core.hosts.pages import SMALL_PAGE_KB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
    from sundog.core.choosing.card_room import CardUse
    from sundog.core.devices.device import Card, Device
    from sundog.core.hosts.host_snapshot import HostState


def check(
    assignment: Assignment, state: HostState, consumer: UUID | None = None
) -> str:
    """Tell why an assignment cannot be held on a host; empty when it can.

    ``state`` must not already hold it; what was made for it before, which
    ``consumer`` names, needs no room of its own. Whether the host is enabled does
    not matter: that is a rule for choosing.
    """
    return next(_problems(assignment, state, consumer), "")


def _problems(
    assignment: Assignment, state: HostState, consumer: UUID | None
) -> Iterator[str]:
    name = state.snapshot.name
    if assignment.host != name:
        yield f"it is for host {assignment.host}, this is {name}"
    room = host_room(state)
    if assignment.disk_gb > room.disk_free:
        yield f"needs {assignment.disk_gb} GiB of disk, {room.disk_free} free"
    cells = {cell.id: cell for cell in room.cells}
    taken = Counter(share.host_cell for share in assignment.cells)
    for share in assignment.cells:
        cell = cells.get(share.host_cell)
        if cell is None:
            yield f"the host has no cell {share.host_cell}"
        elif taken[share.host_cell] > 1:
            yield f"cell {share.host_cell} is named twice"
        else:
            yield from _cell_problems(share, cell)
    yield from _device_problems(_to_make(assignment, state, consumer), state)


def _to_make(
    assignment: Assignment, state: HostState, consumer: UUID | None
) -> list[DeviceShare]:
    """Leave out what is made already: the snapshot has counted it."""
    there = {(mdev.uuid, mdev.parent, mdev.type_id) for mdev in state.snapshot.mdevs}
    return [
        share
        for share in assignment.devices
        if consumer is None
        or (made_uuid(consumer, share), share.address, share.type_id) not in there
    ]


def _cell_problems(share: CellShare, cell: CellRoom) -> Iterator[str]:
    where = f"on cell {cell.id}"
    shared = min(cell.shared_free, cell.shared_cap)
    if share.shared_cpus > shared:
        yield f"needs {share.shared_cpus} shared CPUs {where}, {shared} free"
    free = {cpu for core in cell.cores for cpu in core.free}
    pinned = [cpu for _, cpu in share.pins]
    cpus = Counter([*pinned, *share.blocked])
    bad = sorted(cpu for cpu, times in cpus.items() if times > 1 or cpu not in free)
    if bad:
        yield f"CPU {bad[0]} {where} is not free"
    if share.page_kb == SMALL_PAGE_KB:
        memory = min(cell.memory_free, cell.memory_cap)
        if share.memory_mb > memory:
            yield f"needs {share.memory_mb} MiB {where}, {memory} free"
        return
    pages, rest = divmod(share.memory_mb * 1024, share.page_kb)
    have = dict(cell.pages).get(share.page_kb, 0)
    if rest or pages > have:
        need = f"{share.memory_mb} MiB in pages of {share.page_kb} KiB {where}"
        yield f"needs {need}, {have} such pages free"


def _device_problems(shares: list[DeviceShare], state: HostState) -> Iterator[str]:
    cards = {card.address: (card, use) for card, use in device_uses(state)}
    for share in shares:
        card, use = cards.get(share.card, (None, None))
        device = None if card is None else _device(card, share)
        if card is None or use is None or device is None:
            yield f"device {_named(share)} is not on offer"
        else:
            if free_of(device, card, use) < 1:
                yield f"device {_named(share)} {_why(device, card, use)}"
            use.add_share(share)
            if fills_parent(device):
                use.whole.add(device.address)


def _device(card: Card, share: DeviceShare) -> Device | None:
    found = (
        device
        for device in card.devices
        if (device.address, device.kind, device.type_id, device.cost)
        == (share.address, share.kind, share.type_id, share.cost)
    )
    return next(found, None)


def _named(share: DeviceShare) -> str:
    return f"{share.address} {share.type_id}".rstrip()


def _why(device: Device, card: Card, use: CardUse) -> str:
    if device.unavailable:
        return f"is unavailable: {device.unavailable}"
    if device.address not in use.whole and device.cost > budget_left(card, use):
        return f"does not fit on what is left of card {card.address}"
    return "is in use, or excluded by what is in use on its card"
