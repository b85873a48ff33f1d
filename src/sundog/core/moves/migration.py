"""The record of a move, and its life as one transition table.

A move is asked for, prepares (both sides are claimed), and is under way. A resize or a
cold migration then waits to be confirmed or reverted; a live migration is over; an
evacuation waits for its old host, whose side is cleaned when it returns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from sundog.core.lives.life import move

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.requests.flavor import Flavor


class MoveKind(Enum):
    """``migration_type`` of Nova's API."""

    RESIZE = "resize"
    COLD = "migration"
    LIVE = "live-migration"
    EVACUATION = "evacuation"


class MoveState(Enum):
    """Where a move stands; Nova's word for it is ``Migration.status``."""

    ASKED = "asked"
    PREPARING = "preparing"
    UNDER_WAY = "under way"
    MOVED = "moved"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    LEFT = "left behind"
    FAILED = "failed"


class MoveEvent(Enum):
    """What can happen to a move."""

    PREPARE = "prepare"
    BEGIN = "begin"
    ARRIVE = "arrive"
    CONFIRM = "confirm"
    CONFIRMED = "finish confirming"
    REVERT = "revert"
    REVERTED = "finish reverting"
    COMPLETE = "complete"
    GO_BACK = "go back"
    CANCEL = "cancel"
    LEAVE = "leave something behind"
    FAIL = "fail"


_S, _E = MoveState, MoveEvent
_UNDER_WAY: Final = (_S.ASKED, _S.PREPARING, _S.UNDER_WAY)
_TWO_SIDED: Final = (_S.MOVED, _S.CONFIRMING, _S.REVERTING)
MOVE_LIFE: Final = {
    (_S.ASKED, _E.PREPARE): _S.PREPARING,
    # An evacuation that was cut off is tried again.
    (_S.MOVED, _E.PREPARE): _S.PREPARING,
    # A host that refused is followed by the next.
    (_S.PREPARING, _E.PREPARE): _S.PREPARING,
    (_S.UNDER_WAY, _E.PREPARE): _S.PREPARING,
    (_S.PREPARING, _E.BEGIN): _S.UNDER_WAY,
    (_S.UNDER_WAY, _E.ARRIVE): _S.MOVED,
    (_S.UNDER_WAY, _E.COMPLETE): _S.COMPLETED,
    **{(state, _E.FAIL): _S.FAILED for state in (*_UNDER_WAY, *_TWO_SIDED)},
    # It failed, and its new host could not let go of what was made there.
    **{(state, _E.LEAVE): _S.LEFT for state in (*_UNDER_WAY, _S.MOVED)},
    (_S.LEFT, _E.FAIL): _S.FAILED,
    **{(state, _E.CANCEL): _S.CANCELLED for state in _UNDER_WAY},
    (_S.MOVED, _E.CONFIRM): _S.CONFIRMING,
    (_S.CONFIRMING, _E.CONFIRM): _S.CONFIRMING,
    (_S.CONFIRMING, _E.CONFIRMED): _S.CONFIRMED,
    (_S.CONFIRMING, _E.GO_BACK): _S.MOVED,
    (_S.MOVED, _E.REVERT): _S.REVERTING,
    (_S.REVERTING, _E.REVERT): _S.REVERTING,
    (_S.REVERTING, _E.REVERTED): _S.REVERTED,
    (_S.REVERTING, _E.GO_BACK): _S.MOVED,
    (_S.MOVED, _E.COMPLETE): _S.COMPLETED,
}
OVER: Final = frozenset(
    {_S.CONFIRMED, _S.REVERTED, _S.COMPLETED, _S.CANCELLED, _S.FAILED}
)

_COLD_WORDS: Final = {
    _S.ASKED: "queued",
    _S.PREPARING: "pre-migrating",
    _S.UNDER_WAY: "migrating",
    _S.MOVED: "finished",
    _S.LEFT: "error",
    _S.FAILED: "error",
}
_WORDS: Final = {
    MoveKind.RESIZE: _COLD_WORDS,
    MoveKind.COLD: _COLD_WORDS,
    MoveKind.LIVE: {
        _S.ASKED: "queued",
        _S.UNDER_WAY: "running",
        _S.MOVED: "post-migrating",
        _S.LEFT: "error",
        _S.FAILED: "error",
    },
    MoveKind.EVACUATION: {
        _S.ASKED: "accepted",
        _S.PREPARING: "pre-migrating",
        _S.UNDER_WAY: "migrating",
        _S.MOVED: "done",
        _S.LEFT: "failed",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A move of one server, as recorded. Times are UTC and aware.

    ``id`` is the consumer that holds the old side in Placement, ``number`` what the
    API counts migrations by (0 before it is kept). ``old`` is what the server held
    when it was asked, ``new`` what it is to hold, None while nothing is chosen.
    ``rest`` is what of the old side is held beside the new.
    """

    id: UUID
    server_id: UUID
    kind: MoveKind
    project_id: str
    user_id: str
    created: datetime
    updated: datetime
    old: Assignment
    old_flavor: Flavor
    new_flavor: Flavor
    new: Assignment | None = None
    rest: Assignment | None = None
    state: MoveState = MoveState.ASKED
    wanted_host: str | None = None
    number: int = 0

    @property
    def source(self) -> str:
        """The host that the server comes from."""
        return self.old.host

    @property
    def dest(self) -> str | None:
        """The host that it goes to, None while none is chosen."""
        return self.new.host if self.new is not None else None

    @property
    def stays(self) -> bool:
        """Whether both sides are on one host."""
        return self.dest == self.source

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in OVER

    @property
    def is_two_sided(self) -> bool:
        """Whether it waits to be confirmed or reverted, or is on the way there."""
        return self.state in _TWO_SIDED and not self.waits_for_host

    @property
    def waits_for_host(self) -> bool:
        """Whether one side is left on a host that could not be cleaned."""
        left = self.kind in (MoveKind.EVACUATION, MoveKind.LIVE)
        return self.state is MoveState.LEFT or (left and self.state is MoveState.MOVED)

    @property
    def left_on(self) -> str | None:
        """The host that is to be cleaned, None when there is none."""
        if not self.waits_for_host:
            return None
        return self.dest if self.state is MoveState.LEFT else self.source

    def abandoned(self, now: datetime) -> Migration:
        """Return the record of a move of which nothing comes."""
        if self.is_over or self.state is MoveState.LEFT:
            return self
        return self.after(MoveEvent.FAIL, now)

    def cleaned(self, now: datetime) -> Migration:
        """Return the record when the host that waited is cleaned."""
        is_left = self.state is MoveState.LEFT
        return self.after(MoveEvent.FAIL if is_left else MoveEvent.COMPLETE, now)

    @property
    def status(self) -> str:
        """Nova's word for the state, which differs by kind."""
        return _WORDS[self.kind].get(self.state, self.state.value)

    def after(self, event: MoveEvent, now: datetime) -> Migration:
        """Return the record after ``event``; raise ConflictError if it may not."""
        return replace(self, state=move(MOVE_LIFE, self.state, event), updated=now)
