"""What a job on a server set out to do, kept in the server's own record.

It is written with the move that begins the job, before the first side effect, and
goes with the move that ends it: the two can never tell different things.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from sundog.core.lives.phases import ServerEvent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class CutOff(Enum):
    """What becomes of a job that the end of its process cut off."""

    UNDONE = "is undone"
    GOES_ON = "goes on"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a job in order, and what becomes of it when it is cut off.

    One that goes on does so from the step of the number ``since``; before that it is
    undone.
    """

    steps: tuple[str, ...]
    cut_off: CutOff = CutOff.UNDONE
    since: int = 0


BOOT: Final = "boot"
_MOVE: Final = Plan(
    (
        "claim both sides",
        "charge both sides",
        "make devices ready there",
        "end the guest here",
        "free its devices here",
        "start the guest there",
    )
)
_EVACUATION: Final = Plan(
    ("claim both sides", "charge both sides", "make devices ready", "start the guest"),
    CutOff.GOES_ON,
)
PLANS: Final[Mapping[str, Plan]] = {
    BOOT: Plan(("claim", "charge", "make devices ready", "start the guest")),
    ServerEvent.ASK_DELETE.value: Plan(
        ("stop the guest", "free devices", "release the charge", "forget the claim"),
        CutOff.GOES_ON,
    ),
    ServerEvent.POWER_ON.value: Plan(("make devices ready", "start the guest")),
    ServerEvent.POWER_OFF.value: Plan(("end the guest",)),
    ServerEvent.REBOOT.value: Plan(("end the guest", "start the guest")),
    ServerEvent.REBOOT_HARD.value: Plan(
        ("make devices ready", "end the guest", "start the guest")
    ),
    ServerEvent.PAUSE.value: Plan(("pause the guest",)),
    ServerEvent.UNPAUSE.value: Plan(("unpause the guest",)),
    ServerEvent.SUSPEND.value: Plan(("detach devices", "save the guest")),
    ServerEvent.RESUME.value: Plan(("restore the guest", "attach devices")),
    # The old disk goes with the guest.
    ServerEvent.REBUILD.value: Plan(
        ("end the guest", "start the guest"), CutOff.GOES_ON, since=1
    ),
    ServerEvent.RESCUE.value: Plan(("end the guest", "start the guest")),
    ServerEvent.UNRESCUE.value: Plan(("end the guest", "start the guest")),
    ServerEvent.SHELVE.value: Plan(
        ("remove the guest", "release the charge", "forget the claim"), CutOff.GOES_ON
    ),
    ServerEvent.UNSHELVE.value: Plan(
        ("claim", "charge", "make devices ready", "start the guest")
    ),
    ServerEvent.RESIZE.value: _MOVE,
    ServerEvent.MIGRATE.value: _MOVE,
    ServerEvent.CONFIRM.value: Plan(
        ("release the old side", "forget its claim"), CutOff.GOES_ON
    ),
    ServerEvent.REVERT.value: Plan(
        (
            "end the guest",
            "free its new devices",
            "turn the two sides round",
            "make its old devices ready",
            "start the guest",
            "release the new side",
        ),
        CutOff.GOES_ON,
    ),
    ServerEvent.MIGRATE_LIVE.value: Plan(
        (
            "claim both sides",
            "charge both sides",
            "make devices ready there",
            "send the guest",
            "clean the old side",
        )
    ),
    ServerEvent.EVACUATE.value: _EVACUATION,
    ServerEvent.EVACUATE_OFF.value: _EVACUATION,
    ServerEvent.ATTACH.value: Plan(("claim", "charge", "attach devices")),
    ServerEvent.DETACH.value: Plan(
        ("detach devices", "release the charge"), CutOff.GOES_ON
    ),
}
"""Every job on a server, by what is asked; the drills are made from this table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A job under way: what was asked and when, its steps, what it began from.

    ``at`` is the step under way, which may be half done. ``before`` are the fields
    of the server that the job changed, as they were; ``facts`` what else it takes to
    go on or back, as text.
    """

    job: str
    began: datetime
    steps: tuple[str, ...] = ()
    at: int = 0
    before: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, job: str, began: datetime) -> Intent:
        """Begin a job of the table."""
        return cls(job=job, began=began, steps=PLANS[job].steps)

    def reaching(self, step: str) -> Intent:
        """Return it with another step under way; raises ValueError for none of its."""
        return replace(self, at=self.steps.index(step))

    @property
    def is_undone(self) -> bool:
        """Whether settling undoes it after it was cut off."""
        plan = PLANS.get(self.job)
        if plan is None or plan.cut_off is CutOff.UNDONE:
            return True
        return self.at < plan.since

    @property
    def line(self) -> str:
        """The job for people: "shelve, at: release the charge (2 of 3)"."""
        if not self.steps:
            return self.job
        return (
            f"{self.job}, at: {self.steps[self.at]} ({self.at + 1} of "
            f"{len(self.steps)})"
        )
