"""Placement in memory: capacity, all or nothing, and conflicts on demand."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from sundog.core.errors import ClaimConflictError, UnavailableError
from sundog.core.hosts.provider_tree import ProviderTree
from sundog.core.hosts.tree_changes import apply, diff
from sundog.core.hosts.tree_ownership import Found, settled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sundog.core.hosts.provider_tree import Allocation, Provider
    from sundog.workflows.ports import Owner


class FakeLedger:
    """``Ledger`` in memory; held to the contract that Placement is held to.

    ``away`` makes every call raise UnavailableError. ``writes`` counts claims' writes.
    """

    def __init__(self) -> None:
        """Know no host."""
        self.trees: dict[UUID, ProviderTree] = {}
        self.owners: dict[UUID, Owner] = {}
        self.away = False
        self.writes = 0
        self._failures: list[Exception] = []
        self._held: dict[UUID, Allocation] = {}
        self._written: set[str] = set()
        self._lock = Lock()

    def fail_next_claim(self, error: Exception) -> None:
        """Make one more of the next claims raise ``error``."""
        self._failures.append(error)

    def check(self) -> None:
        """Say whether it is away."""
        self._reachable()

    def report(self, tree: ProviderTree) -> None:
        """Make the tree of one host equal ``tree``, but for what is held."""
        self._reachable()
        root = tree.root
        if root is None:
            return
        with self._lock:
            there = self.trees.get(root.uuid, ProviderTree())
            used = {uuid: self._used(uuid) for uuid in there.providers}
            found = Found(tree=there, used=used, written=frozenset(self._written))
            changes = diff(there, settled(found, tree))
            self.trees[root.uuid] = apply(changes, there)
            for provider in tree.providers.values():
                self._written |= provider.inventories.keys() | provider.traits

    def claim(self, consumer: UUID, allocation: Allocation, owner: Owner) -> None:
        """Write a new consumer's whole allocation, or refuse it."""
        self.claim_many({consumer: (allocation, owner)})

    def claim_many(self, claims: Mapping[UUID, tuple[Allocation, Owner]]) -> None:
        """Write several new consumers' allocations, all or none."""
        self._reachable()
        with self._lock:
            self.writes += 1
            if self._failures:
                raise self._failures.pop(0)
            before = dict(self._held)
            for consumer, (allocation, owner) in claims.items():
                reason = self._shortage(allocation)
                if consumer in self._held:
                    reason = "consumer generation conflict"
                if reason:
                    self._held = before
                    raise ClaimConflictError(f"Placement refused the claim: {reason}")
                if allocation:
                    self._held[consumer] = {
                        uuid: dict(amounts) for uuid, amounts in allocation.items()
                    }
                    self.owners[consumer] = owner

    def release(self, consumer: UUID) -> None:
        """Remove all of a consumer's allocations; none is fine."""
        self._reachable()
        with self._lock:
            self._held.pop(consumer, None)
            self.owners.pop(consumer, None)

    def allocation(self, consumer: UUID) -> Allocation:
        """Return what a consumer holds; empty when nothing."""
        self._reachable()
        return self._held.get(consumer, {})

    def rewrite(self, consumer: UUID, allocation: Allocation, owner: Owner) -> None:
        """Write a consumer's whole allocation, whatever it holds now."""
        before = self.allocation(consumer)
        old = self.owners.get(consumer, owner)
        self.release(consumer)
        try:
            self.claim(consumer, allocation, owner)
        except ClaimConflictError:
            self.claim(consumer, before, old)
            raise

    def exchange(self, sides: Mapping[UUID, tuple[Allocation, Owner]]) -> None:
        """Write several consumers' whole allocations, all or none."""
        held = {one: (self.allocation(one), self.owners.get(one)) for one in sides}
        for consumer in sides:
            self.release(consumer)
        try:
            self.claim_many(sides)
        except ClaimConflictError:
            self.claim_many(
                {one: (old, owner) for one, (old, owner) in held.items() if owner}
            )
            raise

    def consumers(self, host: UUID) -> frozenset[UUID]:
        """Return every consumer that holds something on a host's tree."""
        return frozenset(self.held(host))

    def held(self, host: UUID) -> Mapping[UUID, Allocation]:
        """Return what each consumer holds on a host's tree."""
        self._reachable()
        with self._lock:
            there = self.trees.get(host, ProviderTree()).providers
            return {
                consumer: {uuid: held[uuid] for uuid in held if uuid in there}
                for consumer, held in self._held.items()
                if held.keys() & there.keys()
            }

    def providers(self, host: UUID) -> Mapping[UUID, str]:
        """Return the providers of a host's tree with their names."""
        self._reachable()
        there = self.trees.get(host, ProviderTree()).providers
        return {uuid: each.name for uuid, each in there.items()}

    def _reachable(self) -> None:
        if self.away:
            raise UnavailableError("Placement cannot be reached")

    def _used(self, uuid: UUID) -> Counter[str]:
        used: Counter[str] = Counter()
        for held in self._held.values():
            used.update(held.get(uuid, {}))
        return used

    def _providers(self) -> dict[UUID, Provider]:
        trees = self.trees.values()
        return {uuid: one for tree in trees for uuid, one in tree.providers.items()}

    def _shortage(self, allocation: Allocation) -> str:
        providers = self._providers()
        for uuid, amounts in allocation.items():
            if uuid not in providers:
                return f"there is no provider {uuid}"
            used = self._used(uuid)
            for name, amount in amounts.items():
                inventory = providers[uuid].inventories.get(name)
                if inventory is None:
                    return f"{providers[uuid].name} has no {name}"
                fits = used[name] + amount <= inventory.capacity
                whole = amount % inventory.step_size == 0
                allowed = inventory.min_unit <= amount <= inventory.max_unit
                if not (fits and whole and allowed):
                    return f"{providers[uuid].name} has too little {name}"
        return ""
