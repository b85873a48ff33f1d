"""The life of a claim on a device, as one transition table.

``available`` is a device nobody claims; it has no record. ``unavailable`` is a
device whose PF or VF is in use; it follows from the others' claims. A move that is
not in the table is an error, not a repair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from sundog.core.hosts.host_snapshot import Holding
from sundog.core.lives.life import move

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment


class ClaimState(Enum):
    """Where a claimed device stands."""

    AVAILABLE = "available"
    CLAIMED = "claimed"
    ALLOCATED = "allocated"
    FREEING = "freeing"
    UNAVAILABLE = "unavailable"
    HELD = "held"
    REMOVED = "removed"
    BROKEN = "broken"


class ClaimEvent(Enum):
    """What can happen to it."""

    CLAIM = "claim"
    ALLOCATE = "allocate"
    FREE = "free"
    FREED = "finish freeing"
    ABANDON = "abandon"
    BLOCK = "block"
    UNBLOCK = "unblock"
    HOLD = "hold"
    RELEASE = "release"
    REMOVE = "remove"
    FAIL = "fail"
    REPAIR = "repair"


CLAIM_LIFE: Final = {
    (ClaimState.AVAILABLE, ClaimEvent.CLAIM): ClaimState.CLAIMED,
    (ClaimState.CLAIMED, ClaimEvent.ALLOCATE): ClaimState.ALLOCATED,
    (ClaimState.CLAIMED, ClaimEvent.ABANDON): ClaimState.FREEING,
    (ClaimState.CLAIMED, ClaimEvent.FAIL): ClaimState.BROKEN,
    (ClaimState.ALLOCATED, ClaimEvent.FREE): ClaimState.FREEING,
    (ClaimState.ALLOCATED, ClaimEvent.FAIL): ClaimState.BROKEN,
    (ClaimState.FREEING, ClaimEvent.FREED): ClaimState.AVAILABLE,
    (ClaimState.FREEING, ClaimEvent.HOLD): ClaimState.HELD,
    (ClaimState.FREEING, ClaimEvent.REMOVE): ClaimState.REMOVED,
    (ClaimState.FREEING, ClaimEvent.FAIL): ClaimState.BROKEN,
    (ClaimState.HELD, ClaimEvent.RELEASE): ClaimState.AVAILABLE,
    (ClaimState.HELD, ClaimEvent.REMOVE): ClaimState.REMOVED,
    (ClaimState.AVAILABLE, ClaimEvent.HOLD): ClaimState.HELD,
    (ClaimState.AVAILABLE, ClaimEvent.BLOCK): ClaimState.UNAVAILABLE,
    (ClaimState.AVAILABLE, ClaimEvent.REMOVE): ClaimState.REMOVED,
    (ClaimState.AVAILABLE, ClaimEvent.FAIL): ClaimState.BROKEN,
    (ClaimState.UNAVAILABLE, ClaimEvent.UNBLOCK): ClaimState.AVAILABLE,
    (ClaimState.UNAVAILABLE, ClaimEvent.REMOVE): ClaimState.REMOVED,
    (ClaimState.BROKEN, ClaimEvent.FREE): ClaimState.FREEING,
    (ClaimState.BROKEN, ClaimEvent.REPAIR): ClaimState.AVAILABLE,
    (ClaimState.BROKEN, ClaimEvent.REMOVE): ClaimState.REMOVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A server's hold on everything that its assignment names, as recorded.

    The old side of a move is held under the migration's id; ``guest`` is then the
    server whose guest may still have what is held, None when nothing of it is made.
    """

    consumer: UUID
    assignment: Assignment
    state: ClaimState = ClaimState.CLAIMED
    guest: UUID | None = None

    @property
    def maker(self) -> UUID:
        """For whom its devices were made on the host, and by whose id the guest is."""
        return self.guest or self.consumer

    @property
    def holding(self) -> Holding:
        """What choosers count."""
        return Holding(
            consumer=self.consumer, assignment=self.assignment, guest=self.guest
        )

    def after(self, event: ClaimEvent) -> Claim:
        """Return the claim after ``event``; raise ConflictError if it may not."""
        return replace(self, state=move(CLAIM_LIFE, self.state, event))
