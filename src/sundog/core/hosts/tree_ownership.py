"""What in Placement's tree of a host is ours to change, and what others put there.

Ours: the root, providers whose uuid is derived from their name, the resource classes
and traits that Sundog spells itself, and those that it is known to have written
before (names that a rule's tags gave). Everything else stays as it is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.hosts.card_inventory import CARD_BUDGET
from sundog.core.hosts.provider_tree import Provider, ProviderTree, provider_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from uuid import UUID

    from sundog.core.hosts.provider_tree import Inventory

_CLASSES: Final = re.compile(
    r"VCPU|PCPU|MEMORY_MB|DISK_GB|VGPU|CUSTOM_HUGEPAGES_\d+KB|CUSTOM_PCI_\w+"
    rf"|{CARD_BUDGET}",
    re.ASCII,
)
_TRAITS: Final = re.compile(
    r"CUSTOM_OWNER_SUNDOG|COMPUTE_MANAGED_PCI_DEVICE|HW_NUMA_ROOT"
    r"|HW_PCI_LIVE_MIGRATABLE|HW_PCI_ONE_TIME_USE|CUSTOM_(MDEV|VGPU)_TYPE_\w+",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Placement's tree of a host as it was read.

    ``used`` says what consumers hold, for the providers that lose something.
    ``written`` are names of classes and traits that we have written before.
    """

    tree: ProviderTree
    used: Mapping[UUID, Mapping[str, int]]
    written: AbstractSet[str] = frozenset()


def losing(found: ProviderTree, wanted: ProviderTree) -> tuple[UUID, ...]:
    """Return the providers of which something would go: their usage must be known."""
    return tuple(
        uuid
        for uuid, provider in found.providers.items()
        if uuid not in wanted.providers
        or provider.inventories.keys() - wanted.providers[uuid].inventories.keys()
    )


def settled(found: Found, wanted: ProviderTree) -> ProviderTree:
    """Return the tree to make of what was found: ``wanted``, and what must stay.

    What others put there stays. A class or provider of ours that is no longer wanted
    stays, wholly reserved, while a consumer holds some of it.
    """
    providers = {
        uuid: _merged(found, wanted_one, found.tree.providers.get(uuid))
        for uuid, wanted_one in wanted.providers.items()
    }
    for old in reversed(found.tree.top_down()):
        if old.uuid in wanted.providers:
            continue
        kept = _left(found, wanted, old)
        bears = any(each.parent == old.uuid for each in providers.values())
        if kept.inventories or bears or not _is_ours(wanted, old):
            providers[old.uuid] = kept
    return ProviderTree(providers)


def _is_ours(wanted: ProviderTree, provider: Provider) -> bool:
    root = wanted.root
    return root is not None and provider.uuid == provider_uuid(root.uuid, provider.name)


def _merged(found: Found, wanted: Provider, old: Provider | None) -> Provider:
    if old is None:
        return wanted
    stays = {
        name: inventory
        for name, inventory in _staying(found, old).items()
        if name not in wanted.inventories
    }
    others = (trait for trait in old.traits if not _our_trait(found, trait))
    return replace(
        wanted,
        inventories={**wanted.inventories, **stays},
        traits=wanted.traits.union(others),
    )


def _left(found: Found, wanted: ProviderTree, old: Provider) -> Provider:
    if not _is_ours(wanted, old):
        return old
    return replace(old, inventories=_staying(found, old))


def _staying(found: Found, old: Provider) -> dict[str, Inventory]:
    """Return the inventories that stay although nothing of ours asks for them."""
    used = found.used.get(old.uuid, {})
    stays = {}
    for name, inventory in old.inventories.items():
        if not (name in found.written or _CLASSES.fullmatch(name)):
            stays[name] = inventory
        elif used.get(name):
            stays[name] = replace(inventory, reserved=inventory.total)
    return stays


def _our_trait(found: Found, trait: str) -> bool:
    return trait in found.written or _TRAITS.fullmatch(trait) is not None
