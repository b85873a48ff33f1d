"""Groups of hosts in order of load, and cheap bounds on how well a group may rank.

A bound is never worse than what fitting would find, so that leaving out what it
rules out loses nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.fitting.cell_fit import need_fits, where_of
from sundog.core.choosing.fitting.device_fit import ALLOWED, UNKNOWN, WANT_FAR, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.choosing.card_room import Face
    from sundog.core.choosing.fitting.ask import Ask, Demand, Least
    from sundog.core.choosing.host_room import HostRoom

# Faces, each with whether the node of the devices is known.
StockKey = tuple[tuple["Face", bool], ...]

NEVER = 1 << 60

# As if the guest were in every cell: a device with a known node is near.
_EVERYWHERE = Where(-1, -1)


class Group:
    """Hosts that are interchangeable, with sums that rule most requests out fast."""

    def __init__(self, room: HostRoom) -> None:
        """Start a group; ``room`` stands for all of its hosts."""
        self.room = room
        self.names: list[str] = []
        self.most_pins = max((cell.pins_free for cell in room.cells), default=0)
        # For each cell, how many CPUs are free and how many devices are near.
        self.near = tuple(
            (cell.pins_free, sum(n for _, mask, n in room.spots if mask >> index & 1))
            for index, cell in enumerate(room.cells)
        )
        self.most_near = max((near for _, near in self.near), default=0)
        self.pins = sum(cell.pins_free for cell in room.cells)
        self.shared = sum(min(c.shared_free, c.shared_cap) for c in room.cells)
        self.memory = sum(
            min(cell.memory_free, cell.memory_cap)
            + sum(size * count for size, count in cell.pages) // 1024
            for cell in room.cells
        )

    def has_near(self, least: Least) -> bool:
        """Tell whether some cell has the pins and as many devices near."""
        pins, near = least.most_pins, least.near
        for free, devices in self.near:  # noqa: SIM110 - faster; met by each group
            if free >= pins and devices >= near:
                return True
        return False


class Candidate(NamedTuple):
    """A group with the best rank that its hosts might get: far, strange, load, name."""

    far: int
    strange: int
    load: int
    first: str
    group: Group


def stock_key(room: HostRoom) -> StockKey:
    """Tell which faces are free on a host, in a stable order."""
    return tuple(sorted({(face, bool(mask)) for face, mask, _ in room.spots}))


class Stock:
    """Groups whose free devices are of the same faces."""

    def __init__(self, key: StockKey) -> None:
        """Start without groups."""
        self._faces = key
        self._loads: list[int] = []
        self._by_load: dict[int, list[tuple[str, Group]]] = {}

    def __bool__(self) -> bool:
        """Whether there is any group."""
        return bool(self._loads)

    def add(self, group: Group) -> None:
        """Take in a group, by its load and its first name."""
        load = group.room.load
        if load not in self._by_load:
            insort(self._loads, load)
            self._by_load[load] = []
        insort(self._by_load[load], (group.names[0], group))

    def remove(self, group: Group) -> None:
        """Let a group go, before its names change."""
        load = group.room.load
        groups = self._by_load[load]
        del groups[bisect_left(groups, group.names[0], key=lambda pair: pair[0])]
        if not groups:
            del self._by_load[load]
            del self._loads[bisect_left(self._loads, load)]

    def candidates(self, ask: Ask, *, pack: bool) -> Iterator[Candidate] | None:
        """List groups that could fit, most promising first; None if none has all."""
        far = sum(self._least_far(ask, n, d) for n, d in enumerate(ask.demands))
        if far >= NEVER:
            return None
        strange = 0
        if ask.taste.keep_device_hosts_free:
            faces = {face for face, _ in self._faces}
            strange = sum(ask.choice(face) is None for face in faces)
        return self._walk(ask, far, strange, -1 if pack else 1)

    def _least_far(self, ask: Ask, number: int, demand: Demand) -> int:
        """Bound how far a demand must go on any host that has these faces."""
        found = [
            want * WANT_FAR + (0 if is_known else UNKNOWN)
            for face, is_known in self._faces
            for want in [(ask.choice(face) or ask.no_choice)[number]]
            if want >= 0 and (is_known or UNKNOWN in ALLOWED[demand.policy])
        ]
        return demand.count * min(found, default=NEVER)

    def _walk(self, ask: Ask, far: int, strange: int, sign: int) -> Iterator[Candidate]:
        least = ask.least
        for load in self._loads[::sign]:
            for first, group in self._by_load[load]:
                if (
                    group.most_pins >= least.most_pins
                    and group.pins >= least.pins
                    and group.shared >= least.shared
                    and group.memory >= least.memory
                    and group.most_near >= least.near
                    and (not least.near or group.has_near(least))
                ):
                    yield Candidate(far, strange, sign * load, first, group)


def least_far(ask: Ask, room: HostRoom) -> int:
    """Bound how far a fit on a host must go; ``NEVER`` when there is none.

    For a guest of one cell each cell is looked at by itself; otherwise any cell
    counts as near. What the demands take from each other does not count.
    """
    policy, sizes = ask.request.thread_policy, ask.page_sizes(room)
    cells = [
        index
        for need in set(ask.needs)
        for index, cell in enumerate(room.cells)
        for size in sizes
        if need_fits(need, cell, size, policy)
    ]
    wheres = [_EVERYWHERE]
    if ask.needs and not cells:
        return NEVER
    if len(ask.needs) == 1:
        wheres = [where_of(room, (cell,)) for cell in cells]
    spots = [
        (wants, mask, count)
        for face, mask, count in room.spots
        if (wants := ask.choice(face)) is not None
    ]
    return min(
        sum(_far(n, demand, spots, where) for n, demand in enumerate(ask.demands))
        for where in wheres
    )


def _far(
    number: int,
    demand: Demand,
    spots: list[tuple[tuple[int, ...], int, int]],
    where: Where,
) -> int:
    """Serve one demand alone from the nearest devices."""
    found = [
        (wants[number] * WANT_FAR + crossing, count)
        for wants, mask, count in spots
        if wants[number] >= 0
        and (crossing := where.crossing(mask)) in ALLOWED[demand.policy]
    ]
    far, left = 0, demand.count
    for each, count in sorted(found):
        far += each * min(left, count)
        left -= count
        if left <= 0:
            return far
    return NEVER
