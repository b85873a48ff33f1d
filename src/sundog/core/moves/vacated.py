"""A host as it will be when what was made for a server is removed from it.

An mdev or a vGPU that exists counts as used, whoever holds it. What a server has may
serve its next assignment on the same host, so choosing looks at the host without it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import MADE_KINDS, made_uuid

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Card, Device
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Holding, HostSnapshot


def vacated(snapshot: HostSnapshot, holding: Holding) -> HostSnapshot:
    """Return a host without what was made there for a holding there.

    How many more a card will then make is reckoned from its budget; the host itself
    judges again when they are gone.
    """
    own = {
        made_uuid(holding.maker, share): share
        for share in holding.assignment.devices
        if share.is_made
    }
    gone = {mdev.uuid for mdev in snapshot.mdevs} & own.keys()
    if not gone:
        return snapshot
    left = tuple(mdev for mdev in snapshot.mdevs if mdev.uuid not in gone)
    freed: dict[PciAddress, list[DeviceShare]] = defaultdict(list)
    for uuid in gone:
        freed[own[uuid].card].append(own[uuid])
    makers = {mdev.parent for mdev in left}
    return replace(
        snapshot,
        mdevs=left,
        cards=tuple(
            _roomier(card, freed[card.address], makers)
            if card.address in freed
            else card
            for card in snapshot.cards
        ),
    )


def _roomier(
    card: Card, freed: list[DeviceShare], makers: AbstractSet[PciAddress]
) -> Card:
    is_empty = makers.isdisjoint(device.address for device in card.devices)
    room = sum(share.cost for share in freed)

    def roomier(device: Device) -> Device:
        if device.kind not in MADE_KINDS:
            return device
        more = device.total if is_empty else room // device.cost
        return replace(device, available=min(device.total, device.available + more))

    return replace(card, devices=tuple(map(roomier, card.devices)))
