"""Choose where a guest goes: the one question that the whole service is about.

Pure: the same request, fleet and taste give the same answer. Groups of equal hosts
are looked at in the order of the best rank that they might get; the search ends as soon
as nothing better can come.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from sundog.core.choosing.check_assignment import check
from sundog.core.choosing.fit_host import assign, fit_host, fit_room
from sundog.core.choosing.fitting.ask import Ask
from sundog.core.choosing.fleet import Fleet
from sundog.core.choosing.stock import NEVER, least_far
from sundog.core.choosing.taste import DEFAULT_TASTE, Order, Taste

if TYPE_CHECKING:
    from collections.abc import Collection

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.choosing.fit_host import Fit
    from sundog.core.choosing.host_room import HostRoom
    from sundog.core.requests.guest_request import GuestRequest

__all__ = ["Fleet", "Order", "Taste", "check", "choose_host", "fit_host"]

_Rank = tuple[int, int, int, str]


def choose_host(
    request: GuestRequest,
    fleet: Fleet,
    taste: Taste = DEFAULT_TASTE,
    limit: int = 5,
    closed: Collection[str] = frozenset(),
) -> tuple[Assignment, ...]:
    """Rank the best ``limit`` hosts for a request, each with its assignment.

    Hosts that are ``closed`` are not looked at.

    The order: earlier wants and fewer cells crossed; fewer free devices that the
    request does not ask for; load, by taste; name. Empty when no host fits.
    """
    ask = Ask(request, taste)
    fits: dict[str, tuple[HostRoom, Fit]] = {}
    best: list[_Rank] = []
    for far, strange, load, first, group in fleet.candidates(ask):
        if _is_late(best, limit, (far, strange, load, first)):
            break
        nearest = least_far(ask, group.room)
        if _is_late(best, limit, (nearest, strange, load, first)):
            continue
        names = list(islice((n for n in group.names if n not in closed), limit))
        fit = fit_room(ask, group.room) if names else None
        if fit is not None:
            fits |= dict.fromkeys(names, (group.room, fit))
            best += [(fit.far, strange, load, name) for name in names]
            best = sorted(best)[:limit]
    return tuple(_assign(ask, fleet.room(name), *fits[name]) for *_, name in best)


def _is_late(best: list[_Rank], limit: int, bound: _Rank) -> bool:
    """Tell whether nothing that ranks as a bound or behind it is among the best."""
    return bound[0] >= NEVER or (len(best) >= limit and best[-1] <= bound)


def _assign(ask: Ask, room: HostRoom, like: HostRoom, fit: Fit) -> Assignment:
    """Name CPUs and devices of a host that has the same room as another."""
    if [card.shape for card in room.cards] != [card.shape for card in like.cards]:
        fit = fit_room(ask, room) or fit
    return assign(ask, room, fit)
