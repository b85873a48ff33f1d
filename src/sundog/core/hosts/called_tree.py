"""The provider tree that a host calls for: host, its cells, its cards."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

from sundog.core.choosing.assignment import made_uuid
from sundog.core.devices.device import Card
from sundog.core.hosts.allocation import allocation_of, page_class
from sundog.core.hosts.card_inventory import CardLoad, card_inventories
from sundog.core.hosts.card_traits import OWNER, card_traits
from sundog.core.hosts.provider_tree import (
    Inventory,
    Provider,
    ProviderTree,
    card_name,
    cell_name,
    provider_uuid,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Cell, Holding, HostSnapshot

_CELL_TRAITS: Final = frozenset({OWNER, "HW_NUMA_ROOT"})


def call_for(snapshot: HostSnapshot, holdings: Sequence[Holding]) -> ProviderTree:
    """Return the tree that Placement should show for a host and what is held on it.

    No inventory is below what the holdings are charged; a cell or card that is gone
    stays while something on it is held.
    """
    charged = _charged(snapshot, holdings)
    cells = {each.id for each in snapshot.cells}
    cells |= {share.host_cell for held in holdings for share in held.assignment.cells}
    providers = (
        _root(snapshot),
        *(_cell(snapshot, number) for number in sorted(cells)),
        *_cards(snapshot, holdings),
    )
    return ProviderTree.of(
        _cover(each, charged.get(each.uuid, {})) for each in providers
    )


def _charged(
    snapshot: HostSnapshot, holdings: Sequence[Holding]
) -> dict[UUID, Counter[str]]:
    sums: dict[UUID, Counter[str]] = {}
    for held in holdings:
        for uuid, amounts in allocation_of(held.assignment, snapshot).items():
            sums.setdefault(uuid, Counter()).update(amounts)
    return sums


def _cover(provider: Provider, charged: Mapping[str, int]) -> Provider:
    """Raise inventories to what is charged: a host may shrink under its guests."""
    raised = {}
    for name, amount in charged.items():
        inventory = provider.inventories.get(name, Inventory.of(0))
        if inventory.capacity < amount:
            total = max(inventory.total, ceil(amount / inventory.allocation_ratio))
            raised[name] = replace(inventory, total=total, max_unit=total, reserved=0)
    return replace(provider, inventories={**provider.inventories, **raised})


def _root(snapshot: HostSnapshot) -> Provider:
    disk = Inventory.of(snapshot.disk_gb, ratio=snapshot.disk_ratio)
    return Provider(
        uuid=snapshot.uuid,
        name=snapshot.name,
        inventories={"DISK_GB": disk} if disk.total else {},
        traits=snapshot.traits | {OWNER},
    )


def _cell(snapshot: HostSnapshot, number: int) -> Provider:
    name = cell_name(snapshot.name, number)
    inventories = {
        resource_class: inventory
        for cell in snapshot.cells
        if cell.id == number
        for resource_class, inventory in _cell_inventories(snapshot, cell)
        if inventory.total
    }
    return Provider(
        uuid=provider_uuid(snapshot.uuid, name),
        name=name,
        parent=snapshot.uuid,
        inventories=inventories,
        traits=_CELL_TRAITS,
    )


def _cell_inventories(
    snapshot: HostSnapshot, cell: Cell
) -> Iterator[tuple[str, Inventory]]:
    yield "VCPU", Inventory.of(len(cell.shared), ratio=snapshot.cpu_ratio)
    yield "PCPU", Inventory.of(len(cell.dedicated))
    yield "MEMORY_MB", Inventory.of(cell.memory_mb, ratio=snapshot.ram_ratio)
    for pool in cell.pages:
        yield page_class(pool.size_kb), Inventory.of(pool.total)


def _cards(snapshot: HostSnapshot, holdings: Sequence[Holding]) -> Iterator[Provider]:
    held: dict[PciAddress, list[DeviceShare]] = {}
    ours = set()
    for holding in holdings:
        for share in holding.assignment.devices:
            held.setdefault(share.card, []).append(share)
            ours.add(made_uuid(holding.maker, share))
    offered = {card.address: card for card in snapshot.cards}
    for address in sorted(offered.keys() | held.keys()):
        card = offered.get(address, Card(address=address, devices=(), budget=0))
        parents = {device.address for device in card.devices}
        use = CardLoad(
            held=held.get(address, ()),
            foreign=tuple(
                mdev
                for mdev in snapshot.mdevs
                if mdev.parent in parents and mdev.uuid not in ours
            ),
        )
        yield _card(snapshot, card, use)


def _card(snapshot: HostSnapshot, card: Card, use: CardLoad) -> Provider:
    name = card_name(snapshot.name, card.address)
    nodes = frozenset[int]().union(
        *(device.numa_nodes for device in card.devices),
        *(share.numa_nodes for share in use.held),
    )
    return Provider(
        uuid=provider_uuid(snapshot.uuid, name),
        name=name,
        parent=_above(snapshot, nodes),
        inventories=card_inventories(card, use),
        traits=card_traits(card),
    )


def _above(snapshot: HostSnapshot, nodes: frozenset[int]) -> UUID:
    """Return the provider above a card: its cell when that is one and known."""
    cells = [cell.id for cell in snapshot.cells if nodes == {cell.id}]
    if not cells:
        return snapshot.uuid
    return provider_uuid(snapshot.uuid, cell_name(snapshot.name, cells[0]))
