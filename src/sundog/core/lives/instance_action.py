"""What was asked of a server, when, by whom, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - storage reads the types at run time
from uuid import UUID  # noqa: TC003 - storage reads the types at run time


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which request asks, and whose it is."""

    request_id: str
    user_id: str
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """What a host did for an action; ``error`` is empty when it went well.

    ``finished`` is None while it is under way. ``host`` is where it ended.
    """

    name: str
    started: datetime
    finished: datetime | None = None
    error: str = ""
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceAction:
    """An action by Nova's word (``create``, ``start``); most have one event."""

    action: str
    server_id: UUID
    asked: Asked
    started: datetime
    updated: datetime
    events: tuple[ActionEvent, ...] = ()

    @property
    def has_failed(self) -> bool:
        """Whether one of its events ended in an error."""
        return any(event.error for event in self.events)

    @property
    def is_under_way(self) -> bool:
        """Whether one of its events has not ended."""
        return any(event.finished is None for event in self.events)
