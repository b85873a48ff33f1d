"""Placement's view of a host: a tree of providers with inventories and traits.

What a host calls for is made in ``called_tree``, what an assignment takes of it in
``allocation``, the way from one tree to another in ``tree_changes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.core.devices.pci_address import PciAddress

Allocation: TypeAlias = Mapping[UUID, Mapping[str, int]]
"""What one consumer takes: provider to resource class to amount, amounts above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """How much of one resource class a provider has.

    Placement hands out ``(total - reserved) * allocation_ratio``, at most
    ``max_unit`` to one consumer.
    """

    total: int
    max_unit: int
    reserved: int = 0
    min_unit: int = 1
    step_size: int = 1
    allocation_ratio: float = 1.0

    @classmethod
    def of(cls, total: int, *, reserved: int = 0, ratio: float = 1.0) -> Inventory:
        """Return an inventory of which one consumer may take everything."""
        return cls(
            total=total, max_unit=total, reserved=reserved, allocation_ratio=ratio
        )

    @property
    def capacity(self) -> int:
        """How much Placement hands out of it, to all consumers together."""
        return int((self.total - self.reserved) * self.allocation_ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One resource provider; ``inventories`` by resource class, no parent: a root."""

    uuid: UUID
    name: str
    parent: UUID | None = None
    inventories: Mapping[str, Inventory] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ProviderTree:
    """A host's providers by uuid; every parent named is in it. Empty: no host yet."""

    providers: Mapping[UUID, Provider] = field(default_factory=dict)

    @classmethod
    def of(cls, providers: Iterable[Provider]) -> ProviderTree:
        """Return the tree of these providers, in any order."""
        return cls({provider.uuid: provider for provider in providers})

    @property
    def root(self) -> Provider | None:
        """The provider without a parent, None in an empty tree."""
        roots = (each for each in self.providers.values() if each.parent is None)
        return next(roots, None)

    def depth(self, uuid: UUID) -> int:
        """How many providers are above one."""
        parent = self.providers[uuid].parent
        return 0 if parent is None else 1 + self.depth(parent)

    def top_down(self) -> tuple[Provider, ...]:
        """Every provider after its parent; by name among equals."""

        def place(provider: Provider) -> tuple[int, str]:
            return self.depth(provider.uuid), provider.name

        return tuple(sorted(self.providers.values(), key=place))


def cell_name(host: str, cell: int) -> str:
    """Name the provider of a host's NUMA cell."""
    return f"{host}_cell{cell}"


def card_name(host: str, address: PciAddress) -> str:
    """Name the provider of a host's card, as Nova does: ``<host>_<ADDRESS>``."""
    return f"{host}_{str(address).upper()}"


def provider_uuid(root: UUID, name: str) -> UUID:
    """Derive the uuid of a provider below ``root``.

    The same host and name give the same uuid in every process, so that a claim is
    written without looking providers up, and a provider is known as ours.
    """
    return uuid5(root, name)
