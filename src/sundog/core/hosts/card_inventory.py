"""What a card's provider has to give, with what must be kept back of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.hosts.provider_tree import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Card, Device, Mdev
    from sundog.core.devices.pci_address import PciAddress

CARD_BUDGET: Final = "CUSTOM_CARD_BUDGET"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUse:
    """What is on a card now: shares that servers hold, and mdevs that are not ours."""

    held: Sequence[DeviceShare] = ()
    foreign: Sequence[Mdev] = ()


def shares_budget(card: Card) -> bool:
    """Whether the devices of a card, all taken, would exceed its budget.

    Such a card has an inventory of its budget, and each device is charged its cost:
    so Placement itself refuses a PF beside its VFs, or one mdev type too many.
    """
    return sum(device.total * device.cost for device in card.devices) > card.budget


def card_inventories(card: Card, use: CardUse) -> dict[str, Inventory]:
    """Return a card's inventories by resource class; never below what is held.

    What is unavailable or taken by others is reserved, unless a server holds it. A
    held device that the card no longer offers still counts, until it is freed.
    """
    usable = _usable(card, use)
    held = Counter(share.resource_class for share in use.held)
    taken = _taken_by_others(card, use)
    departed = _departed(card, use)
    inventories = {}
    for name in sorted({each.resource_class for each in card.devices} | held.keys()):
        most = _at_most(card, _of_class(card.devices, name))
        kept = most - _at_most(card, _of_class(usable, name)) + taken[name]
        total = max(most + departed[name], held[name])
        if total:
            reserved = min(total - held[name], kept)
            inventories[name] = Inventory.of(total, reserved=reserved)
    if shares_budget(card):
        inventories[CARD_BUDGET] = _budget(card, use, usable)
    return inventories


def _of_class(devices: Iterable[Device], name: str) -> list[Device]:
    return [device for device in devices if device.resource_class == name]


def _at_most(card: Card, devices: Sequence[Device]) -> int:
    """Return how many of these devices an empty card gives, the cheapest first."""
    whole = [device for device in devices if not device.type_id]
    typed = [device for device in devices if device.type_id]
    groups = [typed]
    if card.one_type:
        names = {device.type_id for device in typed}
        groups = [[one for one in typed if one.type_id == name] for name in names]
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


def _usable(card: Card, use: CardUse) -> tuple[Device, ...]:
    """Return the devices with their totals lowered to what may be used of them."""
    held = Counter((share.address, share.type_id) for share in use.held)
    unexplained = _unexplained(card, use)

    def lowered(device: Device) -> Device:
        mine = held[device.address, device.type_id]
        if device.unavailable:
            return replace(device, total=min(device.total, mine))
        if device.type_id and device.address in unexplained:
            return replace(device, total=min(device.total, mine + device.available))
        return device

    return tuple(lowered(device) for device in card.devices)


def _unexplained(card: Card, use: CardUse) -> set[PciAddress]:
    """Return the parents that bear mdevs of a type whose cost no rule tells.

    There the kernel's word (``available``) is all that is known.
    """
    known = {(device.address, device.type_id) for device in card.devices}
    return {
        mdev.parent for mdev in use.foreign if (mdev.parent, mdev.type_id) not in known
    }


def _foreign_devices(card: Card, use: CardUse) -> list[Device]:
    offered = {(device.address, device.type_id): device for device in card.devices}
    found = (offered.get((mdev.parent, mdev.type_id)) for mdev in use.foreign)
    return [device for device in found if device is not None]


def _taken_by_others(card: Card, use: CardUse) -> Counter[str]:
    return Counter(device.resource_class for device in _foreign_devices(card, use))


def _departed(card: Card, use: CardUse) -> Counter[str]:
    offered = {(device.address, device.type_id) for device in card.devices}
    return Counter(
        share.resource_class
        for share in use.held
        if (share.address, share.type_id) not in offered
    )


def _budget(card: Card, use: CardUse, usable: Sequence[Device]) -> Inventory:
    held = sum(share.cost for share in use.held)
    foreign = sum(device.cost for device in _foreign_devices(card, use))
    drawable = sum(device.total * device.cost for device in usable)
    if _unexplained(card, use):
        more = (device.available * device.cost for device in usable)
        drawable = min(drawable, held + max(more, default=0))
    total = max(card.budget, held)
    kept = max(0, card.budget - drawable) + foreign
    return Inventory.of(total, reserved=min(total - held, kept))
