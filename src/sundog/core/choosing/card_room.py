"""What is still free on one card.

Rules of one card, all derived from the snapshot and what is held:

- a PF excludes everything else on its card;
- a function is used whole, or makes mdevs, never both; a type of which its parent
  makes only one (``total`` 1, as SR-IOV vGPUs have it) fills its parent;
- of a type, a parent makes no more than the kernel said, less what is claimed and
  not yet made;
- the costs of all that is used stay within the card's budget; ``one_type`` and
  ``max_instances`` hold over all its mdevs and vGPUs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.assignment import MADE_KINDS, made_uuid
from sundog.core.devices.device import DeviceKind, kin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Card, Device, Mdev
    from sundog.core.devices.pci_address import PciAddress

NO_LIMIT = 1 << 30


class Face(NamedTuple):
    """What a want may ask about: plain, sortable values, shared by many devices.

    ``live`` is -1 when the rule is silent on live migration, else 0 or 1. No want asks
    about ``kin``; it is what a card of one type at a time goes by.
    """

    kind: str
    vendor: str
    product: str
    resource_class: str
    type_id: str
    type_name: str
    traits: tuple[str, ...]
    live: int
    kin: str


class Offer(NamedTuple):
    """A face with what one function has of it.

    ``mask`` has a bit for each host cell (by index) that the device is near; 0 means
    an unknown node. ``alone`` takes its function whole. ``free`` counts instances.
    """

    face: Face
    mask: int
    cost: int
    alone: bool
    free: int


class Functions(NamedTuple):
    """Functions of a card that offer the same; ``places`` has each one's devices."""

    offers: tuple[Offer, ...]
    places: tuple[tuple[Device, ...], ...]


CardShape = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class CardRoom:
    """What is free on a card; equal ``shape`` means interchangeable."""

    address: PciAddress
    functions: tuple[Functions, ...]
    room: int
    one_type: bool
    instances: int
    versatility: int
    touched: bool
    shape: CardShape


@dataclass(slots=True)
class CardUse:
    """What is used on a card, by us or by others."""

    whole: set[PciAddress] = field(default_factory=set)
    makers: set[PciAddress] = field(default_factory=set)
    pending: Counter[tuple[PciAddress, str]] = field(default_factory=Counter)
    types: set[str] = field(default_factory=set)
    spent: int = 0
    instances: int = 0
    has_pf: bool = False
    has_unknown_cost: bool = False

    def add_share(self, share: DeviceShare) -> None:
        """Count a held device; a made one is one that was not seen in the snapshot."""
        self.spent += share.cost
        if share.is_made:
            self.types.add(share.type_id)
            self.instances += 1
            self.makers.add(share.address)
            self.pending[share.address, share.type_id] += 1
        if share.kind is not DeviceKind.MDEV:
            self.whole.add(share.address)
        self.has_pf |= share.kind is DeviceKind.PF

    def add_mdev(self, mdev: Mdev, cost: int | None) -> None:
        """Count what is made; ``cost`` None means that nobody knows it."""
        self.makers.add(mdev.parent)
        self.types.add(mdev.type_id)
        self.instances += 1
        self.spent += cost or 0
        self.has_unknown_cost |= cost is None


def card_use(
    card: Card,
    held: Sequence[tuple[UUID, DeviceShare]],
    mdevs: Mapping[PciAddress, Collection[Mdev]],
) -> CardUse:
    """Sum up what is used on a card, each mdev once: held, existing, or both."""
    use = CardUse()
    mdevs_here = [
        mdev
        for address in sorted({device.address for device in card.devices})
        for mdev in mdevs.get(address, ())
    ]
    costs: dict[object, int] = {
        (device.address, device.type_id): device.cost
        for device in card.devices
        if device.kind in MADE_KINDS
    }
    seen = {mdev.uuid for mdev in mdevs_here}
    for consumer, share in held:
        uuid = made_uuid(consumer, share)
        if uuid in seen:
            costs[uuid] = share.cost
        else:
            use.add_share(share)
    for mdev in mdevs_here:
        by_type = costs.get((mdev.parent, mdev.type_id))
        use.add_mdev(mdev, costs.get(mdev.uuid, by_type))
    made = use.pending.keys() | {(mdev.parent, mdev.type_id) for mdev in mdevs_here}
    use.whole |= {
        device.address
        for device in card.devices
        if device.kind in MADE_KINDS
        and fills_parent(device)
        and (device.address, device.type_id) in made
    }
    return use


def budget_left(card: Card, use: CardUse) -> int:
    """Tell what is left of the card's budget.

    When an mdev exists whose cost nobody knows, the kernel's word bounds it: what
    one type could still be made of was free at the time of the scan.
    """
    left = card.budget - use.spent
    if use.has_unknown_cost:
        sure = max(d.available * d.cost for d in card.devices)
        pending = sum(
            use.pending[device.address, device.type_id] * device.cost
            for device in card.devices
            if device.kind in MADE_KINDS
        )
        left = min(left, sure - pending)
    return left


def fills_parent(device: Device) -> bool:
    """Tell whether one instance leaves nothing else of its function."""
    return device.kind is not DeviceKind.MDEV or device.total == 1


def free_of(device: Device, card: Card, use: CardUse) -> int:
    """Count how many more of a device its card could give, alone on the card."""
    address = device.address
    made = device.kind in MADE_KINDS
    cap = NO_LIMIT if card.max_instances is None else card.max_instances
    refused = (
        bool(device.unavailable)
        or use.has_pf
        or address in use.whole
        or (fills_parent(device) and address in use.makers)
        or (device.kind is DeviceKind.PF and bool(use.whole or use.makers))
        or (made and card.one_type and _is_of_another_kin(device, card, use))
        or device.cost > budget_left(card, use)
    )
    if refused:
        return 0
    if not made:
        return 1
    most = 1 if fills_parent(device) else NO_LIMIT
    free = min(device.available - use.pending[address, device.type_id], most)
    return max(0, min(free, cap - use.instances))


def _is_of_another_kin(device: Device, card: Card, use: CardUse) -> bool:
    kins = {each.type_id: kin_of(each) for each in card.devices} if use.types else {}
    return any(kins.get(used, used) != kin_of(device) for used in use.types)


def face_of(device: Device) -> Face:
    """Reduce a device to what wants may ask about."""
    live = device.tags.live_migratable
    return Face(
        device.kind.value,
        device.vendor_id.lower(),
        device.product_id.lower(),
        device.resource_class,
        device.type_id,
        device.type_name,
        tuple(sorted(device.tags.traits)),
        -1 if live is None else int(live),
        kin_of(device),
    )


def card_room(
    card: Card, use: CardUse, near: Callable[[frozenset[int]], int]
) -> CardRoom:
    """Derive what is free on a card; ``near`` turns NUMA nodes into a cell mask."""
    by_address: dict[PciAddress, list[tuple[Offer, Device]]] = {}
    for device in card.devices:
        free = free_of(device, card, use)
        if free > 0:
            offer = Offer(
                face_of(device),
                near(device.numa_nodes),
                device.cost,
                fills_parent(device),
                free,
            )
            by_address.setdefault(device.address, []).append((offer, device))
    grouped: dict[tuple[Offer, ...], list[tuple[Device, ...]]] = {}
    for _, pairs in sorted(by_address.items()):
        pairs.sort(key=lambda pair: pair[0])
        offers = tuple(offer for offer, _ in pairs)
        grouped.setdefault(offers, []).append(tuple(device for _, device in pairs))
    functions = tuple(
        Functions(offers, tuple(places)) for offers, places in sorted(grouped.items())
    )
    return _room(card, use, functions)


def _room(card: Card, use: CardUse, functions: tuple[Functions, ...]) -> CardRoom:
    room = budget_left(card, use)
    cap = card.max_instances
    instances = NO_LIMIT if cap is None else cap - use.instances
    faces = {offer.face for group in functions for offer in group.offers}
    touched = bool(use.whole or use.makers)
    shape: CardShape = (
        tuple((group.offers, len(group.places)) for group in functions),
        room if functions else 0,
        card.one_type,
        instances if functions else 0,
        touched and bool(functions),
    )
    return CardRoom(
        address=card.address,
        functions=functions,
        room=room,
        one_type=card.one_type,
        instances=instances,
        versatility=len(faces),
        touched=touched,
        shape=shape,
    )
