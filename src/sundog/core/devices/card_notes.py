"""What is noted of a card, because it does not show it at all times."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sundog.core.devices.capacity import one_type_shown, type_uses
from sundog.core.devices.device import MdevType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sundog.core.devices.device import Mdev, PciFunction
    from sundog.core.devices.pci_address import PciAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedType:
    """A vGPU type that a card was seen to make."""

    id: str
    name: str
    size_mb: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNotes:
    """What is noted of the card at ``address``, its PF's or its own, as text.

    ``types`` are of vGPUs. ``one_type`` is whether it was last seen to make one type
    at a time, None when it did not show that yet.
    """

    host: str
    address: str
    types: tuple[NotedType, ...] = ()
    one_type: bool | None = None

    @property
    def known(self) -> tuple[MdevType, ...]:
        """The types, none of which may be made as far as these notes say."""
        return tuple(
            MdevType(id=kind.id, name=kind.name, size_mb=kind.size_mb)
            for kind in self.types
        )


def modes_shown(
    functions: Iterable[PciFunction], mdevs: Sequence[Mdev]
) -> dict[PciAddress, bool]:
    """Return which cards show now that they make one type at a time, or several."""
    cards: defaultdict[PciAddress, list[PciFunction]] = defaultdict(list)
    for function in functions:
        if function.types:
            cards[function.parent or function.address].append(function)
    used = {mdev.parent for mdev in mdevs}
    shown = {
        card: one_type_shown(parents, mdevs, type_uses(parents, mdevs))
        for card, parents in cards.items()
        if any(parent.address in used for parent in parents)
    }
    return {card: one for card, one in shown.items() if one is not None}
