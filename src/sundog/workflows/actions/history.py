"""The record of what was asked of each server, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.errors import NotFoundError
from sundog.core.lives.instance_action import ActionEvent, InstanceAction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sundog.core.lives.instance_action import Asked
    from sundog.workflows.ports import Clock
    from sundog.workflows.projects.shelf import Shelf

# Nova's names of what a host does for an action; others are told without an event.
_EVENTS: Final = {
    "create": "compute__do_build_and_run_instance",
    "delete": "compute_terminate_instance",
    "start": "compute_start_instance",
    "stop": "compute_stop_instance",
    "reboot": "compute_reboot_instance",
    "pause": "compute_pause_instance",
    "unpause": "compute_unpause_instance",
    "suspend": "compute_suspend_instance",
    "resume": "compute_resume_instance",
    "rebuild": "compute_rebuild_instance",
    "shelve": "compute_shelve_offload_instance",
    "unshelve": "compute_unshelve_instance",
    "resize": "compute_prep_resize",
    "migrate": "compute_prep_resize",
    "confirmResize": "compute_confirm_resize",
    "revertResize": "compute_revert_resize",
    "live-migration": "compute_live_migration",
    "evacuate": "compute_rebuild_instance",
    "attach_device": "compute_attach_device",
    "detach_device": "compute_detach_device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Actions by server and request; kept when their server is deleted."""

    shelf: Shelf[InstanceAction]
    clock: Clock

    def begin(self, server_id: UUID, word: str, asked: Asked) -> None:
        """Record that an action was asked for."""
        now = self.clock()
        event = _EVENTS.get(word)
        action = InstanceAction(
            action=word,
            server_id=server_id,
            asked=asked,
            started=now,
            updated=now,
            events=(ActionEvent(name=event, started=now),) if event else (),
        )
        self.shelf.change(str(server_id), asked.request_id, lambda _: action)

    def finish(
        self, server_id: UUID, word: str, error: str, host: str | None = None
    ) -> None:
        """Record how an action went that is under way; none is fine."""
        for action in self.list(server_id):
            if action.action == word and action.is_under_way:
                self._end(action, error, host)

    def under_way(self) -> Sequence[InstanceAction]:
        """Return the actions of all servers that have not ended."""
        return self.shelf.unfinished()

    def list(self, server_id: UUID) -> Sequence[InstanceAction]:
        """Return what was asked of a server, newest first."""
        found = self.shelf.list(str(server_id))
        return sorted(found, key=lambda action: action.started, reverse=True)

    def get(self, server_id: UUID, request_id: str) -> InstanceAction:
        """Return what a request asked; raises NotFoundError."""
        action = self.shelf.get(str(server_id), request_id)
        if action is None:
            raise NotFoundError(f"Action for request_id {request_id} not found")
        return action

    def _end(self, action: InstanceAction, error: str, host: str | None) -> None:
        now = self.clock()

        def ended(old: InstanceAction | None) -> InstanceAction | None:
            return None if old is None else _ended(old, now, error, host)

        self.shelf.change(str(action.server_id), action.asked.request_id, ended)


def _ended(
    action: InstanceAction, now: datetime, error: str, host: str | None
) -> InstanceAction:
    events = tuple(
        event
        if event.finished
        else replace(event, finished=now, error=error, host=host)
        for event in action.events
    )
    return replace(action, events=events, updated=now)
