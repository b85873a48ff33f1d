"""Both sides of a move, claimed in one write, and given back in one.

On the way there the server holds the new side and the migration what of the old is
beside it; on the way back it is the other way round. Together they are the same
amounts, so that turning round always fits. The claims' records are written before
Placement, as for a boot, and tell after a restart what is to be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sundog.core.errors import HostRefusedError, StuckError, SundogError
from sundog.core.hosts.host_snapshot import Holding
from sundog.core.lives.claim import Claim, ClaimState
from sundog.core.moves.sides import rest_of
from sundog.workflows.claiming import charge, yield_to_others

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.lives.server import Server
    from sundog.core.moves.migration import Migration, MoveEvent
    from sundog.workflows.conductor import Conductor


@dataclass(frozen=True, slots=True)
class Sides:
    """What a server is to hold, and what of the old is held beside it."""

    new: Assignment
    rest: Assignment

    @property
    def host(self) -> str:
        """The host of the new side."""
        return self.new.host


def advance(conductor: Conductor, migration: Migration, event: MoveEvent) -> Migration:
    """Move a migration along its table."""
    now = conductor.clock()
    return conductor.migrations.change(migration.id, lambda one: one.after(event, now))


def hold_new(conductor: Conductor, server: Server, migration: Migration) -> None:
    """Claim the new side, and what is beside it.

    Raises OutbidError when another chooser was first, ClaimConflictError.
    """
    both = _Both(conductor, server, migration, new_of(migration), migration.rest)
    # What is made for it on its own host is its own already.
    state = ClaimState.ALLOCATED if migration.stays else ClaimState.CLAIMED
    both.record(state)
    had = migration.old if migration.stays else None
    yield_to_others(conductor, both.claim(state), had)
    both.charge()


def hold_new_again(conductor: Conductor, server: Server, migration: Migration) -> None:
    """Claim the new side on the way back; raises StuckError."""
    _Both(conductor, server, migration, new_of(migration), migration.rest).turn()


def hold_old_beside(conductor: Conductor, server: Server, migration: Migration) -> None:
    """Claim the old side, and what of the new is beside it.

    Raises ClaimConflictError, UnavailableError; the new side is to be claimed again.
    """
    beside = rest_of(new_of(migration), migration.old)
    both = _Both(conductor, server, migration, migration.old, beside)
    both.record(ClaimState.ALLOCATED)
    both.charge()


def hold_old_again(conductor: Conductor, server: Server, migration: Migration) -> None:
    """Do the same as an undo; raises StuckError."""
    beside = rest_of(new_of(migration), migration.old)
    _Both(conductor, server, migration, migration.old, beside).turn()


def hold_old(conductor: Conductor, server: Server, migration: Migration) -> None:
    """Claim the old side only, as before the move; done twice is done once.

    Raises StuckError when it cannot be done now; the records then still tell.
    """
    _Both(conductor, server, migration, migration.old, None).turn()


def release_rest(conductor: Conductor, migration: Migration) -> None:
    """Give up what the migration holds; done twice is done once."""
    conductor.ledger.release(migration.id)
    conductor.claims.remove(migration.id)
    for host in {migration.source, migration.dest} - {None}:
        conductor.fleet.drop(migration.id, str(host))


def new_of(migration: Migration) -> Assignment:
    """Return the new side; raises HostRefusedError when none was chosen."""
    if migration.new is None:
        raise HostRefusedError(f"no host was chosen for migration {migration.number}")
    return migration.new


@dataclass(frozen=True, slots=True)
class _Both:
    """What the server is to hold, and what the migration beside it, if anything."""

    conductor: Conductor
    server: Server
    migration: Migration
    ours: Assignment
    beside: Assignment | None

    def claim(self, state: ClaimState) -> Claim:
        """Return the server's own claim."""
        return Claim(consumer=self.server.id, assignment=self.ours, state=state)

    def turn(self) -> None:
        """Hold it, as what was held before in the same amounts."""
        try:
            self.record(ClaimState.ALLOCATED)
            self.charge()
        except SundogError as stuck:
            raise StuckError(
                f"Turning back what a move holds failed: {stuck}; a restart of the "
                "service tries again"
            ) from stuck

    def record(self, state: ClaimState) -> None:
        """Write both claims down, and let choosers know."""
        claims = [self.claim(state), *self._beside_claim()]
        kept = {claim.consumer for claim in claims}
        gone = {self.server.id, self.migration.id} - kept
        self.conductor.claims.exchange(claims, sorted(gone))
        sides = [self.migration.old, self.migration.new or self.migration.old]
        self.conductor.fleet.exchange(
            [claim.holding for claim in claims],
            [
                Holding(consumer=consumer, assignment=side)
                for consumer in (self.server.id, self.migration.id)
                for side in sides
            ],
        )

    def charge(self) -> None:
        """Write both sides to Placement."""
        allocation, owner = charge(self.conductor, self.server, self.ours)
        beside = (
            charge(self.conductor, self.server, self.beside)[0] if self.beside else {}
        )
        self.conductor.ledger.exchange(
            {self.server.id: (allocation, owner), self.migration.id: (beside, owner)}
        )

    def _beside_claim(self) -> tuple[Claim, ...]:
        if self.beside is None:
            return ()
        guest = None if self.migration.stays else self.server.id
        return (
            Claim(
                consumer=self.migration.id,
                assignment=self.beside,
                state=ClaimState.ALLOCATED,
                guest=guest,
            ),
        )
