"""The life of a server, as one transition table, and its record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from sundog.core.lives.life import move

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sundog.core.requests.flavor import Flavor


class ServerStatus(Enum):
    """A server's ``status`` in the API."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    ERROR = "ERROR"
    DELETED = "DELETED"


class ServerTask(Enum):
    """What is under way (``OS-EXT-STS:task_state``)."""

    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    DELETING = "deleting"


class ServerEvent(Enum):
    """What can happen to a server."""

    PLACE = "place"
    START = "start"
    FAIL = "fail"
    ASK_DELETE = "delete"
    FINISH_DELETE = "finish deleting"


@dataclass(frozen=True, slots=True)
class ServerPhase:
    """A status with what is under way in it; ``value`` names it for people."""

    status: ServerStatus
    task: ServerTask | None = None


class Phase(Enum):
    """Every pair of status and task that a server may be in."""

    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    ACTIVE = "active"
    ERROR = "in error"
    DELETING = "being deleted"
    DELETED = "deleted"


STATUS_OF: Final = {
    Phase.SCHEDULING: ServerPhase(ServerStatus.BUILD, ServerTask.SCHEDULING),
    Phase.SPAWNING: ServerPhase(ServerStatus.BUILD, ServerTask.SPAWNING),
    Phase.ACTIVE: ServerPhase(ServerStatus.ACTIVE),
    Phase.ERROR: ServerPhase(ServerStatus.ERROR),
    Phase.DELETING: ServerPhase(ServerStatus.ACTIVE, ServerTask.DELETING),
    Phase.DELETED: ServerPhase(ServerStatus.DELETED),
}

SERVER_LIFE: Final = {
    (Phase.SCHEDULING, ServerEvent.PLACE): Phase.SPAWNING,
    (Phase.SCHEDULING, ServerEvent.FAIL): Phase.ERROR,
    (Phase.SCHEDULING, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.SPAWNING, ServerEvent.PLACE): Phase.SPAWNING,
    (Phase.SPAWNING, ServerEvent.START): Phase.ACTIVE,
    (Phase.SPAWNING, ServerEvent.FAIL): Phase.ERROR,
    (Phase.SPAWNING, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.ACTIVE, ServerEvent.FAIL): Phase.ERROR,
    (Phase.ACTIVE, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.ERROR, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.DELETING, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.DELETING, ServerEvent.FAIL): Phase.ERROR,
    (Phase.DELETING, ServerEvent.FINISH_DELETE): Phase.DELETED,
}


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

    @property
    def status(self) -> ServerStatus:
        """The API's status."""
        return STATUS_OF[self.phase].status

    @property
    def task(self) -> ServerTask | None:
        """The API's task state."""
        return STATUS_OF[self.phase].task

    def after(self, event: ServerEvent, now: datetime) -> Server:
        """Return the server after ``event``; raise ConflictError if it may not."""
        return replace(self, phase=move(SERVER_LIFE, self.phase, event), updated=now)
