"""A server's record, which moves along its life's table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sundog.core.lives.intent import Intent
from sundog.core.lives.life import move
from sundog.core.lives.phases import Phase, ServerEvent, ServerStatus, ServerTask
from sundog.core.lives.server_life import ERRAND_OF, SERVER_LIFE, STATUS_OF

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sundog.core.lives.plug import Attached
    from sundog.core.requests.flavor import Flavor

__all__ = [
    "SERVER_LIFE",
    "STATUS_OF",
    "Fault",
    "Phase",
    "Server",
    "ServerEvent",
    "ServerStatus",
    "ServerTask",
]

_RESETS: Final = frozenset(
    {
        ServerEvent.RESET_ACTIVE,
        ServerEvent.RESET_ERROR,
        ServerEvent.RESET_RESIZED,
    }
)
# What may be asked whatever is under way.
_OVER_ALL: Final = _RESETS | {ServerEvent.ASK_DELETE}
_END_RESCUE: Final = _RESETS | {ServerEvent.FAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a server is in ERROR (``fault`` in the API)."""

    code: int
    message: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A user's server, as recorded. Times are UTC and aware.

    ``flavor`` is the flavor as it was at creation (Nova embeds it from 2.47 on).
    """

    id: UUID
    name: str
    project_id: str
    user_id: str
    flavor: Flavor
    image_id: str
    created: datetime
    updated: datetime
    phase: Phase = Phase.SCHEDULING
    host: str | None = None
    fault: Fault | None = None
    launched: datetime | None = None
    terminated: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    image_properties: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    description: str | None = None
    hostname: str = ""
    reservation_id: str = ""
    launch_index: int = 0
    config_drive: bool = False
    availability_zone: str = ""
    user_data: str | None = None
    # A forced host (availability zone "nova:HOST", or "host" from 2.74 on).
    wanted_host: str | None = None
    locked: bool = False
    locked_reason: str | None = None
    key_name: str | None = None
    # The server group that it was made in, by id.
    group: str | None = None
    # The job under way; written and ended with the moves that begin and end it.
    intent: Intent | None = None
    # Hosts of other servers, by their ids, to be on or to keep off (hints).
    near: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    # What a user notes of how a server is reached, and of its disk's partitions.
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    auto_disk: bool = False
    # What it asks for beside its flavor's devices, and the slots (of both) that it
    # gave up: what it is built anew with.
    attached: tuple[Attached, ...] = ()
    detached: frozenset[str] = frozenset()
    # What it boots from while it is rescued.
    rescue_image_id: str | None = None
    rescue_properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> ServerStatus:
        """The API's status."""
        return STATUS_OF[self.phase].status

    @property
    def task(self) -> ServerTask | None:
        """The API's task state."""
        return STATUS_OF[self.phase].task

    @property
    def is_busy(self) -> bool:
        """Whether a job works on it, or is to."""
        return self.task is not None or self.phase in ERRAND_OF

    @property
    def vm_state(self) -> str:
        """The API's vm_state: the steady state, whatever is under way."""
        return STATUS_OF[self.phase].vm_state

    def obstacle(self, event: ServerEvent) -> tuple[str, str] | None:
        """Return what forbids an event: ``vm_state`` or ``task_state``, and which.

        None when nothing does.
        """
        if (self.phase, event) in SERVER_LIFE:
            return self._other_job(event)
        good = {STATUS_OF[phase].vm_state for phase, e in SERVER_LIFE if e is event}
        task = STATUS_OF[self.phase].task
        if task is not None and self.vm_state in good:
            return "task_state", task.value
        return "vm_state", self.vm_state

    def after(self, event: ServerEvent, now: datetime) -> Server:
        """Return the server after ``event``; raise ConflictError if it may not.

        Its intent begins and ends with it. One that fails, or is reset, is rescued no
        more: it boots from its own disk the next time.
        """
        phase = move(SERVER_LIFE, self.phase, event)
        intent = self._intent_after(event, phase, now)
        after = replace(self, phase=phase, updated=now, intent=intent)
        if event not in _END_RESCUE:
            return after
        return replace(after, rescue_image_id=None, rescue_properties={})

    def _intent_after(
        self, event: ServerEvent, phase: Phase, now: datetime
    ) -> Intent | None:
        errand = ERRAND_OF.get(phase)
        begins = errand is not None and errand.asked is event
        if phase is Phase.DELETING or begins:
            again = self.intent is not None and self.intent.job == event.value
            return self.intent if again else Intent.of(event.value, now)
        return None if STATUS_OF[phase].task is None else self.intent

    def _other_job(self, event: ServerEvent) -> tuple[str, str] | None:
        """Return the job that works on a server in a steady phase, if it forbids."""
        is_steady = STATUS_OF[self.phase].task is None
        if self.intent is None or not is_steady or event in _OVER_ALL:
            return None
        return "task_state", self.intent.job
