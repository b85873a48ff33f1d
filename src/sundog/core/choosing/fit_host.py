"""The best assignment of a request on one given host."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.assignment import Assignment, CellShare
from sundog.core.choosing.fitting.ask import Ask
from sundog.core.choosing.fitting.cell_fit import CellFit, Layout
from sundog.core.choosing.fitting.cpu_fit import pick_pins
from sundog.core.choosing.fitting.device_fit import MOST_WORK, DeviceFit
from sundog.core.choosing.fitting.device_places import device_shares
from sundog.core.choosing.fitting.floating_fit import float_fit, float_shares
from sundog.core.choosing.host_room import host_room
from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.hosts.pages import SMALL_PAGE_KB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.choosing.host_room import HostRoom
    from sundog.core.choosing.taste import Taste
    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import GuestRequest


class Fit(NamedTuple):
    """How a request fits a host; ``page_kb`` is the size of its pages."""

    layout: Layout
    page_kb: int

    @property
    def far(self) -> int:
        """What hosts are ranked by first: later wants, then cells crossed."""
        return self.layout.key[0]


def fit_host(
    request: GuestRequest, state: HostState, taste: Taste = DEFAULT_TASTE
) -> Assignment | None:
    """Fit a request on a host as it is now; None when it does not fit."""
    room = host_room(state)
    ask = Ask(request, taste)
    fit = fit_room(ask, room) if state.enabled else None
    return None if fit is None else assign(ask, room, fit)


def fit_room(ask: Ask, room: HostRoom, work: int = MOST_WORK) -> Fit | None:
    """Find how a request fits best on what is free on a host.

    ``work`` bounds the search for a better fit of devices, never that for any.
    """
    request = ask.request
    traits = room.state.snapshot.traits
    if (
        request.disk_gb > room.disk_free
        or not request.required_traits <= traits
        or request.forbidden_traits & traits
    ):
        return None
    profiles = [ask.profile(card) for card in room.cards]
    devices = DeviceFit(ask, profiles, work)
    if not ask.cells:
        layout = float_fit(ask, room, devices)
        return None if layout is None else Fit(layout, SMALL_PAGE_KB)
    search = CellFit(ask, room, profiles, devices)
    for page_kb in ask.page_sizes(room):
        layout = search.best(page_kb)
        if layout is not None:
            return Fit(layout, page_kb)
    return None


def assign(ask: Ask, room: HostRoom, fit: Fit) -> Assignment:
    """Name the exact CPUs and devices of a fit."""
    if ask.cells:
        cells = tuple(_cell_shares(ask, room, fit))
    else:
        cells = tuple(float_shares(ask, room, fit.layout))
    by_host_cell = {
        share.host_cell: share.guest_cell
        for share in cells
        if share.guest_cell is not None
    }
    return Assignment(
        host=room.name,
        cells=cells,
        devices=device_shares(ask, room, fit.layout.service, by_host_cell),
        disk_gb=ask.request.disk_gb,
    )


def _cell_shares(ask: Ask, room: HostRoom, fit: Fit) -> Iterator[CellShare]:
    for guest_cell, index in zip(ask.cells, fit.layout.cells, strict=True):
        cell = room.cells[index]
        vcpus = sorted(guest_cell.dedicated)
        pins, blocked = pick_pins(cell, vcpus, ask.request.thread_policy)
        yield CellShare(
            host_cell=cell.id,
            guest_cell=guest_cell.id,
            shared_cpus=len(guest_cell.cpus - guest_cell.dedicated),
            pins=pins,
            blocked=blocked,
            memory_mb=guest_cell.memory_mb,
            page_kb=fit.page_kb,
        )
