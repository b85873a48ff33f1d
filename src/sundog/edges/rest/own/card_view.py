"""A card as ``/v1`` shows it, with what is left of it by the chooser's own rules."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import made_uuid
from sundog.core.choosing.card_room import budget_left, card_use, free_of
from sundog.edges.rest.own.bodies import CardBody, DeviceBody, HolderBody

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.choosing.card_room import CardUse
    from sundog.core.devices.device import Card, Device, Mdev
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import HostState

    Held = list[tuple[UUID, DeviceShare]]


def card_body(card: Card, state: HostState, names: Mapping[UUID, str]) -> CardBody:
    """Return a card with its devices; ``names`` tells the holders' names."""
    held = [
        (holding.maker, share)
        for holding in state.holdings
        for share in holding.assignment.devices
        if share.card == card.address
    ]
    mdevs: dict[PciAddress, list[Mdev]] = defaultdict(list)
    for mdev in state.snapshot.mdevs:
        mdevs[mdev.parent].append(mdev)
    use = card_use(card, held, mdevs)
    nodes = sorted({node for device in card.devices for node in device.numa_nodes})
    return CardBody(
        address=str(card.address),
        product=card.product,
        numa_nodes=nodes,
        budget=card.budget,
        budget_used=card.budget - budget_left(card, use),
        one_type=card.one_type,
        devices=[
            _device(device, (card, use), held, (names, mdevs[device.address]))
            for device in card.devices
        ],
    )


def _device(
    device: Device,
    where: tuple[Card, CardUse],
    held: Held,
    known: tuple[Mapping[UUID, str], list[Mdev]],
) -> DeviceBody:
    names, mdevs = known
    own = [
        (consumer, share)
        for consumer, share in held
        if (share.address, share.kind, share.type_id)
        == (device.address, device.kind, device.type_id)
    ]
    ours = {made_uuid(consumer, share) for consumer, share in own}
    foreign = [
        mdev
        for mdev in mdevs
        if mdev.type_id == device.type_id and mdev.uuid not in ours
    ]
    # Each device's room stands alone; the card's budget holds for all together.
    left = max(0, budget_left(*where)) // max(1, device.cost)
    free = min(free_of(device, *where), left)
    state = "unavailable" if device.unavailable else "available" if free else "claimed"
    return DeviceBody(
        address=str(device.address),
        kind=device.kind.value,
        vendor_id=device.vendor_id,
        product_id=device.product_id,
        type=device.type_id,
        type_name=device.type_name,
        resource_class=device.resource_class,
        numa_nodes=sorted(device.numa_nodes),
        total=device.total,
        cost=device.cost,
        used=len(own),
        free=free,
        state=state,
        reason=device.unavailable,
        holders=[
            HolderBody(
                server_id=str(consumer),
                server_name=names.get(consumer, ""),
                slot=share.slot,
                type=share.type_id,
            )
            for consumer, share in own
        ],
        foreign=len(foreign),
    )
