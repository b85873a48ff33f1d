"""Functions that a running guest has and nobody claims for it: others' guests, say.

They are not free, whoever gave them away, and neither is the PF or are the VFs of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.devices.pci_address import PciAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from sundog.core.devices.device import PciFunction, Source
    from sundog.core.hosts.host_snapshot import Holding


def in_guests(
    functions: Iterable[PciFunction],
    holders: Mapping[Source, UUID],
    holdings: Iterable[Holding],
) -> dict[PciAddress, str]:
    """Return why functions cannot be handed out: which running guest has them.

    ``holders`` are the guests by what they have; what ``holdings`` say of it is known.
    An mdev is counted where it is made, whoever has it.
    """
    known = {
        (share.address, held.maker)
        for held in holdings
        for share in held.assignment.devices
    }
    taken = {
        source: guest
        for source, guest in holders.items()
        if isinstance(source, PciAddress) and (source, guest) not in known
    }
    if not taken:
        return {}
    reasons: dict[PciAddress, str] = {}
    for function in functions:
        parent, address = function.parent, function.address
        if parent in taken:
            reasons[address] = f"guest {taken[parent]} has its PF, {parent}"
        if address in taken:
            reasons[address] = f"guest {taken[address]} has {address}"
            if parent is not None:
                why = f"guest {taken[address]} has its VF {address}"
                reasons.setdefault(parent, why)
    return reasons
