"""One chooser of several, in a process of its own; see ``bench_choosers``."""

from __future__ import annotations

import fcntl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from bench.fleet import AskedPlan, RequestPlan
from bench.ours import request_of, state_of

from sundog.core.choosing.check_assignment import check
from sundog.core.choosing.taste import Taste
from sundog.core.errors import ClaimConflictError
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.lives.claim import Claim, ClaimEvent, ClaimState
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import token_session
from sundog.edges.storage.store import Store, open_store
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.synchronize import Barrier
    from uuid import UUID

    from bench.fleet import HostPlan

    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import Allocation

OWNER: Final = Owner(project_id="bench", user_id="bench")
ONE: Final = RequestPlan(cells=((2, 1024),), asked=(AskedPlan(),))
AMONG: Final = 8
START_SECONDS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Arena:
    """What the choosers share: where Placement, the claims and the locks are."""

    placement: str
    folder: str
    plans: tuple[HostPlan, ...]

    @property
    def database(self) -> str:
        """Where the claims are."""
        return f"sqlite:///{self.folder}/sundog.db"


@dataclass(kw_only=True)
class Tally:
    """What one chooser did, and between when and when."""

    placed: int = 0
    tried: int = 0
    chosen_anew: int = 0
    stepped_back: int = 0
    refused_by_placement: int = 0
    refused_by_host: int = 0
    start: float = 0.0
    end: float = 0.0
    alone: tuple[float, float] = (0.0, 0.0)


class Chooser:
    """One chooser: its own view, the shared ledger and claims."""

    def __init__(self, arena: Arena, store: Store, ledger: PlacementLedger) -> None:
        self.tally = Tally()
        self._claims = store.claims
        self._ledger = ledger
        self._folder = Path(arena.folder)
        self._view = FleetView(Taste(), AMONG)
        self._hosts: dict[str, HostSnapshot] = {}
        self._request = request_of(ONE)
        for plan in arena.plans:
            self._hosts[plan.name] = state_of(plan).snapshot
            self._view.see(self._hosts[plan.name])

    def fill(self) -> None:
        """Place servers until there is no room, known by looking at every host."""
        self.tally.start = time.time()
        while self._place() or self._find_room():
            self.tally.end = time.time()

    def _find_room(self) -> bool:
        for host in self._hosts:
            self._look_at(host)
        return bool(self._view.fits(self._request, 1))

    def _place(self) -> bool:
        consumer = uuid4()
        while assignment := self._view.reserve(consumer, self._request):
            claim = Claim(consumer=consumer, assignment=assignment)
            if self._is_behind(claim):
                self.tally.chosen_anew += 1
            elif self._is_taken(claim):
                self.tally.placed += 1
                return True
            self._look_at(assignment.host)
        return False

    def _is_taken(self, claim: Claim) -> bool:
        self._claims.put(claim)
        if self._is_behind(claim):
            self.tally.stepped_back += 1
        elif self._is_claimed(claim):
            return True
        self._claims.remove(claim.consumer)
        return False

    def _is_behind(self, claim: Claim) -> bool:
        """Tell whether others have claimed what this claim is for.

        Once a claim is recorded, of two that look at least one sees the other.
        """
        others = tuple(
            Holding(consumer=other.consumer, assignment=other.assignment)
            for other in self._claims.of_host(claim.assignment.host)
            if other.consumer != claim.consumer
        )
        host = self._hosts[claim.assignment.host]
        return bool(check(claim.assignment, HostState(snapshot=host, holdings=others)))

    def _is_claimed(self, claim: Claim) -> bool:
        self.tally.tried += 1
        host = self._hosts[claim.assignment.host]
        allocation = allocation_of(claim.assignment, host)
        try:
            self._ledger.claim(claim.consumer, allocation, OWNER)
        except ClaimConflictError:
            self.tally.refused_by_placement += 1
            return False
        if self._is_taken_by_host(claim, host):
            return True
        self.tally.refused_by_host += 1
        self._ledger.release(claim.consumer)
        return False

    def _is_taken_by_host(self, claim: Claim, host: HostSnapshot) -> bool:
        """Judge as the host's agent does: alone, by what it runs already."""
        with (self._folder / host.name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            running = tuple(
                Holding(consumer=other.consumer, assignment=other.assignment)
                for other in self._claims.of_host(host.name)
                if other.state is ClaimState.ALLOCATED
            )
            if check(claim.assignment, HostState(snapshot=host, holdings=running)):
                return False
            self._claims.put(claim.after(ClaimEvent.ALLOCATE))
            return True

    def _look_at(self, host: str) -> None:
        """Take up what the claims say of a host."""
        claims = self._claims.of_host(host)
        state = self._view.state(host)
        gone = {held.consumer for held in state.holdings} if state else set()
        for consumer in gone - {claim.consumer for claim in claims}:
            self._view.drop(consumer, host)
        for claim in claims:
            holding = Holding(consumer=claim.consumer, assignment=claim.assignment)
            self._view.hold(holding)


def choose_in_process(
    arena: Arena,
    share: Sequence[tuple[UUID, Allocation]],
    ready: Barrier,
    told: Any,  # noqa: ANN401 - a queue
) -> None:
    """Be one chooser, in a process of its own."""
    ledger = PlacementLedger(token_session(arena.placement, "admin"))
    with open_store(arena.database) as store:
        chooser = Chooser(arena, store, ledger)
        ready.wait(START_SECONDS)
        start = time.time()
        for consumer, allocation in share:
            ledger.claim(consumer, allocation, OWNER)
        chooser.tally.alone = (start, time.time())
        ready.wait(START_SECONDS)
        for consumer, _ in share:
            ledger.release(consumer)
        ready.wait(START_SECONDS)
        chooser.fill()
        told.put(chooser.tally)
