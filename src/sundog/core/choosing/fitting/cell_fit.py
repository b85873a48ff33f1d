"""Guest cells onto distinct host cells, together with the devices.

For devices only the set of host cells matters, and host cells of one socket with
alike devices are interchangeable; so what is searched is how many cells of each such
class the guest takes. Within that choice, which cell goes where is a minimum-cost
flow. The search is bounded by the number of those choices, at most one for each set
of host cells (12,870 for 8 guest cells on 16 host cells that all differ), and
branches that the devices rule out are not entered. Once there is a fit, no more than
``ENOUGH`` choices are compared (all of them on hosts of up to 8 cells), and none after
the devices' search has done its work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.fitting.cpu_fit import pins_fit
from sundog.core.choosing.fitting.device_fit import (
    CROSSING,
    DeviceFit,
    Service,
    Where,
)
from sundog.core.choosing.fitting.flow import Network
from sundog.core.choosing.taste import Order
from sundog.core.hosts.pages import SMALL_PAGE_KB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sundog.core.choosing.card_room import Face
    from sundog.core.choosing.fitting.ask import Ask, Need
    from sundog.core.choosing.fitting.card_modes import Mode, Profile
    from sundog.core.choosing.host_room import CellRoom, HostRoom
    from sundog.core.requests.guest_request import ThreadPolicy

ENOUGH = 100
MOST_LOAD = (1 << 12) - 1
AVOIDED = 1 << 18


class Layout(NamedTuple):
    """A fit: the lower its key the better; ``cells`` has each guest cell's index."""

    key: tuple[int, ...]
    cells: tuple[int, ...]
    service: Service


def where_of(room: HostRoom, cells: Sequence[int]) -> Where:
    """Make the masks of a set of host cells, by index."""
    mask = sockets = 0
    for cell in cells:
        mask |= 1 << cell
        sockets |= room.socket_masks[cell]
    return Where(mask, sockets)


def need_fits(need: Need, cell: CellRoom, page_kb: int, policy: ThreadPolicy) -> bool:
    """Tell whether a host cell has the CPUs and the memory of a guest cell."""
    return (
        need.shared <= min(cell.shared_free, cell.shared_cap)
        and pins_fit(cell, need.pinned, policy)
        and memory_fits(need.memory, cell, page_kb)
    )


def memory_fits(memory: int, cell: CellRoom, page_kb: int) -> bool:
    """Tell whether a cell has so much memory (MiB) in pages of a size."""
    if page_kb == SMALL_PAGE_KB:
        return memory <= min(cell.memory_free, cell.memory_cap)
    pages, rest = divmod(memory * 1024, page_kb)
    return not rest and pages <= dict(cell.pages).get(page_kb, 0)


def cell_costs(ask: Ask, room: HostRoom) -> tuple[int, ...]:
    """Price each host cell: devices that others may need, then its load."""
    strange: list[set[Face]] = [set() for _ in room.cells]
    if ask.taste.keep_device_hosts_free:
        for card in room.cards:
            for face, mask in ask.strange(card):
                for index, faces in enumerate(strange):
                    if mask >> index & 1:
                        faces.add(face)
    pack = ask.taste.cells is Order.PACK
    return tuple(
        len(faces) * AVOIDED + (MOST_LOAD - cell.load if pack else cell.load)
        for faces, cell in zip(strange, room.cells, strict=True)
    )


def layout_key(service: Service, cell_cost: int) -> tuple[int, ...]:
    """Order fits: wants, crossing, devices kept free, cards' worth, load."""
    far, score = divmod(service.cost, CROSSING)
    avoided, load = divmod(cell_cost, AVOIDED)
    return (far, avoided, score, load)


class CellFit:
    """The search for one request on one host, with pages of one size."""

    def __init__(
        self,
        ask: Ask,
        room: HostRoom,
        profiles: Sequence[Profile | None],
        devices: DeviceFit,
    ) -> None:
        """Take the host and what its cards can do."""
        self._ask = ask
        self._room = room
        self._profiles = profiles
        self._devices = devices
        self._costs = cell_costs(ask, room)
        self._supply = [self._near(cell) for cell in range(len(room.cells))]

    def best(self, page_kb: int) -> Layout | None:
        """Fit all guest cells and devices; None when it cannot be done."""
        policy = self._ask.request.thread_policy
        fits = {
            need: [
                index
                for index, cell in enumerate(self._room.cells)
                if need_fits(need, cell, page_kb, policy)
            ]
            for need in set(self._ask.needs)
        }
        usable = sorted({cell for cells in fits.values() for cell in cells})
        everywhere = self._devices.solve(where_of(self._room, usable))
        if everywhere is None or len(usable) < len(self._ask.needs):
            return None
        best: Layout | None = None
        classes = self._classes(usable)
        for tried, quotas in enumerate(self._quotas(classes, ())):
            layout = self._layout(fits, classes, quotas)
            if layout and (best is None or layout[:2] < best[:2]):
                best = layout
            if best and (tried >= ENOUGH or self._devices.is_tired):
                break
        return best

    def _classes(self, usable: list[int]) -> list[list[int]]:
        """Group the host cells that are the same to the devices."""
        if not self._ask.demands:
            return [usable]
        apart: set[int] = set()
        near: dict[int, list[object]] = {cell: [] for cell in usable}
        for profile in filter(None, self._profiles):
            cells = [c for c in usable if any(m >> c & 1 for m in profile.masks)]
            if cells and profile.masks == {1 << cells[0]}:
                near[cells[0]].append(profile.looks)
            else:
                apart.update(cells)
        grouped: dict[object, list[int]] = {}
        for cell in usable:
            looks = frozenset((look, near[cell].count(look)) for look in near[cell])
            own = cell if cell in apart else -1
            key = (own, self._room.socket_masks[cell], looks)
            grouped.setdefault(key, []).append(cell)
        return sorted(grouped.values(), key=lambda cells: -self._supply[cells[0]])

    def _near(self, cell: int) -> int:
        """Bound what a cell has for all demands that must be in the guest's cells."""
        return sum(
            max(_given(self._ask, mode, cell) for mode in profile.modes)
            for profile in self._profiles
            if profile is not None
        )

    def _suffices(self, best_cells: list[int]) -> bool:
        """Tell whether cells could have enough, ordered so that none has more.

        Only in sum, and only of what must be near: cheap, and never wrongly False.
        """
        needed = sum(self._ask.demands[number].count for number in self._ask.strict)
        return needed <= sum(self._supply[cell] for cell in best_cells)

    def _quotas(
        self, classes: list[list[int]], chosen: tuple[int, ...]
    ) -> Iterator[tuple[int, ...]]:
        """List how many cells of each class to take, where devices allow it."""
        left = len(self._ask.needs) - sum(chosen)
        rest = classes[len(chosen) :]
        if not rest:
            yield chosen
            return
        others = sum(len(cells) for cells in rest[1:])
        for count in range(min(left, len(rest[0])), max(0, left - others) - 1, -1):
            quotas = (*chosen, count)
            taken = [
                cell
                for cells, quota in zip(classes, quotas, strict=False)
                for cell in cells[:quota]
            ]
            open_cells = [cell for cells in rest[1:] for cell in cells]
            if not self._suffices([*taken, *open_cells[: left - count]]):
                continue
            where = where_of(self._room, taken + (open_cells if left > count else []))
            if self._devices.solve(where) is not None:
                yield from self._quotas(classes, quotas)

    def _layout(
        self,
        fits: dict[Need, list[int]],
        classes: list[list[int]],
        quotas: tuple[int, ...],
    ) -> Layout | None:
        cells = self._match(fits, classes, quotas)
        service = cells and self._devices.solve(where_of(self._room, cells))
        if not cells or not service:
            return None
        cost = sum(self._costs[cell] for cell in cells)
        return Layout(layout_key(service, cost), cells, service)

    def _match(
        self,
        fits: dict[Need, list[int]],
        classes: list[list[int]],
        quotas: tuple[int, ...],
    ) -> tuple[int, ...] | None:
        """Give each guest cell a host cell, so many of each class, at least cost."""
        needs = list(fits)
        network = Network(2)
        doors: dict[int, int] = {}
        for cells, quota in zip(classes, quotas, strict=True):
            if quota:
                gate = network.node()
                network.add(gate, 1, quota)
                for cell in cells:
                    doors[cell] = network.node()
                    network.add(doors[cell], gate, 1)
        edges = []
        for need in needs:
            node = network.node()
            network.add(0, node, self._ask.needs.count(need))
            for cell in fits[need]:
                if cell in doors:
                    edge = network.add(node, doors[cell], 1, self._costs[cell])
                    edges.append((need, cell, edge))
        if network.send(0, 1, len(self._ask.needs)) is None:
            return None
        given: dict[Need, list[int]] = {need: [] for need in needs}
        for need, cell, edge in edges:
            if network.flow(edge):
                given[need].append(cell)
        return tuple(given[need].pop(0) for need in self._ask.needs)


def _given(ask: Ask, mode: Mode, cell: int) -> int:
    kinds = ((ask.kinds[supply.kind], supply.cap) for supply in mode.supplies)
    near = sum(
        cap
        for kind, cap in kinds
        if kind.mask >> cell & 1 and any(kind.wants[d] >= 0 for d in ask.strict)
    )
    return min(near, mode.cap)
