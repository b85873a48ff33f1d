"""What a host lacks for a request, constraint by constraint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.card_room import face_of
from sundog.core.choosing.fit_host import fit_room
from sundog.core.choosing.fitting.ask import Ask, serves
from sundog.core.choosing.fitting.cell_fit import memory_fits, need_fits
from sundog.core.choosing.fitting.cpu_fit import pins_fit
from sundog.core.requests.guest_request import NumaPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sundog.core.choosing.fitting.ask import Demand, Need
    from sundog.core.choosing.host_room import CellRoom, HostRoom


class Shortage(NamedTuple):
    """A constraint that does not hold.

    ``lack`` completes "12 hosts …"; ``have`` is the part that is there, 0 to 1.
    """

    lack: str
    have: float
    detail: str
    remedy: str


def shortages(ask: Ask, room: HostRoom) -> Iterator[Shortage]:
    """List what fails on a host that does not fit: at least one thing."""
    alone = [
        *_traits(ask, room),
        *_disk(ask, room),
        *_resources(ask, room),
        *device_shortages(ask, room),
    ]
    yield from alone or [_together(ask, room)]


def _short(lack: str, need: int, have: int, what: str, remedy: str) -> Shortage:
    detail = f"needs {need} {what}, has {have}"
    return Shortage(lack, max(0, have) / max(1, need), detail, remedy)


def _traits(ask: Ask, room: HostRoom) -> Iterator[Shortage]:
    traits = room.state.snapshot.traits
    missing = sorted(ask.request.required_traits - traits)
    if missing:
        names = ", ".join(missing)
        lack = f"lack trait {names}"
        yield Shortage(lack, 0.0, lack, f"set trait {names} on a host")
    forbidden = sorted(ask.request.forbidden_traits & traits)
    if forbidden:
        names = ", ".join(forbidden)
        lack = f"have the forbidden trait {names}"
        yield Shortage(lack, 0.0, lack, f"add a host without trait {names}")


def _disk(ask: Ask, room: HostRoom) -> Iterator[Shortage]:
    need, have = ask.request.disk_gb, room.disk_free
    if need > have:
        what, remedy = "GiB of disk", "free disk, or ask for less"
        yield _short("have too little disk", need, have, what, remedy)


def _resources(ask: Ask, room: HostRoom) -> Iterator[Shortage]:
    if not ask.cells:
        yield from _floating(ask, room)
        return
    if len(ask.cells) > len(room.cells):
        lack, remedy = "have too few cells", "ask for fewer hw:numa_nodes"
        yield _short(lack, len(ask.cells), len(room.cells), "cells", remedy)
    policy = ask.request.thread_policy
    sizes = ask.page_sizes(room)
    for need in dict.fromkeys(ask.needs):
        if not any(cpus_fit(need, cell, ask) for cell in room.cells):
            shared = max(min(c.shared_free, c.shared_cap) for c in room.cells)
            pins = max(cell.pins_free for cell in room.cells)
            yield Shortage(
                f"have no cell with {_cpus(need)}",
                min(pins / max(1, need.pinned), shared / max(1, need.shared), 0.99),
                f"needs {_cpus(need)} in a cell ({policy.value} threads), "
                f"has at most {pins} free and {shared} shared",
                "free CPUs, or ask for fewer in a cell",
            )
        fits = (memory_fits(need.memory, c, s) for c in room.cells for s in sizes)
        if not any(fits):
            yield Shortage(
                f"have no cell with {need.memory} MiB in such pages",
                0.5 if sizes else 0.0,
                f"needs {need.memory} MiB in pages of {_sizes(sizes)} in a cell",
                "free memory or pages of this size, or ask for less",
            )


def _floating(ask: Ask, room: HostRoom) -> Iterator[Shortage]:
    request = ask.request
    cpus = sum(min(cell.shared_free, cell.shared_cap) for cell in room.cells)
    if request.vcpus > cpus:
        lack, remedy = "have too few shared CPUs", "free CPUs, or ask for fewer"
        yield _short(lack, request.vcpus, cpus, "shared CPUs", remedy)
    memory = sum(min(cell.memory_free, cell.memory_cap) for cell in room.cells)
    if request.memory_mb > memory:
        lack, remedy = "have too little memory", "free memory, or ask for less"
        yield _short(lack, request.memory_mb, memory, "MiB", remedy)


def cpus_fit(need: Need, cell: CellRoom, ask: Ask) -> bool:
    """Tell whether a cell has the CPUs of a guest cell, whatever its memory."""
    shared = min(cell.shared_free, cell.shared_cap)
    policy = ask.request.thread_policy
    return need.shared <= shared and pins_fit(cell, need.pinned, policy)


def device_shortages(ask: Ask, room: HostRoom) -> Iterator[Shortage]:
    """List the devices of which a host has too few, wherever they are."""
    for demand in ask.demands:
        alias = demand.slots[0][1]
        all_devices = [d for card in room.state.snapshot.cards for d in card.devices]
        known = sum(
            device.total
            for device in all_devices
            if any(serves(face_of(device), want) for want in demand.wants)
        )
        free = sum(
            count
            for face, count in room.faces.items()
            if any(serves(face, want) for want in demand.wants)
        )
        if not known:
            lack, remedy = f"have no {alias}", f"offer {alias} on a host (device_spec)"
            yield _short(lack, demand.count, 0, alias, remedy)
        elif free < demand.count:
            lack = f"have no free {alias}" if not free else f"have too few free {alias}"
            remedy = f"delete a server that holds {alias}, or add hosts with it"
            yield _short(lack, demand.count, free, f"free {alias}", remedy)


def _together(ask: Ask, room: HostRoom) -> Shortage:
    """Find what fails where each constraint holds by itself."""
    request = ask.request
    if fit_room(Ask(replace(request, devices=()), ask.taste), room) is None:
        lack = "have CPUs and memory, but not in the same cells"
        remedy = "free CPUs and memory in the same cell, or ask for fewer in a cell"
        return Shortage(lack, 0.9, lack, remedy)
    loose = tuple(replace(d, policy=NumaPolicy.PREFERRED) for d in request.devices)
    near = Ask(replace(request, cells=ask.cells, devices=loose), ask.taste)
    if fit_room(near, room) is None:
        names = _aliases(ask.demands)
        lack = f"cannot give {names} together"
        detail = f"{lack}: they share a card, its budget or its types"
        return Shortage(lack, 0.8, detail, f"free a card with {names}")
    return _apart(ask, room)


def _apart(ask: Ask, room: HostRoom) -> Shortage:
    """Say in which cells the devices are, and in which the guest's cells fit."""
    policy = ask.request.thread_policy
    sizes = ask.page_sizes(room)
    homes = {
        cell.id
        for cell in room.cells
        for need in ask.needs
        if any(need_fits(need, cell, size, policy) for size in sizes)
    }
    masks = {
        offer.mask
        for card in room.cards
        for group in card.functions
        for offer in group.offers
        if ask.choice(offer.face)
    }
    places = {
        cell.id
        for index, cell in enumerate(room.cells)
        if any(mask >> index & 1 for mask in masks)
    }
    names = _aliases(ask.demands)
    where = f"in {_cells(places)}" if places else "in no known cell"
    lack = f"have {names} {where} while {_cells(homes)} can hold the guest"
    if homes != places:
        lack = lack.replace("while ", "while only ")
    remedy = f"free CPUs and memory {where}, or relax the NUMA policy"
    return Shortage(lack, 0.9, lack, remedy)


def _cpus(need: Need) -> str:
    parts = []
    if need.pinned:
        parts.append(f"{need.pinned} free CPUs")
    if need.shared:
        parts.append(f"{need.shared} shared CPUs")
    return " and ".join(parts)


def _sizes(sizes: Iterable[int]) -> str:
    return " or ".join(f"{size} KiB" for size in sizes) or "a huge size"


def _cells(ids: Iterable[int]) -> str:
    numbers = [str(number) for number in sorted(ids)]
    return f"cell{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _aliases(demands: Iterable[Demand]) -> str:
    names = (alias for demand in demands for _, alias in demand.slots)
    return " and ".join(dict.fromkeys(names))
