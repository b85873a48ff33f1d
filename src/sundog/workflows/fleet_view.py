"""The hosts as the conductor knows them now, shared by its threads."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from sundog.core.choosing.choose_host import choose_host, fit_host
from sundog.core.choosing.explain import explain, silent, summary
from sundog.core.choosing.fit_plug import fit_plug, why_no_plug
from sundog.core.choosing.fleet import Fleet
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.moves.sides import refit
from sundog.core.moves.vacated import vacated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.choosing.explain import Refusal
    from sundog.core.choosing.fit_plug import PlugRequest
    from sundog.core.choosing.shortages import Shortage
    from sundog.core.choosing.taste import Taste
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.requests.guest_request import GuestRequest


_NOTHING: Mapping[str, Shortage] = MappingProxyType({})


class FleetView:
    """A Fleet under a lock, with what is reserved but not yet claimed.

    Where several choosers share the hosts, all of them would try the same best host
    at the same time. With ``among`` above 1 each server takes one of so many best
    hosts, by its id (Nova's ``host_subset_size``, without chance).
    """

    def __init__(self, taste: Taste, among: int = 1) -> None:
        """Start with no host."""
        self._taste = taste
        self._among = among
        self._fleet = Fleet()
        self._unrecorded: set[UUID] = set()
        # Hosts that were never seen, for they do not answer, and why.
        self._unseen: dict[str, str] = {}
        self._lock = Lock()

    def see(self, snapshot: HostSnapshot) -> None:
        """Take a host's new snapshot; what is held on it stays. A late one is old."""
        with self._lock:
            self._unseen.pop(snapshot.name, None)
            old = self._fleet.get(snapshot.name)
            if old is None:
                self._fleet.put(HostState(snapshot=snapshot))
            elif old.snapshot.serial <= snapshot.serial:
                self._fleet.put(replace(old, snapshot=snapshot))

    def hold(self, holding: Holding) -> None:
        """Record what a consumer holds (at start, from the claims)."""
        with self._lock:
            state = self._fleet.get(holding.assignment.host)
            if state is not None:
                self._put_holding(state, holding)

    def recorded(self, consumer: UUID) -> None:
        """Know that what was reserved for a consumer stands in the claims' records."""
        with self._lock:
            self._unrecorded.discard(consumer)

    def recorded_on(self, host: str) -> frozenset[UUID]:
        """Return who holds something on a host by the claims' records."""
        with self._lock:
            state = self._fleet.get(host)
            return frozenset(state.held_by if state else ()) - self._unrecorded

    def drop(self, consumer: UUID, host: str) -> None:
        """Forget what a consumer holds on a host; none is fine."""
        with self._lock:
            self._unrecorded.discard(consumer)
            state = self._fleet.get(host)
            if state is not None:
                left = _without(state, consumer)
                self._fleet.put(replace(state, holdings=left))

    def enable(self, host: str, *, enabled: bool, reason: str = "") -> None:
        """Offer a host to new servers, or stop offering it."""
        with self._lock:
            state = self._fleet.get(host)
            if state is not None:
                changed = replace(
                    state, enabled=enabled, why_disabled=reason, answers=True
                )
                self._fleet.put(changed)

    def lose(self, host: str, reason: str) -> None:
        """Stop offering a host that does not answer; it may never have been seen."""
        why = f"it does not answer: {reason}"
        with self._lock:
            state = self._fleet.get(host)
            if state is None:
                self._unseen[host] = why
            else:
                lost = replace(state, enabled=False, why_disabled=why, answers=False)
                self._fleet.put(lost)

    @property
    def unseen(self) -> Mapping[str, str]:
        """The hosts of which nothing is known, for they do not answer: host to why."""
        with self._lock:
            return {**self._unseen}

    def reserve(
        self,
        consumer: UUID,
        request: GuestRequest,
        closed: Collection[str] = frozenset(),
        wanted_host: str | None = None,
    ) -> Assignment | None:
        """Choose the best host but those closed, and hold it at once; None: none."""
        with self._lock:
            assignment = self._choose(consumer, request, closed, wanted_host)
            if assignment is not None:
                state = self._fleet.get(assignment.host)
                if state is not None:
                    held = Holding(consumer=consumer, assignment=assignment)
                    self._unrecorded.add(consumer)
                    self._put_holding(state, held)
            return assignment

    def reserve_again(
        self, consumer: UUID, migration: UUID, request: GuestRequest, host: str
    ) -> tuple[Assignment, Assignment] | None:
        """Choose anew on the host where a server is, and hold both sides at once.

        Returns the new side and the rest of the old, which ``migration`` holds.
        """
        with self._lock:
            state = self._fleet.get(host)
            if state is None:
                return None
            both = refit(request, state, consumer, self._taste)
            if both is not None:
                new, rest = both
                self._put_holding(state, Holding(consumer=consumer, assignment=new))
                state = self._fleet.get(host) or state
                self._put_holding(state, Holding(consumer=migration, assignment=rest))
                self._unrecorded |= {consumer, migration}
            return both

    def exchange(self, put: Sequence[Holding], drop: Sequence[Holding]) -> None:
        """Know at once that some hold something, and others no more."""
        with self._lock:
            for gone in drop:
                self._unrecorded.discard(gone.consumer)
                state = self._fleet.get(gone.assignment.host)
                if state is not None:
                    others = _without(state, gone.consumer)
                    self._fleet.put(replace(state, holdings=others))
            for held in put:
                self._unrecorded.discard(held.consumer)
                state = self._fleet.get(held.assignment.host)
                if state is not None:
                    self._put_holding(state, held)

    def reserve_more(self, consumer: UUID, request: PlugRequest) -> Assignment | None:
        """Choose more devices for a consumer where it is, and hold them at once."""
        with self._lock:
            state = self._fleet.get(request.held.host)
            if state is None:
                return None
            self._put_holding(
                state, Holding(consumer=consumer, assignment=request.held)
            )
            state = self._fleet.get(request.held.host) or state
            grown = fit_plug(request, state, self._taste)
            if grown is not None:
                self._put_holding(state, Holding(consumer=consumer, assignment=grown))
            return grown

    def why_no_more(self, request: PlugRequest) -> str:
        """Say why a consumer's host has no such devices for it."""
        with self._lock:
            state = self._fleet.get(request.held.host)
            if state is None:
                return f"its host {request.held.host} is not known"
            return why_no_plug(request, state)

    def refusals(
        self, request: GuestRequest, closed: Mapping[str, Shortage] = _NOTHING
    ) -> tuple[Refusal, ...]:
        """Say host by host why a request does not fit, or that a host is closed."""
        with self._lock:
            return self._explain(request, self._fleet, closed)

    def why_not_move(
        self,
        consumer: UUID,
        request: GuestRequest,
        left_out: Collection[str],
        closed: Mapping[str, Shortage] = _NOTHING,
    ) -> str:
        """Sum up why a server can go to no host but those left out.

        On its own host what it has serves again.
        """
        with self._lock:
            left = [
                _left_by(state, consumer)
                for state in self._fleet.states()
                if state.snapshot.name not in left_out
            ]
            refusals = self._explain(request, Fleet(left), closed, left_out)
        return summary(request, refusals)

    def why_not(
        self, request: GuestRequest, closed: Mapping[str, Shortage] = _NOTHING
    ) -> str:
        """Sum up why no host fits, for people."""
        return summary(request, self.refusals(request, closed))

    def fits(
        self, request: GuestRequest, limit: int, closed: Collection[str] = frozenset()
    ) -> tuple[Assignment, ...]:
        """Return what would be chosen, best first, holding nothing."""
        with self._lock:
            return choose_host(request, self._fleet, self._taste, limit, closed)

    def states(self) -> Sequence[HostState]:
        """Return all hosts by name."""
        with self._lock:
            return sorted(self._fleet.states(), key=lambda state: state.snapshot.name)

    def state(self, host: str) -> HostState | None:
        """Return one host, or None."""
        with self._lock:
            return self._fleet.get(host)

    def _explain(
        self,
        request: GuestRequest,
        fleet: Fleet,
        closed: Mapping[str, Shortage],
        left_out: Collection[str] = frozenset(),
    ) -> tuple[Refusal, ...]:
        mute = [
            silent(host, why)
            for host, why in self._unseen.items()
            if host not in left_out
        ]
        return (*explain(request, fleet, closed), *mute)

    def _choose(
        self,
        consumer: UUID,
        request: GuestRequest,
        closed: Collection[str],
        wanted_host: str | None,
    ) -> Assignment | None:
        if wanted_host is not None:
            state = self._fleet.get(wanted_host)
            if state is None or wanted_host in closed:
                return None
            return fit_host(request, state, self._taste)
        left = choose_host(request, self._fleet, self._taste, self._among, closed)
        return left[consumer.int % len(left)] if left else None

    def _put_holding(self, state: HostState, holding: Holding) -> None:
        others = _without(state, holding.consumer)
        self._fleet.put(replace(state, holdings=(*others, holding)))


def _without(state: HostState, consumer: UUID) -> tuple[Holding, ...]:
    return tuple(held for held in state.holdings if held.consumer != consumer)


def _left_by(state: HostState, consumer: UUID) -> HostState:
    """Return a host as it would be without what one consumer holds there."""
    old = state.held_by.get(consumer)
    if old is None:
        return state
    had = Holding(consumer=consumer, assignment=old)
    return replace(
        state,
        snapshot=vacated(state.snapshot, had),
        holdings=_without(state, consumer),
    )
