"""Where a guest's devices sit: a PCIe expander bus for each guest cell with some.

A device behind an expander bus has that bus's NUMA node in the guest. A device
without a guest cell sits at a port of the default bus, which has none: libvirt itself
would take the first port that is empty, on an expander bus too. A guest that runs gets
no new ports, so that each bus has a few that are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
class Seat:
    """A root port for one device: its controller index, and its place on ``bus``.

    ``shares_slot`` says that other functions follow in the same slot.
    """

    port: int
    bus: int
    slot: int
    function: int
    shares_slot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """A guest's buses and root ports.

    ``near`` and ``open`` are by device slot: ports on expander buses, and indexes of
    ports on the default bus, which come first, as libvirt fills ports in that order.
    Both have ports that are no device's.
    """

    buses: tuple[ExpanderBus, ...]
    near: Mapping[str, Seat]
    open: Mapping[str, int]

    def port(self, slot: str) -> int:
        """Return the index of a device's port."""
        return self.open[slot] if slot in self.open else self.near[slot].port


def seats(
    devices: Sequence[ConfigDevice], cells: Sequence[int] = (), spare: int = 0
) -> Seats:
    """Lay out a port for each device, and ``spare`` more on each bus.

    Each of the guest's ``cells`` has an expander bus, if there is one port on it.
    """
    loose = [device.slot for device in devices if device.guest_cell is None]
    loose += [f"spare {number}" for number in range(spare + _DISK_PORTS)]
    by_cell: dict[int, list[str]] = {}
    for device in devices:
        if device.guest_cell is not None:
            by_cell.setdefault(device.guest_cell, []).append(device.slot)
    for cell in cells:
        names = [f"spare {cell}.{number}" for number in range(spare)]
        by_cell.setdefault(cell, []).extend(names)
    buses: list[ExpanderBus] = []
    places: dict[str, Seat] = {}
    free = _BUSES
    first = len(by_cell) + 1
    port = first + len(loose)
    for index, (cell, slots) in enumerate(sorted(by_cell.items()), start=1):
        free -= 1 + len(slots)
        buses.append(ExpanderBus(guest_cell=cell, index=index, number=free))
        for place, slot in enumerate(slots):
            places[slot] = Seat(
                port=port,
                bus=index,
                slot=place % _SLOTS,
                function=place // _SLOTS,
                shares_slot=place < _SLOTS and place + _SLOTS < len(slots),
            )
            port += 1
    return Seats(
        buses=tuple(buses),
        near=places,
        open={slot: index for index, slot in enumerate(loose, start=first)},
    )
