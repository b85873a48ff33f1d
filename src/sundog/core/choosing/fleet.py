"""All hosts in memory, indexed by what requests ask for.

Hosts with the same room are one group, tried once per request. Groups whose free
devices are of the same faces are one stock, kept in order of load: what devices a
request needs is asked of each stock once, and the best groups are found by walking
from one end. A change of one host touches its old and its new group only.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import merge
from typing import TYPE_CHECKING

from sundog.core.choosing.host_room import HostRoom, HostShape, host_room
from sundog.core.choosing.stock import Group, Stock, StockKey, stock_key
from sundog.core.choosing.taste import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sundog.core.choosing.fitting.ask import Ask
    from sundog.core.choosing.stock import Candidate
    from sundog.core.hosts.host_snapshot import HostState


class Fleet:
    """The hosts that can be chosen from."""

    def __init__(self, states: Iterable[HostState] = ()) -> None:
        """Start with some hosts."""
        self._rooms: dict[str, HostRoom] = {}
        self._states: dict[str, HostState] = {}
        self._groups: dict[HostShape, Group] = {}
        self._stocks: dict[StockKey, Stock] = {}
        for state in states:
            self.put(state)

    def put(self, state: HostState) -> None:
        """Add a host, or replace what is known of it."""
        name = state.snapshot.name
        self.remove(name)
        self._states[name] = state
        if not state.enabled:
            return
        room = host_room(state)
        self._rooms[name] = room
        group = self._groups.get(room.shape)
        if group is None:
            group = self._groups[room.shape] = Group(room)
        else:
            self._stock(group).remove(group)
        insort(group.names, name)
        self._stock(group).add(group)

    def remove(self, name: str) -> None:
        """Forget a host; an unknown name is no error."""
        self._states.pop(name, None)
        room = self._rooms.pop(name, None)
        if room is None:
            return
        group = self._groups[room.shape]
        stock = self._stock(group)
        stock.remove(group)
        del group.names[bisect_left(group.names, name)]
        if group.names:
            stock.add(group)
            return
        del self._groups[room.shape]
        if not stock:
            del self._stocks[stock_key(group.room)]

    def _stock(self, group: Group) -> Stock:
        key = stock_key(group.room)
        if key not in self._stocks:
            self._stocks[key] = Stock(key)
        return self._stocks[key]

    def get(self, name: str) -> HostState | None:
        """Return a host by its name."""
        return self._states.get(name)

    def states(self) -> Iterable[HostState]:
        """List all hosts, by name."""
        return [state for _, state in sorted(self._states.items())]

    def groups(self) -> Iterable[tuple[HostRoom, list[str]]]:
        """List the enabled hosts by groups of equal room."""
        return [(group.room, group.names) for group in self._groups.values()]

    def room(self, name: str) -> HostRoom:
        """Return what is free on an enabled host."""
        return self._rooms[name]

    def candidates(self, ask: Ask) -> Iterator[Candidate]:
        """List the groups that could fit a request, best bound on their rank first."""
        pack = ask.taste.hosts is Order.PACK
        stocks = (stock.candidates(ask, pack=pack) for stock in self._stocks.values())
        return merge(*filter(None, stocks))
