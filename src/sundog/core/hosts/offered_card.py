"""Making a card of the functions and types that rules offer on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from sundog.core.choosing.assignment import MADE_KINDS
from sundog.core.devices import placement_names
from sundog.core.devices.capacity import (
    TypeUse,
    card_budget,
    one_type_shown,
    total_on_card,
    type_uses,
)
from sundog.core.devices.device import Card, Device, DeviceKind
from sundog.core.hosts.card_traits import card_traits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import DeviceTags, Mdev, MdevType, PciFunction
    from sundog.core.devices.pci_address import PciAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A function, or a type that it makes, before its card shares a budget.

    ``kept`` holds the shares of a held device that is offered no more; ``function``
    and ``made`` are None if it is gone from the host.
    """

    card: PciAddress
    address: PciAddress
    kind: DeviceKind
    tags: DeviceTags
    function: PciFunction | None = None
    type_id: str = ""
    made: MdevType | None = None
    kept: tuple[DeviceShare, ...] = ()
    unavailable: str = ""

    @classmethod
    def whole(cls, function: PciFunction, tags: DeviceTags) -> Self:
        """Offer the function itself."""
        return cls(
            card=card_address(function),
            address=function.address,
            kind=function.kind,
            tags=tags,
            function=function,
            unavailable=function.unavailable,
        )

    @classmethod
    def type_of(cls, function: PciFunction, made: MdevType, tags: DeviceTags) -> Self:
        """Offer a type that the function makes."""
        return cls(
            card=card_address(function),
            address=function.address,
            kind=function.makes,
            tags=tags,
            function=function,
            type_id=made.id,
            made=made,
            unavailable=function.unavailable,
        )

    @property
    def key(self) -> tuple[PciAddress, str]:
        """What tells it from every other offer of the host."""
        return self.address, self.type_id


def card_address(function: PciFunction) -> PciAddress:
    """Return the address of the card that a function is on: its PF's, or its own."""
    return function.parent if function.parent is not None else function.address


@dataclass(frozen=True, slots=True)
class _Shares:
    """How the card is shared: what the devices of one card have in common."""

    budget: int
    vf_cost: int
    type_costs: dict[str, int]
    totals: dict[str, int]
    in_use: Counter[tuple[PciAddress, str]]
    types: frozenset[str]
    kins: dict[str, str]


def build_card(
    address: PciAddress,
    offers: Sequence[Offer],
    functions: Sequence[PciFunction],
    mdevs: Sequence[Mdev],
    *,
    was_one_type: bool | None = None,
) -> Card:
    """Make a card of what is offered and kept on it.

    ``functions`` are all those that a scan found on the card, offered or not;
    ``was_one_type`` is what the card showed before of how it makes types.
    """
    parents = [function for function in functions if function.types]
    uses = type_uses(parents, mdevs)
    shares = _share(offers, uses, mdevs)
    caps = [o.tags.max_instances for o in offers if o.tags.max_instances is not None]
    ordered = sorted(offers, key=lambda found: found.key)
    return Card(
        address=address,
        devices=tuple(_with_traits(_device(found, shares)) for found in ordered),
        budget=shares.budget,
        one_type=_is_one_type(
            offers, shown=one_type_shown(parents, mdevs, uses), was=was_one_type
        ),
        max_instances=min(caps, default=None),
        product=next((f.product for f in functions if f.address == address), ""),
    )


def _is_one_type(
    offers: Sequence[Offer], *, shown: bool | None, was: bool | None
) -> bool:
    """Say whether the card makes one type at a time.

    That it shows so now wins, then the rule's word, then what it shows or showed. Of a
    card that never showed it the default is told: NVIDIA's drivers start with VFs of
    one size, while mdevs may be mixed unless a card shows otherwise.
    """
    said = {found.tags.one_type for found in offers if not found.kept}
    if shown or True in said:
        return True
    if False in said:
        return False
    known = was if shown is None else shown
    if known is not None:
        return known
    return any(found.kind is DeviceKind.VGPU for found in offers)


def _share(
    offers: Sequence[Offer], uses: Sequence[TypeUse], mdevs: Sequence[Mdev]
) -> _Shares:
    offered = {found.type_id for found in offers if found.made is not None}
    drawn = [use for use in uses if use.id in offered]
    vfs = sum(found.kind is DeviceKind.VF for found in offers)
    shared = card_budget(drawn, vfs)
    budget = shared.budget
    if all(found.function is None for found in offers):
        # Nothing of the card is left to count: what is held is all of it.
        budget = max(budget, sum(s.cost for found in offers for s in found.kept))
    return _Shares(
        budget=budget,
        vf_cost=shared.vf_cost,
        type_costs=dict(shared.type_costs),
        totals={use.id: total_on_card(use, drawn, vfs) for use in drawn},
        in_use=Counter((mdev.parent, mdev.type_id) for mdev in mdevs),
        types=frozenset(
            o.type_id for o in offers if o.kind in MADE_KINDS and not o.kept
        ),
        kins={use.id: use.kin for use in drawn},
    )


def _device(found: Offer, shares: _Shares) -> Device:
    function = found.function
    vendor_id, product_id = _pci_ids(found)
    return Device(
        address=found.address,
        kind=found.kind,
        vendor_id=vendor_id,
        product_id=product_id,
        resource_class=found.tags.resource_class or _default_class(found, shares),
        numa_nodes=function.numa_nodes if function else found.kept[0].numa_nodes,
        type_id=found.type_id,
        type_name=found.made.name if found.made else "",
        kin=shares.kins.get(found.type_id, found.type_id),
        total=_total(found, shares),
        available=_available(found),
        cost=_cost(found, shares),
        tags=found.tags,
        unavailable=found.unavailable,
    )


def _pci_ids(found: Offer) -> tuple[str, str]:
    function = found.function
    return (function.vendor_id, function.product_id) if function else ("", "")


def _default_class(found: Offer, shares: _Shares) -> str:
    if not found.type_id:
        vendor, product = _pci_ids(found)
        return placement_names.custom_name(f"PCI_{vendor}_{product}")
    if len(shares.types) == 1:
        return placement_names.VGPU
    # The number of a vGPU type says nothing, and may change with the driver.
    has_name = found.kind is DeviceKind.VGPU and found.made and found.made.name
    return placement_names.custom_name(has_name or found.type_id)


def _available(found: Offer) -> int:
    """Return the kernel's word; nothing more of what is offered no more."""
    if found.kept:
        return 0
    return found.made.available if found.made else 1


def _total(found: Offer, shares: _Shares) -> int:
    """Return how many an empty card makes here: a VF makes its own part only."""
    if found.made is None:
        return max(1, len(found.kept))
    total = shares.totals[found.type_id]
    if found.function is not None and found.function.parent is not None:
        here = found.made.available + shares.in_use[found.key]
        return max(1, min(total, here))
    return total


def _cost(found: Offer, shares: _Shares) -> int:
    if found.type_id:
        recorded = found.kept[0].cost if found.kept else shares.budget
        return shares.type_costs.get(found.type_id, recorded)
    return shares.vf_cost if found.kind is DeviceKind.VF else shares.budget


def _with_traits(device: Device) -> Device:
    """Add what Placement will show of the device, so that flavors can ask for it."""
    traits = card_traits(Card(address=device.address, devices=(device,)))
    return replace(device, tags=replace(device.tags, traits=traits))
