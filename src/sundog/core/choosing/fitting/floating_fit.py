"""A guest without cells: it floats, and is charged to the cells near its devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import CellShare
from sundog.core.choosing.fitting.cell_fit import (
    Layout,
    cell_costs,
    layout_key,
    where_of,
)
from sundog.core.choosing.fitting.device_fit import SAME, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.choosing.fitting.ask import Ask
    from sundog.core.choosing.fitting.device_fit import DeviceFit
    from sundog.core.choosing.host_room import CellRoom, HostRoom


def float_fit(ask: Ask, room: HostRoom, devices: DeviceFit) -> Layout | None:
    """Choose the cells to charge, best first: one that holds all, else all cells."""
    request = ask.request
    cpus = sum(_cpus(cell) for cell in room.cells)
    memory = sum(_memory(cell) for cell in room.cells)
    if request.vcpus > cpus or request.memory_mb > memory:
        return None
    costs = cell_costs(ask, room)
    single: list[tuple[int, ...]] = [
        (index,)
        for index, cell in enumerate(room.cells)
        if request.vcpus <= _cpus(cell) and request.memory_mb <= _memory(cell)
    ]
    layouts = []
    for cells in single or [tuple(range(len(room.cells)))]:
        service = devices.solve(where_of(room, cells))
        if service is None:
            return None
        key = layout_key(service, sum(costs[cell] for cell in cells))
        layouts.append(Layout(key, cells, service))
    best = min(layouts, key=lambda layout: layout[:2])
    if single:
        return best
    masks = [ask.kinds[taken.kind].mask for taken in best.service.taken]

    def order(cell: int) -> tuple[int, int, int]:
        here = Where(1 << cell, 0)
        near = sum(here.crossing(mask) == SAME for mask in masks)
        return -near, costs[cell], cell

    return best._replace(cells=tuple(sorted(best.cells, key=order)))


def float_shares(ask: Ask, room: HostRoom, layout: Layout) -> Iterator[CellShare]:
    """Charge the guest to its cells, as much as each holds."""
    cpus, memory = ask.request.vcpus, ask.request.memory_mb
    for index in layout.cells:
        cell = room.cells[index]
        cpus_here = min(cpus, _cpus(cell))
        memory_here = min(memory, _memory(cell))
        if cpus_here or memory_here:
            yield CellShare(
                host_cell=cell.id, shared_cpus=cpus_here, memory_mb=memory_here
            )
        cpus -= cpus_here
        memory -= memory_here


def _cpus(cell: CellRoom) -> int:
    return min(cell.shared_free, cell.shared_cap)


def _memory(cell: CellRoom) -> int:
    return min(cell.memory_free, cell.memory_cap)
