"""Where a guest's devices sit: a PCIe expander bus for each guest cell with some.

A device behind an expander bus has that bus's NUMA node in the guest. A device
without a guest cell sits at a port of the default bus, which has none: libvirt itself
would take the first port that is empty, on an expander bus too. A guest that runs gets
no new ports, so that each bus has a few that are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.guest_config import ConfigDevice

# One past the last bus number; QEMU gives an expander bus all numbers from its own
# up to the next expander bus, and each root port behind it takes one.
_BUSES: Final = 256
_SLOTS: Final = 32
# Empty ports of each bus, for devices that are attached while the guest runs.
SPARE_PORTS: Final = 2
# And of the default bus, for the disks, which libvirt seats.
_DISK_PORTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpanderBus:
    """An expander bus: libvirt's controller index and the bus's number."""

    guest_cell: int
    index: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a root port sits on an expander bus, by the bus's controller index.

    ``shares_slot`` says that other functions follow in the same slot.
    """

    bus: int
    slot: int
    function: int
    shares_slot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RootPort:
    """A root port by its controller index, for a device by its slot; empty: for none.

    Without a ``place`` it is on the default bus, where libvirt puts it.
    """

    index: int
    device: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """A guest's buses and root ports.

    Those of the default bus come first, because libvirt fills ports in that order.
    """

    buses: tuple[ExpanderBus, ...]
    ports: tuple[RootPort, ...]

    def index_of(self, slot: str) -> int:
        """Return the index of a device's port."""
        return next(port.index for port in self.ports if port.device == slot)


def seats(
    devices: Sequence[ConfigDevice], cells: Sequence[int] = (), spare: int = 0
) -> Seats:
    """Lay out a port for each device, and ``spare`` more on each bus.

    Each of the guest's ``cells`` has an expander bus, if there is one port on it.
    """
    wanted: dict[int | None, list[str]] = {cell: [] for cell in (None, *cells)}
    for device in devices:
        wanted.setdefault(device.guest_cell, []).append(device.slot)
    by_cell = {
        cell: [*slots, *[""] * spare]
        for cell, slots in wanted.items()
        if cell is not None and (slots or spare)
    }
    default = [*wanted[None], *[""] * (spare + _DISK_PORTS)]
    indexes = count(len(by_cell) + 1)
    ports = [RootPort(index=next(indexes), device=slot) for slot in default]
    buses: list[ExpanderBus] = []
    free = _BUSES
    for bus, (cell, slots) in enumerate(sorted(by_cell.items()), start=1):
        free -= 1 + len(slots)
        buses.append(ExpanderBus(guest_cell=cell, index=bus, number=free))
        ports += [
            RootPort(
                index=next(indexes), device=slot, place=_place(bus, at, len(slots))
            )
            for at, slot in enumerate(slots)
        ]
    return Seats(buses=tuple(buses), ports=tuple(ports))


def _place(bus: int, at: int, ports: int) -> Place:
    """Return the place of one of a bus's ports: first each slot, then functions."""
    return Place(
        bus=bus,
        slot=at % _SLOTS,
        function=at // _SLOTS,
        shares_slot=at < _SLOTS and at + _SLOTS < ports,
    )
