"""Choose where a guest goes: the one question that the whole service is about.

Pure: the same request, fleet and taste give the same answer. Groups of equal hosts
are looked at in the order of what is known before fitting; as that bounds how well a
group may rank, the search ends as soon as nothing better can come.
"""

from __future__ import annotations

from heapq import heapify, heappop
from itertools import islice
from typing import TYPE_CHECKING

from sundog.core.choosing.check_assignment import check
from sundog.core.choosing.fit_host import assign, fit_host, fit_room
from sundog.core.choosing.fitting.ask import Ask
from sundog.core.choosing.fleet import Fleet
from sundog.core.choosing.taste import DEFAULT_TASTE, Order, Taste

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.choosing.fleet import Group
    from sundog.core.choosing.host_room import HostRoom
    from sundog.core.requests.guest_request import GuestRequest

__all__ = ["Fleet", "Order", "Taste", "check", "choose_host", "fit_host"]

_Rank = tuple[int, int, int, str]


def choose_host(
    request: GuestRequest, fleet: Fleet, taste: Taste = DEFAULT_TASTE, limit: int = 5
) -> tuple[Assignment, ...]:
    """Rank the best ``limit`` hosts for a request, each with its assignment.

    The order: earlier wants and fewer cells crossed; fewer free devices that the
    request does not ask for; load, by taste; name. Empty when no host fits.
    """
    ask = Ask(request, taste)
    waiting = [
        (_merit(ask, group), group.names[0], group) for group in fleet.candidates(ask)
    ]
    heapify(waiting)  # names are unique, so groups are never compared
    best: list[_Rank] = []
    while waiting:
        merit, first, group = heappop(waiting)
        if len(best) >= limit and best[-1] <= (0, *merit, first):
            break
        fit = fit_room(ask, group.room)
        if fit is not None:
            best += [(fit.far, *merit, n) for n in islice(group.names, limit)]
            best = sorted(best)[:limit]
    return tuple(_assignments(ask, [fleet.room(name) for *_, name in best]))


def _merit(ask: Ask, group: Group) -> tuple[int, int]:
    strange = 0
    if ask.taste.keep_device_hosts_free:
        strange = sum(ask.choice(face) is None for face in group.room.faces)
    load = group.room.load
    return strange, -load if ask.taste.hosts is Order.PACK else load


def _assignments(ask: Ask, rooms: Iterable[HostRoom]) -> Iterator[Assignment]:
    """Fit each host by itself: equal hosts have CPUs and devices of their own."""
    fits = ((room, fit_room(ask, room)) for room in rooms)
    return (assign(ask, room, fit) for room, fit in fits if fit is not None)
