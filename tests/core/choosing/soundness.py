"""Whether an assignment breaks a rule: read from the raw rules, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.core.choosing.brute_force import (
    TABLE,
    Chosen,
    card_is_sound,
    cells_of,
    distance,
    groups_are_kept,
    memory_room,
    shared_room,
    used_cpus,
    wants,
)

from sundog.core.requests.guest_request import ThreadPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.host_snapshot import Cell, HostState
    from sundog.core.requests.guest_request import GuestCell, GuestRequest


def faults(
    assignment: Assignment, request: GuestRequest, state: HostState
) -> list[str]:
    """List the raw rules that an assignment breaks; empty when it is sound."""
    guests = cells_of(request)
    found = _cpu_faults(assignment, guests, request, state)
    cells = {cell.id: cell for cell in state.snapshot.cells}
    for share in assignment.cells:
        room = memory_room(state, cells[share.host_cell], share.page_kb)
        if share.memory_mb > room or share.memory_mb * 1024 % share.page_kb:
            found.append(f"memory of cell {share.host_cell}")
    if sum(share.memory_mb for share in assignment.cells) != request.memory_mb:
        found.append("memory in sum")
    occupied = {s.host_cell for s in assignment.cells} if guests else None
    return found + _device_faults(assignment, request, state, occupied)


def _cpu_faults(
    assignment: Assignment,
    guests: Sequence[GuestCell],
    request: GuestRequest,
    state: HostState,
) -> list[str]:
    found = []
    cells = {cell.id: cell for cell in state.snapshot.cells}
    hosts = [share.host_cell for share in assignment.cells]
    if len(set(hosts)) < len(hosts):
        found.append("a host cell twice")
    taken = [c for s in assignment.cells for c in [*dict(s.pins).values(), *s.blocked]]
    if len(set(taken)) < len(taken) or set(taken) & used_cpus(state):
        found.append("a CPU twice")
    for share in assignment.cells:
        cell = cells[share.host_cell]
        if share.shared_cpus > shared_room(state, cell):
            found.append(f"shared CPUs of cell {cell.id}")
        cpus = [cpu for _, cpu in share.pins]
        if not {*cpus, *share.blocked} <= cell.dedicated:
            found.append(f"CPUs of cell {cell.id}")
        found += _thread_faults(cell, set(cpus), share.blocked, request, state)
    by_guest = {share.guest_cell: share for share in assignment.cells}
    for guest in guests:
        share = by_guest[guest.id]
        if {vcpu for vcpu, _ in share.pins} != guest.dedicated:
            found.append(f"pins of guest cell {guest.id}")
        if share.shared_cpus != len(guest.cpus - guest.dedicated):
            found.append(f"floating vCPUs of guest cell {guest.id}")
    if not guests and sum(s.shared_cpus for s in assignment.cells) != request.vcpus:
        found.append("floating vCPUs in sum")
    return found


def _thread_faults(
    cell: Cell,
    pinned: set[int],
    blocked: frozenset[int],
    request: GuestRequest,
    state: HostState,
) -> list[str]:
    used = used_cpus(state)
    cores = [core for core in cell.siblings if core & pinned]
    if request.thread_policy is ThreadPolicy.PREFER:
        return ["blocked"] if blocked else []
    if any(core & used or not core <= cell.dedicated for core in cores):
        return ["a core that is not wholly free"]
    if request.thread_policy is ThreadPolicy.ISOLATE:
        alone = all(len(core & pinned) == 1 for core in cores)
        idle = {cpu for core in cores for cpu in core} - pinned
        return [] if alone and idle == blocked else ["isolate"]
    partly = [core for core in cores if not core <= pinned]
    siblings = all(len(core) > 1 for core in cores)
    return [] if siblings and len(partly) <= 1 and not blocked else ["require"]


def _device_faults(
    assignment: Assignment,
    request: GuestRequest,
    state: HostState,
    occupied: set[int] | None,
) -> list[str]:
    slots = [f"{r.id}/{n}" for r in request.devices for n in range(r.count)]
    if [share.slot for share in assignment.devices] != slots:
        return ["slots"]
    by_id = {asked.id: asked for asked in request.devices}
    chosen: Chosen = []
    for share in assignment.devices:
        card = next(c for c in state.snapshot.cards if c.address == share.card)
        device = next(
            d
            for d in card.devices
            if (d.address, d.kind, d.type_id)
            == (share.address, share.kind, share.type_id)
        )
        chosen.append((by_id[share.slot.rpartition("/")[0]], device, card))
    found = [] if groups_are_kept(request, chosen) else ["groups"]
    for asked, device, card in chosen:
        new = [d for _, d, c in chosen if c is card]
        if not card_is_sound(state, card, new):
            found.append(f"card {card.address}")
        if not any(wants(want, device) for want in asked.wants):
            found.append(f"{device} is not what {asked.id} asks for")
        cells = state.snapshot.cells
        if (
            occupied is not None
            and not (TABLE[asked.policy][distance(device, occupied, cells)])
        ):
            found.append(f"{device} is too far for {asked.id}")
    return found
