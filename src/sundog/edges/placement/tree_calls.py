"""Reads a host's provider tree from Placement and writes changes to it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.core.hosts.tree_changes import (
    Create,
    Move,
    Remove,
    SetInventories,
    SetTraits,
)

if TYPE_CHECKING:
    from sundog.core.hosts.tree_changes import Change
    from sundog.edges.placement.calls import Answer, Calls

_PROVIDERS = "/resource_providers"
_NOT_THERE = 404


class StaleTreeError(Exception):
    """Placement refused a change: the tree is not what was read; read it again."""


class TreeCalls:
    """One attempt at a host's tree: read it, then write changes by generation."""

    def __init__(
        self, calls: Calls, seen: dict[UUID, tuple[int, Provider]], root: UUID
    ) -> None:
        """Work on one root; ``seen`` remembers providers by their generation."""
        self._calls = calls
        self._seen = seen
        self._root = root

    def read(self) -> ProviderTree:
        """Return the tree; empty if the host is not there.

        Only providers whose generation has moved are read in full.
        """
        listed = self._calls.get(f"{_PROVIDERS}?in_tree={self._root}")
        return ProviderTree.of(
            self._provider(each) for each in listed.get("resource_providers", [])
        )

    def _provider(self, listed: dict[str, Any]) -> Provider:
        uuid = UUID(listed["uuid"])
        generation = listed["generation"]
        parent = listed["parent_provider_uuid"]
        known, old = self._seen.get(uuid, (None, None))
        if old is None or known != generation:
            old = self._contents(uuid)
        provider = Provider(
            uuid=uuid,
            name=listed["name"],
            parent=UUID(parent) if parent else None,
            inventories=old.inventories,
            traits=old.traits,
        )
        self._seen[uuid] = generation, provider
        return provider

    def _contents(self, uuid: UUID) -> Provider:
        one = f"{_PROVIDERS}/{uuid}"
        listed = self._calls.get(f"{one}/inventories").get("inventories", {})
        traits = self._calls.get(f"{one}/traits").get("traits", [])
        inventories = {name: Inventory(**fields) for name, fields in listed.items()}
        return Provider(
            uuid=uuid, name="", inventories=inventories, traits=frozenset(traits)
        )

    def used(self, uuid: UUID) -> dict[str, int]:
        """Return how much of each of a provider's classes is held."""
        usages = self._calls.get(f"{_PROVIDERS}/{uuid}/usages").get("usages", {})
        return {name: int(amount) for name, amount in usages.items()}

    def make(self, change: Change) -> None:
        """Write one change; raises StaleTreeError when Placement refuses it."""
        one = f"{_PROVIDERS}/{change.uuid}"
        match change:
            case Create(uuid, name, parent):
                body = {"uuid": str(uuid)} | _place(name, parent)
                answer = self._checked("POST", _PROVIDERS, body)
                made = Provider(uuid=uuid, name=name, parent=parent)
                self._seen[uuid] = answer.body["generation"], made
            case Move(_, name, parent):
                self._checked("PUT", one, _place(name, parent))
            case SetInventories(uuid, inventories):
                now = replace(self._seen[uuid][1], inventories=inventories)
                body = {name: asdict(each) for name, each in inventories.items()}
                self._set(now, "inventories", body)
            case SetTraits(uuid, traits):
                now = replace(self._seen[uuid][1], traits=traits)
                self._set(now, "traits", sorted(traits))
            case Remove(uuid):
                answer = self._calls.call("DELETE", one)
                if answer.status != _NOT_THERE:
                    _check(answer)
                self._seen.pop(uuid, None)
            case _:
                assert_never(change)

    def _set(self, now: Provider, what: str, value: object) -> None:
        """Write by generation; at the one returned, nobody else wrote since ours."""
        generation = self._seen[now.uuid][0]
        body = {"resource_provider_generation": generation, what: value}
        answer = self._checked("PUT", f"{_PROVIDERS}/{now.uuid}/{what}", body)
        self._seen[now.uuid] = answer.body["resource_provider_generation"], now

    def _checked(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        answer = self._calls.call(method, path, body)
        _check(answer)
        return answer


def _check(answer: Answer) -> None:
    if not answer.ok:
        raise StaleTreeError(answer.reason)


def _place(name: str, parent: UUID | None) -> dict[str, Any]:
    return {"name": name, "parent_provider_uuid": str(parent) if parent else None}
