"""The way from one provider tree to another, in an order that Placement accepts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, assert_never

from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Create:
    """A new provider, without inventories and traits."""

    uuid: UUID
    name: str
    parent: UUID | None


@dataclass(frozen=True, slots=True)
class Move:
    """A provider's new name or parent, or both."""

    uuid: UUID
    name: str
    parent: UUID | None


@dataclass(frozen=True, slots=True)
class SetInventories:
    """All inventories of a provider."""

    uuid: UUID
    inventories: Mapping[str, Inventory]


@dataclass(frozen=True, slots=True)
class SetTraits:
    """All traits of a provider."""

    uuid: UUID
    traits: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remove:
    """A provider that goes, with its inventories and traits."""

    uuid: UUID


Change: TypeAlias = Create | Move | SetInventories | SetTraits | Remove


def diff(a: ProviderTree, b: ProviderTree) -> tuple[Change, ...]:
    """Return the changes that make ``a`` into ``b``; none between equal trees.

    Providers come before what hangs under them and go after it. No move closes a
    loop: what is above its new parent has already moved.
    """
    gone = [each for each in a.top_down() if each.uuid not in b.providers]
    places = (_place(a.providers.get(each.uuid), each) for each in b.top_down())
    contents = (_content(a.providers.get(each.uuid), each) for each in b.top_down())
    return (
        *(change for some in places for change in some),
        *(change for some in contents for change in some),
        *(Remove(each.uuid) for each in reversed(gone)),
    )


def _place(old: Provider | None, new: Provider) -> Iterator[Change]:
    if old is None:
        yield Create(new.uuid, new.name, new.parent)
    elif (old.name, old.parent) != (new.name, new.parent):
        yield Move(new.uuid, new.name, new.parent)


def _content(old: Provider | None, new: Provider) -> Iterator[Change]:
    if new.inventories != (old.inventories if old else {}):
        yield SetInventories(new.uuid, new.inventories)
    if new.traits != (old.traits if old else frozenset()):
        yield SetTraits(new.uuid, new.traits)


def apply(changes: Sequence[Change], a: ProviderTree) -> ProviderTree:
    """Return the tree that ``a`` becomes by these changes."""
    providers = dict(a.providers)
    for change in changes:
        match change:
            case Create(uuid, name, parent):
                providers[uuid] = Provider(uuid=uuid, name=name, parent=parent)
            case Move(uuid, name, parent):
                providers[uuid] = replace(providers[uuid], name=name, parent=parent)
            case SetInventories(uuid, inventories):
                providers[uuid] = replace(providers[uuid], inventories=inventories)
            case SetTraits(uuid, traits):
                providers[uuid] = replace(providers[uuid], traits=traits)
            case Remove(uuid):
                del providers[uuid]
            case _:
                assert_never(change)
    return ProviderTree(providers)
