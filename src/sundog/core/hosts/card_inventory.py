"""What a card's provider has to give, with what must be kept back of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import kin_of
from sundog.core.hosts.provider_tree import Inventory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Card, Device, Mdev
    from sundog.core.devices.pci_address import PciAddress

CARD_BUDGET: Final = "CUSTOM_CARD_BUDGET"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLoad:
    """What is on a card now: shares that servers hold, and mdevs that are not ours."""

    held: Sequence[DeviceShare] = ()
    foreign: Sequence[Mdev] = ()


def shares_budget(card: Card) -> bool:
    """Whether the devices of a card, all taken, would exceed its budget.

    Such a card has an inventory of its budget, and each device is charged its cost:
    so Placement itself refuses a PF beside its VFs, or one mdev type too many.
    """
    return sum(device.total * device.cost for device in card.devices) > card.budget


def card_inventories(card: Card, load: CardLoad) -> dict[str, Inventory]:
    """Return a card's inventories by resource class; never below what is held.

    What is unavailable or taken by others is reserved, unless a server holds it. A
    held device that the card no longer offers still counts, until it is freed.
    """
    usable = _usable(card, load)
    held = Counter(share.resource_class for share in load.held)
    departed = _departed(card, load)
    inventories = {}
    for name in sorted({each.resource_class for each in card.devices} | held.keys()):
        most = _at_most(card, name)
        total = max(most + departed[name], held[name])
        if total:
            reserved = min(total - held[name], most - _at_most(usable, name))
            inventories[name] = Inventory.of(total, reserved=reserved)
    if shares_budget(card):
        inventories[CARD_BUDGET] = _budget(card, load, usable)
    return inventories


def _at_most(card: Card, name: str) -> int:
    """Return how many of a class an empty card gives, the cheapest first."""
    named = [device for device in card.devices if device.resource_class == name]
    whole = [device for device in named if not device.type_id]
    typed = [device for device in named if device.type_id]
    groups = [typed]
    if card.one_type:
        kins = {kin_of(device) for device in typed}
        groups = [[one for one in typed if kin_of(one) == kin] for kin in kins]
    made = max((_fill(card.budget, group) for group in groups), default=0)
    if card.max_instances is not None:
        made = min(made, card.max_instances)
    return made + _fill(card.budget, whole)


def _fill(budget: int, devices: Sequence[Device]) -> int:
    count = 0
    for device in sorted(devices, key=lambda device: device.cost):
        fits = budget // device.cost if device.cost else device.total
        made = min(device.total, fits)
        count += made
        budget -= made * device.cost
    return count


def _usable(card: Card, load: CardLoad) -> Card:
    """Return the card as if it had only what may be used of it.

    Of a device counts what is held of its class, and unless it is unavailable what
    may still be made, without what is foreign or was claimed under another class.
    """
    foreign = Counter((mdev.parent, mdev.type_id) for mdev in load.foreign)
    held = Counter(
        (share.address, share.type_id, share.resource_class) for share in load.held
    )
    everything = Counter((share.address, share.type_id) for share in load.held)
    unexplained = _unexplained(card, load)

    def lowered(device: Device) -> Device:
        key = device.address, device.type_id
        mine = held[*key, device.resource_class]
        total = device.total - foreign[key] - (everything[key] - mine)
        if device.unavailable:
            total = min(total, mine)
        elif device.type_id and device.address in unexplained:
            total = min(total, mine + device.available)
        return replace(device, total=max(0, total))

    most = card.max_instances
    return replace(
        card,
        devices=tuple(lowered(device) for device in card.devices),
        budget=max(0, card.budget - _foreign_cost(card, load)),
        max_instances=None if most is None else max(0, most - len(load.foreign)),
    )


def _unexplained(card: Card, load: CardLoad) -> set[PciAddress]:
    """Return the parents that bear mdevs of a type whose cost no rule tells.

    There the kernel's word (``available``) is all that is known.
    """
    known = {(device.address, device.type_id) for device in card.devices}
    return {
        mdev.parent for mdev in load.foreign if (mdev.parent, mdev.type_id) not in known
    }


def _foreign_cost(card: Card, load: CardLoad) -> int:
    costs = {(each.address, each.type_id): each.cost for each in card.devices}
    return sum(costs.get((mdev.parent, mdev.type_id), 0) for mdev in load.foreign)


def _departed(card: Card, load: CardLoad) -> Counter[str]:
    offered = {(device.address, device.type_id) for device in card.devices}
    return Counter(
        share.resource_class
        for share in load.held
        if (share.address, share.type_id) not in offered
    )


def _budget(card: Card, load: CardLoad, usable: Card) -> Inventory:
    held = sum(share.cost for share in load.held)
    drawable = sum(device.total * device.cost for device in usable.devices)
    if _unexplained(card, load):
        more = (device.available * device.cost for device in usable.devices)
        drawable = min(drawable, held + max(more, default=0))
    total = max(card.budget, held)
    kept = card.budget - min(usable.budget, drawable)
    return Inventory.of(total, reserved=min(total - held, kept))
