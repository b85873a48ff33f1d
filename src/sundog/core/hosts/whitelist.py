"""Applying the whitelist to what a scan found: the cards that a host offers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.devices.device import DeviceKind, DeviceTags
from sundog.core.devices.device_spec import ANY_TYPE, first_match
from sundog.core.devices.vgpu import set_vgpus, with_known_types
from sundog.core.guards.isolation import isolated
from sundog.core.hosts.host_snapshot import HostSnapshot, Problem
from sundog.core.hosts.offered_card import Offer, build_card, card_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Card, Mdev, PciFunction
    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Holding, HostFacts

LEFT = "left the whitelist"
GONE = "gone from the host"
ONCE_IS_NOT_FOR_VFS = "a VF cannot be used once; one_time_use is for PFs and PCI"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPolicy:
    """What the operator says of a host as a whole: Nova's ratios, and its traits."""

    cpu_ratio: float = 1.0
    ram_ratio: float = 1.0
    disk_ratio: float = 1.0
    traits: frozenset[str] = frozenset()


def offer(
    facts: HostFacts,
    specs: Sequence[DeviceSpec],
    policy: HostPolicy,
    held: Sequence[Holding] = (),
) -> HostSnapshot:
    """Return the host as the chooser sees it.

    The first rule that means a function decides: with ``mdev_type`` or ``vgpu_type``
    it offers the types that the function may make, else the function itself. A held
    device that no rule means any more, or that is gone, stays with the reason in
    ``unavailable``.
    """
    facts = replace(facts, functions=isolated(facts.functions, specs))
    facts = replace(facts, functions=with_known_types(facts.functions))
    functions = {function.address: function for function in facts.functions}
    matched = _match(facts, specs)
    facts = replace(facts, mdevs=_made(facts, matched))
    offers = [found for pair in matched for found in _offers(*pair)]
    offers += _kept(functions, offers, held)
    return HostSnapshot(
        name=facts.name,
        uuid=facts.uuid,
        cells=facts.cells,
        cards=_cards(facts, offers),
        mdevs=facts.mdevs,
        disk_gb=facts.disk_gb,
        cpu_ratio=policy.cpu_ratio,
        ram_ratio=policy.ram_ratio,
        disk_ratio=policy.disk_ratio,
        traits=policy.traits,
        libvirt_version=facts.libvirt_version,
        qemu_version=facts.qemu_version,
        boot_id=facts.boot_id,
        booted=facts.booted,
        problems=(*facts.problems, *_problems(matched), *_lost_modes(facts, matched)),
    )


def _match(
    facts: HostFacts, specs: Sequence[DeviceSpec]
) -> list[tuple[PciFunction, DeviceSpec]]:
    functions = {function.address: function for function in facts.functions}
    return [
        (function, spec)
        for function in facts.functions
        if (spec := first_match(specs, function, _parent(function, functions)))
    ]


def _parent(
    function: PciFunction, functions: dict[PciAddress, PciFunction]
) -> PciFunction | None:
    return functions.get(function.parent) if function.parent is not None else None


def _offers(function: PciFunction, spec: DeviceSpec) -> Iterator[Offer]:
    if not spec.offers_types:
        whole = Offer.whole(function, spec.tags)
        if spec.tags.one_time_use and function.kind is DeviceKind.VF:
            # As in Nova: a VF shares its card, so that cleaning it cleans nothing.
            whole = replace(whole, unavailable=whole.unavailable or ONCE_IS_NOT_FOR_VFS)
        yield whole
        return
    for made in function.types:
        if spec.makes(function.makes, made):
            yield Offer.type_of(function, made, spec.tags)


def _kept(
    functions: dict[PciAddress, PciFunction],
    offers: Sequence[Offer],
    held: Sequence[Holding],
) -> list[Offer]:
    """Return an offer, never to be taken, for each held device that has none."""
    offered = {found.key for found in offers}
    shares: dict[tuple[PciAddress, str], list[DeviceShare]] = {}
    for holding in held:
        for share in holding.assignment.devices:
            if (share.address, share.type_id) not in offered:
                shares.setdefault((share.address, share.type_id), []).append(share)
    return [
        _keep(functions.get(address), found) for (address, _), found in shares.items()
    ]


def _keep(function: PciFunction | None, shares: list[DeviceShare]) -> Offer:
    share = shares[0]
    made = None
    if function is not None and share.type_id:
        made = next((t for t in function.types if t.id == share.type_id), None)
    there = function is not None and (made is not None or not share.type_id)
    unread = function.unavailable if function is not None else ""
    return Offer(
        card=share.card,
        address=share.address,
        kind=share.kind,
        function=function,
        type_id=share.type_id,
        made=made,
        tags=DeviceTags(resource_class=share.resource_class, managed=share.managed),
        kept=tuple(shares),
        unavailable=unread or (LEFT if there else GONE),
    )


def _made(
    facts: HostFacts, matched: Sequence[tuple[PciFunction, DeviceSpec]]
) -> tuple[Mdev, ...]:
    """Return what is made on the host, vGPUs of VFs that are offered whole left out.

    Who offers such a VF as a function, as Nova does, set its type on purpose.
    """
    whole = {function.address for function, spec in matched if not spec.offers_types}
    return (*facts.mdevs, *set_vgpus(facts.functions, whole))


def _cards(facts: HostFacts, offers: Sequence[Offer]) -> tuple[Card, ...]:
    by_card: dict[PciAddress, list[Offer]] = {}
    for found in offers:
        by_card.setdefault(found.card, []).append(found)
    siblings: dict[PciAddress, list[PciFunction]] = {}
    for function in facts.functions:
        siblings.setdefault(card_address(function), []).append(function)
    return tuple(
        build_card(
            address,
            by_card[address],
            siblings.get(address, ()),
            facts.mdevs,
            was_one_type=facts.one_type.get(address),
        )
        for address in sorted(by_card)
    )


def _problems(
    matched: Sequence[tuple[PciFunction, DeviceSpec]],
) -> Iterator[Problem]:
    """Tell of unreadable functions, and of listed types that nothing here makes."""
    made: dict[str, set[str]] = {}
    specs: dict[str, DeviceSpec] = {}
    for function, spec in matched:
        specs[spec.where] = spec
        names = made.setdefault(spec.where, set())
        for found in function.types:
            vgpu = function.makes is DeviceKind.VGPU
            names |= {found.id, found.name} if vgpu else {found.id}
        if function.unavailable:
            yield Problem(where=str(function.address), reason=function.unavailable)
        if 0 < function.total_vfs < (spec.sriov_numvfs or 0):
            yield Problem(
                where=str(function.address),
                reason=f"makes at most {function.total_vfs} VFs, but {spec.where} "
                f"has sriov_numvfs {spec.sriov_numvfs}",
            )
    for where, spec in specs.items():
        for type_id in sorted(spec.mdev_types - ANY_TYPE - made[where]):
            yield Problem(
                where=where,
                reason=f"no function that it means makes the mdev_type {type_id}",
            )
        for name in sorted(spec.vgpu_types - made[where]):
            if spec.vgpu_types != ANY_TYPE or not made[where]:
                yield Problem(
                    where=where,
                    reason="no VF that it means can be "
                    + ("any vGPU" if name == "*" else f"the vgpu_type {name}")
                    + "; VFs must be enabled, and the driver's own",
                )


def _lost_modes(
    facts: HostFacts, matched: Sequence[tuple[PciFunction, DeviceSpec]]
) -> Iterator[Problem]:
    """Tell of cards that were seen to make one type although a rule denies that."""
    rules = {
        card_address(function): spec.where
        for function, spec in matched
        if spec.tags.one_type is False and function.types
    }
    for card, where in sorted(rules.items()):
        if facts.one_type.get(card):
            yield Problem(
                where=str(card),
                reason="was seen to make one type or size at a time, but "
                f"{where} says one_type false; set its mode, after its VFs are there",
            )
