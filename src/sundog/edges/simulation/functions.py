"""Which functions a card has, and what it may still make."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import Sharing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.edges.simulation.host_model import CardModel, MdevModel


def vf_address(card: CardModel, number: int) -> PciAddress:
    """Return where VF ``number`` of a card is: by routing id, as SR-IOV says.

    Raises ValueError when it falls off the last bus.
    """
    if card.vfs is None:
        raise ValueError(f"{card.address} has no VFs")
    pf = card.address
    routing = routing_id(pf) + card.vfs.offset + number * card.vfs.stride
    bus, rest = divmod(routing, 256)
    if bus > 0xFF:  # noqa: PLR2004  a bus number has 8 bits
        raise ValueError(f"{card.address}: VF {number} falls off the last bus")
    return PciAddress(pf.domain, bus, rest >> 3, rest & 7)


def routing_id(address: PciAddress) -> int:
    """Return a function's place in its domain, as SR-IOV counts."""
    return (address.bus << 8) + (address.slot << 3) + address.function


def room(mdev: MdevModel, made: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return how many more of each type a card makes beside those ``made``."""
    count = Counter(made)
    left = mdev.budget - sum(mdev.cost(each) * n for each, n in count.items())
    found = []
    for kind in mdev.types:
        fits = min(kind.instances - count[kind.id], left // mdev.cost(kind.id))
        if mdev.sharing is Sharing.ONE_TYPE and count.keys() - {kind.id}:
            fits = 0
        found.append((kind.id, max(0, fits)))
    return tuple(found)
