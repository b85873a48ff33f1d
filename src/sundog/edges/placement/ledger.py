"""The ledger: what hosts have, and who holds what of it, in Placement."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sundog.core.errors import ClaimConflictError
from sundog.core.hosts.provider_tree import ProviderTree
from sundog.core.hosts.tree_changes import diff
from sundog.core.hosts.tree_ownership import Found, losing, settled
from sundog.edges.placement.calls import Calls
from sundog.edges.placement.names import KnownNames
from sundog.edges.placement.tree_calls import StaleTreeError, TreeCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keystoneauth1.session import Session

    from sundog.core.hosts.provider_tree import Allocation, Provider
    from sundog.edges.placement.calls import Answer
    from sundog.workflows.ports import Owner

ATTEMPTS: Final = 4
"""How often a write is tried while others change the same providers."""

_CONCURRENT: Final = "placement.concurrent_update"


class PlacementLedger:
    """``Ledger`` over Placement's API; any number of threads may use it."""

    def __init__(
        self, session: Session, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Speak through a keystoneauth session; see ``sessions`` and ``Calls``."""
        self._calls = Calls(session, clock)
        self._classes = KnownNames(self._calls, "/resource_classes", "resource_classes")
        self._traits = KnownNames(self._calls, "/traits", "traits")
        self._seen: dict[UUID, tuple[int, Provider]] = {}
        self._written: set[str] = set()
        self._reporting = Lock()

    def check(self) -> None:
        """Raise UnavailableError when Placement is away; see ``Calls.check``."""
        self._calls.check()

    def report(self, tree: ProviderTree) -> None:
        """Make Placement's tree of one host equal ``tree``; see ``Ledger.report``.

        A tree that is already so costs one read, and two for each provider that
        changed since it was last read. A standard trait that this Placement does not
        know is left out.
        """
        root = tree.root
        if root is None:
            return
        reason = ""
        for _ in range(ATTEMPTS):
            try:
                with self._reporting:
                    self._report_once(root.uuid, tree)
            except StaleTreeError as refusal:
                reason = str(refusal)
                self._classes.forget()
                self._traits.forget()
            else:
                return
        raise ClaimConflictError(
            f"Placement refused the report of host {root.name} {ATTEMPTS} times,"
            f" the last time because: {reason}"
        )

    def _report_once(self, root: UUID, tree: ProviderTree) -> None:
        wanted = self._with_names(tree)
        calls = TreeCalls(self._calls, self._seen, root)
        there = calls.read()
        used = {uuid: calls.used(uuid) for uuid in losing(there, wanted)}
        found = Found(tree=there, used=used, written=frozenset(self._written))
        for change in diff(there, settled(found, wanted)):
            calls.make(change)
        for provider in wanted.providers.values():
            self._written |= provider.inventories.keys() | provider.traits

    def _with_names(self, tree: ProviderTree) -> ProviderTree:
        """Make the classes and traits of a tree known to Placement."""
        every = tree.providers.values()
        self._classes.ensure(name for each in every for name in each.inventories)
        known = self._traits.ensure(trait for each in every for trait in each.traits)
        return ProviderTree.of(
            replace(each, traits=each.traits & known) for each in every
        )

    def claim(self, consumer: UUID, allocation: Allocation, owner: Owner) -> None:
        """Write a new consumer's whole allocation; see ``Ledger.claim``.

        An allocation of nothing is nothing to write.
        """
        if not allocation:
            return
        body = _claim_body(allocation, owner)
        answer = self._calls.call("PUT", f"/allocations/{consumer}", body)
        for _ in range(ATTEMPTS - 1):
            if answer.code != _CONCURRENT or self.allocation(consumer):
                break
            answer = self._calls.call("PUT", f"/allocations/{consumer}", body)
        if not answer.ok:
            raise ClaimConflictError(f"Placement refused the claim: {answer.reason}")

    def claim_many(self, claims: Mapping[UUID, tuple[Allocation, Owner]]) -> None:
        """Write several new consumers' allocations at once; see ``Ledger``."""
        body = {
            str(consumer): _claim_body(allocation, owner)
            for consumer, (allocation, owner) in claims.items()
            if allocation
        }
        if not body:
            return
        answer = self._calls.call("POST", "/allocations", body)
        for _ in range(ATTEMPTS - 1):
            if answer.code != _CONCURRENT or any(map(self.allocation, claims)):
                break
            answer = self._calls.call("POST", "/allocations", body)
        if not answer.ok:
            raise ClaimConflictError(f"Placement refused the claims: {answer.reason}")

    def release(self, consumer: UUID) -> None:
        """Remove all of a consumer's allocations; none is fine."""
        answer = self._delete(consumer)
        for _ in range(ATTEMPTS - 1):
            if answer.code != _CONCURRENT:
                return
            answer = self._delete(consumer)
        if not answer.ok:
            raise ClaimConflictError(
                f"Placement did not release {consumer}: {answer.reason}"
            )

    def _delete(self, consumer: UUID) -> Answer:
        return self._calls.call("DELETE", f"/allocations/{consumer}")

    def allocation(self, consumer: UUID) -> Allocation:
        """Return what a consumer holds; empty when nothing."""
        held = self._calls.get(f"/allocations/{consumer}").get("allocations", {})
        return {UUID(uuid): dict(each["resources"]) for uuid, each in held.items()}

    def rewrite(self, consumer: UUID, allocation: Allocation, owner: Owner) -> None:
        """Write a consumer's whole allocation; see ``Ledger.rewrite``."""
        if not allocation:
            self.release(consumer)
            return
        path = f"/allocations/{consumer}"
        body = _claim_body(allocation, owner)
        for _ in range(ATTEMPTS):
            there = self._calls.get(path)
            body["consumer_generation"] = there.get("consumer_generation")
            answer = self._calls.call("PUT", path, body)
            if answer.code != _CONCURRENT:
                break
        if not answer.ok:
            raise ClaimConflictError(
                f"Placement refused to write what {consumer} holds: {answer.reason}"
            )

    def exchange(self, sides: Mapping[UUID, tuple[Allocation, Owner]]) -> None:
        """Write several consumers' whole allocations at once; see ``Ledger``."""
        for _ in range(ATTEMPTS):
            body = {
                str(consumer): body
                for consumer, side in sides.items()
                if (body := self._side(consumer, *side))
            }
            if not body:
                return
            answer = self._calls.call("POST", "/allocations", body)
            if answer.code != _CONCURRENT:
                break
        if not answer.ok:
            raise ClaimConflictError(
                f"Placement refused to write both sides of a move: {answer.reason}"
            )

    def _side(
        self, consumer: UUID, allocation: Allocation, owner: Owner
    ) -> dict[str, Any]:
        """Return what to write of one consumer; empty when it is so already."""
        there = self._calls.get(f"/allocations/{consumer}")
        generation = there.get("consumer_generation")
        if not allocation and generation is None:
            return {}
        return _claim_body(allocation, owner) | {"consumer_generation": generation}

    def consumers(self, host: UUID) -> frozenset[UUID]:
        """Return every consumer that holds something on a host's tree."""
        return frozenset(self.held(host))

    def held(self, host: UUID) -> Mapping[UUID, Allocation]:
        """Return what each consumer holds on a host's tree."""
        found: dict[UUID, dict[UUID, dict[str, int]]] = {}
        for provider in self.providers(host):
            path = f"/resource_providers/{provider}/allocations"
            listed = self._calls.get(path).get("allocations", {})
            for consumer, amounts in listed.items():
                parts = found.setdefault(UUID(consumer), {})
                parts[provider] = dict(amounts["resources"])
        return found

    def providers(self, host: UUID) -> Mapping[UUID, str]:
        """Return the providers of a host's tree with their names."""
        listed = self._calls.get(f"/resource_providers?in_tree={host}")
        return {
            UUID(each["uuid"]): each["name"]
            for each in listed.get("resource_providers", [])
        }


def _claim_body(allocation: Allocation, owner: Owner) -> dict[str, Any]:
    return {
        "allocations": {
            str(uuid): {"resources": dict(amounts)}
            for uuid, amounts in allocation.items()
        },
        "project_id": owner.project_id,
        "user_id": owner.user_id,
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
