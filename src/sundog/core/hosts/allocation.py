"""What an assignment takes of its host's providers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sundog.core.hosts.card_inventory import CARD_BUDGET, shares_budget
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.core.hosts.provider_tree import card_name, cell_name, provider_uuid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, CellShare
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import Allocation


def page_class(size_kb: int) -> str:
    """Name the resource class of huge pages of one size; its unit is a page."""
    return f"CUSTOM_HUGEPAGES_{size_kb}KB"


def allocation_of(assignment: Assignment, snapshot: HostSnapshot) -> Allocation:
    """Return the amounts to claim in Placement for an assignment on its host.

    Shares of cells that float are charged to their cells too. A device on a card
    that the snapshot no longer offers is charged without the card's budget.
    """
    amounts: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    for provider, resource_class, amount in _charges(assignment, snapshot):
        if amount:
            held = amounts[provider]
            held[resource_class] = held.get(resource_class, 0) + amount
    return dict(amounts)


def _charges(
    assignment: Assignment, snapshot: HostSnapshot
) -> Iterator[tuple[UUID, str, int]]:
    root = snapshot.uuid
    if snapshot.disk_gb:
        yield root, "DISK_GB", assignment.disk_gb
    for share in assignment.cells:
        cell = provider_uuid(root, cell_name(snapshot.name, share.host_cell))
        for resource_class, amount in _cell_charges(share):
            yield cell, resource_class, amount
    shared = {card.address for card in snapshot.cards if shares_budget(card)}
    for device in assignment.devices:
        card = provider_uuid(root, card_name(snapshot.name, device.card))
        yield card, device.resource_class, 1
        if device.card in shared:
            yield card, CARD_BUDGET, device.cost


def _cell_charges(share: CellShare) -> Iterator[tuple[str, int]]:
    yield "VCPU", share.shared_cpus
    yield "PCPU", len(share.pins) + len(share.blocked)
    if share.page_kb == SMALL_PAGE_KB:
        yield "MEMORY_MB", share.memory_mb
    else:
        yield page_class(share.page_kb), -(-share.memory_mb * 1024 // share.page_kb)
