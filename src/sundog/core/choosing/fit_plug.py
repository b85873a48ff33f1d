"""More devices for a guest that is there: its cells and CPUs stay what they are.

The rules are those of choosing a host; only the cells are given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.choosing.fit_host import fit_room
from sundog.core.choosing.fitting.ask import BINDING_POLICIES, Ask
from sundog.core.choosing.fitting.cell_fit import where_of
from sundog.core.choosing.fitting.device_fit import DeviceFit, Where
from sundog.core.choosing.fitting.device_places import device_shares
from sundog.core.choosing.host_room import host_room
from sundog.core.choosing.shortages import device_shortages
from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.lives.plug import PlugState
from sundog.core.requests.guest_request import GuestCell, GuestRequest, NumaPolicy

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.choosing.host_room import HostRoom
    from sundog.core.choosing.taste import Taste
    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import DeviceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugRequest:
    """Devices for a guest that holds ``held`` already.

    With ``isolate`` they are on other cards than what it has.
    """

    devices: tuple[DeviceRequest, ...]
    held: Assignment
    isolate: bool = False


def fit_plug(
    request: PlugRequest, state: HostState, taste: Taste = DEFAULT_TASTE
) -> Assignment | None:
    """Return what the guest then holds, the new devices ATTACHING; None: no fit.

    ``state`` holds what the guest has already.
    """
    ask, room = _ask(request, taste), _room(request, state)
    if _unbound(request):
        return None
    service = _devices(ask, room).solve(_where(request.held, room))
    if service is None:
        return None
    cells = {
        share.host_cell: share.guest_cell
        for share in request.held.cells
        if share.guest_cell is not None
    }
    shares = device_shares(ask, room, service, cells)
    new = tuple(replace(share, plug=PlugState.ATTACHING) for share in shares)
    return replace(request.held, devices=request.held.devices + new)


def why_no_plug(request: PlugRequest, state: HostState) -> str:
    """Say what stands in the way, and what would help."""
    ask, room = _ask(request, DEFAULT_TASTE), _room(request, state)
    name = state.snapshot.name
    for device in _unbound(request):
        return (
            f"{device.alias} has the NUMA policy {device.policy.value}, but the guest "
            f"floats over the cells of {name}; use a flavor with hw:numa_nodes=1"
        )
    short = next(device_shortages(ask, room), None)
    if short is not None:
        return f"{name} {short.detail}; {short.remedy}"
    loose = tuple(replace(d, policy=NumaPolicy.PREFERRED) for d in request.devices)
    anywhere = Ask(replace(ask.request, devices=loose), DEFAULT_TASTE)
    names = " and ".join(dict.fromkeys(device.alias for device in request.devices))
    if fit_room(anywhere, room) is None:
        return (
            f"{name} cannot give {names} together: they share a card, its budget or "
            f"its types; free a card with {names}"
        )
    mine = ", ".join(str(share.host_cell) for share in request.held.cells)
    return (
        f"{name} has no free {names} that its NUMA policy allows for a guest on cell "
        f"{mine}; delete a server that holds one there, or relax the NUMA policy"
    )


def _unbound(request: PlugRequest) -> tuple[DeviceRequest, ...]:
    """Return what must be near cells that the guest is not bound to."""
    if request.held.has_topology:
        return ()
    return tuple(d for d in request.devices if d.policy in BINDING_POLICIES)


def _ask(request: PlugRequest, taste: Taste) -> Ask:
    cells = tuple(
        GuestCell(
            id=share.guest_cell,
            cpus=frozenset(),
            dedicated=frozenset(),
            memory_mb=0,
        )
        for share in request.held.cells
        if share.guest_cell is not None
    )
    guest = GuestRequest(
        vcpus=0,
        memory_mb=0,
        cells=cells,
        devices=request.devices,
        isolate_groups=request.isolate,
    )
    return Ask(guest, taste)


def _room(request: PlugRequest, state: HostState) -> HostRoom:
    if request.isolate:
        mine = {share.card for share in request.held.devices}
        others = tuple(c for c in state.snapshot.cards if c.address not in mine)
        state = replace(state, snapshot=replace(state.snapshot, cards=others))
    return host_room(state)


def _where(held: Assignment, room: HostRoom) -> Where:
    mine = {share.host_cell for share in held.cells}
    return where_of(room, [i for i, cell in enumerate(room.cells) if cell.id in mine])


def _devices(ask: Ask, room: HostRoom) -> DeviceFit:
    return DeviceFit(ask, [ask.profile(card) for card in room.cards])
