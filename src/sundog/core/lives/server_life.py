"""The life of a server, as one transition table, and what the API tells of it.

A server stands in a steady phase, or an errand is under way. Errands are rows of one
table, because each may end in the same four ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sundog.core.lives.phases import Phase, ServerEvent, ServerStatus, ServerTask


@dataclass(frozen=True, slots=True)
class Errand:
    """An action on a server: asked in one phase, under way in another, then done.

    It may also go back to where it was asked, or fail, or give way to a delete.
    """

    asked: ServerEvent
    origin: Phase
    way: Phase
    goal: Phase
    task: ServerTask | None


_E, _P = ServerEvent, Phase
_TASKS: Final = {
    _E.POWER_ON: ServerTask.POWERING_ON,
    _E.POWER_OFF: ServerTask.POWERING_OFF,
    _E.REBOOT: ServerTask.REBOOTING,
    _E.REBOOT_HARD: ServerTask.REBOOTING_HARD,
    _E.PAUSE: ServerTask.PAUSING,
    _E.UNPAUSE: ServerTask.UNPAUSING,
    _E.SUSPEND: ServerTask.SUSPENDING,
    _E.RESUME: ServerTask.RESUMING,
    _E.REBUILD: ServerTask.REBUILDING,
    _E.SHELVE: ServerTask.SHELVING,
    _E.UNSHELVE: ServerTask.UNSHELVING,
    _E.RESIZE: ServerTask.RESIZING,
    _E.MIGRATE: ServerTask.RESIZING,
    _E.CONFIRM: None,
    _E.REVERT: ServerTask.REVERTING,
    _E.MIGRATE_LIVE: ServerTask.MIGRATING,
    _E.EVACUATE: ServerTask.REBUILDING,
    _E.EVACUATE_OFF: ServerTask.REBUILDING,
    _E.ATTACH: ServerTask.ATTACHING_DEVICE,
    _E.DETACH: ServerTask.DETACHING_DEVICE,
    _E.RESCUE: ServerTask.RESCUING,
    _E.UNRESCUE: ServerTask.UNRESCUING,
}
# Asked, in which phase, under way in which, and the goal.
_ROWS: Final = (
    (_E.POWER_ON, _P.SHUTOFF, _P.POWERING_ON, _P.ACTIVE),
    (_E.POWER_OFF, _P.ACTIVE, _P.POWERING_OFF, _P.SHUTOFF),
    (_E.POWER_OFF, _P.ERROR, _P.POWERING_OFF_ERROR, _P.SHUTOFF),
    (_E.REBOOT, _P.ACTIVE, _P.REBOOTING, _P.ACTIVE),
    (_E.REBOOT_HARD, _P.ACTIVE, _P.REBOOTING_HARD, _P.ACTIVE),
    (_E.REBOOT_HARD, _P.SHUTOFF, _P.REBOOTING_HARD_SHUTOFF, _P.ACTIVE),
    (_E.REBOOT_HARD, _P.PAUSED, _P.REBOOTING_HARD_PAUSED, _P.ACTIVE),
    (_E.REBOOT_HARD, _P.SUSPENDED, _P.REBOOTING_HARD_SUSPENDED, _P.ACTIVE),
    (_E.REBOOT_HARD, _P.ERROR, _P.REBOOTING_HARD_ERROR, _P.ACTIVE),
    (_E.PAUSE, _P.ACTIVE, _P.PAUSING, _P.PAUSED),
    (_E.UNPAUSE, _P.PAUSED, _P.UNPAUSING, _P.ACTIVE),
    (_E.SUSPEND, _P.ACTIVE, _P.SUSPENDING, _P.SUSPENDED),
    (_E.RESUME, _P.SUSPENDED, _P.RESUMING, _P.ACTIVE),
    (_E.REBUILD, _P.ACTIVE, _P.REBUILDING, _P.ACTIVE),
    (_E.REBUILD, _P.SHUTOFF, _P.REBUILDING_SHUTOFF, _P.SHUTOFF),
    (_E.REBUILD, _P.ERROR, _P.REBUILDING_ERROR, _P.ACTIVE),
    (_E.SHELVE, _P.ACTIVE, _P.SHELVING, _P.SHELVED_OFFLOADED),
    (_E.SHELVE, _P.SHUTOFF, _P.SHELVING_SHUTOFF, _P.SHELVED_OFFLOADED),
    (_E.SHELVE, _P.PAUSED, _P.SHELVING_PAUSED, _P.SHELVED_OFFLOADED),
    (_E.SHELVE, _P.SUSPENDED, _P.SHELVING_SUSPENDED, _P.SHELVED_OFFLOADED),
    (_E.UNSHELVE, _P.SHELVED_OFFLOADED, _P.UNSHELVING, _P.ACTIVE),
    (_E.RESIZE, _P.ACTIVE, _P.RESIZING, _P.RESIZED),
    (_E.RESIZE, _P.SHUTOFF, _P.RESIZING_SHUTOFF, _P.RESIZED_SHUTOFF),
    (_E.MIGRATE, _P.ACTIVE, _P.MIGRATING, _P.RESIZED),
    (_E.MIGRATE, _P.SHUTOFF, _P.MIGRATING_SHUTOFF, _P.RESIZED_SHUTOFF),
    (_E.CONFIRM, _P.RESIZED, _P.CONFIRMING, _P.ACTIVE),
    (_E.CONFIRM, _P.RESIZED_SHUTOFF, _P.CONFIRMING_SHUTOFF, _P.SHUTOFF),
    (_E.REVERT, _P.RESIZED, _P.REVERTING, _P.ACTIVE),
    (_E.REVERT, _P.RESIZED_SHUTOFF, _P.REVERTING_SHUTOFF, _P.SHUTOFF),
    (_E.MIGRATE_LIVE, _P.ACTIVE, _P.MIGRATING_LIVE, _P.ACTIVE),
    (_E.MIGRATE_LIVE, _P.PAUSED, _P.MIGRATING_LIVE_PAUSED, _P.PAUSED),
    (_E.EVACUATE, _P.ACTIVE, _P.EVACUATING, _P.ACTIVE),
    (_E.EVACUATE, _P.SHUTOFF, _P.EVACUATING_SHUTOFF, _P.SHUTOFF),
    (_E.EVACUATE, _P.ERROR, _P.EVACUATING_ERROR, _P.ACTIVE),
    (_E.EVACUATE_OFF, _P.ACTIVE, _P.EVACUATING_OFF, _P.SHUTOFF),
    (_E.EVACUATE_OFF, _P.SHUTOFF, _P.EVACUATING_OFF_SHUTOFF, _P.SHUTOFF),
    (_E.EVACUATE_OFF, _P.ERROR, _P.EVACUATING_OFF_ERROR, _P.SHUTOFF),
    (_E.ATTACH, _P.ACTIVE, _P.ATTACHING, _P.ACTIVE),
    (_E.ATTACH, _P.SHUTOFF, _P.ATTACHING_SHUTOFF, _P.SHUTOFF),
    (_E.DETACH, _P.ACTIVE, _P.DETACHING, _P.ACTIVE),
    (_E.DETACH, _P.SHUTOFF, _P.DETACHING_SHUTOFF, _P.SHUTOFF),
    (_E.RESCUE, _P.ACTIVE, _P.RESCUING, _P.RESCUED),
    (_E.RESCUE, _P.SHUTOFF, _P.RESCUING_SHUTOFF, _P.RESCUED),
    (_E.UNRESCUE, _P.RESCUED, _P.UNRESCUING, _P.ACTIVE),
    (_E.UNRESCUE, _P.RESCUED_SHUTOFF, _P.UNRESCUING_SHUTOFF, _P.ACTIVE),
)
ERRANDS: Final = tuple(
    Errand(asked, origin, way, goal, _TASKS[asked])
    for asked, origin, way, goal in _ROWS
)
ERRAND_OF: Final = {errand.way: errand for errand in ERRANDS}
# Errands that go between two sides, which a migration records.
MOVE_EVENTS: Final = frozenset(
    {
        ServerEvent.RESIZE,
        ServerEvent.MIGRATE,
        ServerEvent.CONFIRM,
        ServerEvent.REVERT,
        ServerEvent.MIGRATE_LIVE,
        ServerEvent.EVACUATE,
        ServerEvent.EVACUATE_OFF,
    }
)


@dataclass(frozen=True, slots=True)
class ServerPhase:
    """What the API tells of a phase: status, vm_state and task."""

    status: ServerStatus
    vm_state: str
    task: ServerTask | None = None


_STEADY: Final = {
    Phase.SCHEDULING: ServerPhase(
        ServerStatus.BUILD, "building", ServerTask.SCHEDULING
    ),
    Phase.SPAWNING: ServerPhase(ServerStatus.BUILD, "building", ServerTask.SPAWNING),
    Phase.ACTIVE: ServerPhase(ServerStatus.ACTIVE, "active"),
    Phase.SHUTOFF: ServerPhase(ServerStatus.SHUTOFF, "stopped"),
    Phase.PAUSED: ServerPhase(ServerStatus.PAUSED, "paused"),
    Phase.SUSPENDED: ServerPhase(ServerStatus.SUSPENDED, "suspended"),
    Phase.SHELVED_OFFLOADED: ServerPhase(
        ServerStatus.SHELVED_OFFLOADED, "shelved_offloaded"
    ),
    Phase.RESCUED: ServerPhase(ServerStatus.RESCUE, "rescued"),
    Phase.RESCUED_SHUTOFF: ServerPhase(ServerStatus.RESCUE, "rescued"),
    Phase.RESIZED: ServerPhase(ServerStatus.VERIFY_RESIZE, "resized"),
    Phase.RESIZED_SHUTOFF: ServerPhase(ServerStatus.VERIFY_RESIZE, "resized"),
    Phase.ERROR: ServerPhase(ServerStatus.ERROR, "error"),
    Phase.DELETING: ServerPhase(ServerStatus.ACTIVE, "active", ServerTask.DELETING),
    Phase.DELETED: ServerPhase(ServerStatus.DELETED, "deleted"),
}
# Where Nova shows a task as a status of its own, by the state that it began in.
_SHOWN: Final = {
    Phase.REBOOTING: ServerStatus.REBOOT,
    Phase.REBOOTING_HARD: ServerStatus.HARD_REBOOT,
    Phase.REBUILDING: ServerStatus.REBUILD,
    Phase.REBUILDING_SHUTOFF: ServerStatus.REBUILD,
    Phase.REBUILDING_ERROR: ServerStatus.REBUILD,
    Phase.RESIZING: ServerStatus.RESIZE,
    Phase.RESIZING_SHUTOFF: ServerStatus.RESIZE,
    Phase.MIGRATING: ServerStatus.RESIZE,
    Phase.MIGRATING_SHUTOFF: ServerStatus.RESIZE,
    Phase.REVERTING: ServerStatus.REVERT_RESIZE,
    Phase.REVERTING_SHUTOFF: ServerStatus.REVERT_RESIZE,
    Phase.MIGRATING_LIVE: ServerStatus.MIGRATING,
    Phase.MIGRATING_LIVE_PAUSED: ServerStatus.MIGRATING,
    Phase.EVACUATING: ServerStatus.REBUILD,
    Phase.EVACUATING_SHUTOFF: ServerStatus.REBUILD,
    Phase.EVACUATING_ERROR: ServerStatus.REBUILD,
    Phase.EVACUATING_OFF: ServerStatus.REBUILD,
    Phase.EVACUATING_OFF_SHUTOFF: ServerStatus.REBUILD,
    Phase.EVACUATING_OFF_ERROR: ServerStatus.REBUILD,
}
STATUS_OF: Final = _STEADY | {
    errand.way: ServerPhase(
        _SHOWN.get(errand.way, _STEADY[errand.origin].status),
        _STEADY[errand.origin].vm_state,
        errand.task,
    )
    for errand in ERRANDS
}

_HELD: Final = (Phase.ACTIVE, Phase.SHUTOFF, Phase.PAUSED, Phase.SUSPENDED)
RESIZED: Final = (Phase.RESIZED, Phase.RESIZED_SHUTOFF)
_SETTLED: Final = (*_HELD, Phase.SHELVED_OFFLOADED)
_RESCUED: Final = (Phase.RESCUED, Phase.RESCUED_SHUTOFF)
_BUILT: Final = (*_SETTLED, *RESIZED, *_RESCUED)
# What a server with two sides is called again: resized, whatever it was called since.
_OFF: Final = (Phase.SHUTOFF, Phase.RESIZED_SHUTOFF, Phase.RESCUED_SHUTOFF)
_MAY_RUN: Final = tuple(
    phase for phase in (*_HELD, *RESIZED, *_RESCUED, Phase.ERROR) if phase not in _OFF
)

BUILD_LIFE: Final[dict[tuple[Phase, ServerEvent], Phase]] = {
    (Phase.SCHEDULING, ServerEvent.PLACE): Phase.SPAWNING,
    (Phase.SCHEDULING, ServerEvent.FAIL): Phase.ERROR,
    (Phase.SCHEDULING, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.SPAWNING, ServerEvent.PLACE): Phase.SPAWNING,
    (Phase.SPAWNING, ServerEvent.START): Phase.ACTIVE,
    (Phase.SPAWNING, ServerEvent.FAIL): Phase.ERROR,
    (Phase.SPAWNING, ServerEvent.ASK_DELETE): Phase.DELETING,
    **{(phase, ServerEvent.FAIL): Phase.ERROR for phase in _BUILT},
    **{(phase, ServerEvent.ASK_DELETE): Phase.DELETING for phase in _BUILT},
    (Phase.ACTIVE, ServerEvent.LOSE): Phase.SHUTOFF,
    (Phase.PAUSED, ServerEvent.LOSE): Phase.SHUTOFF,
    (Phase.SUSPENDED, ServerEvent.LOSE): Phase.SHUTOFF,
    (Phase.RESIZED, ServerEvent.LOSE): Phase.RESIZED_SHUTOFF,
    (Phase.RESCUED, ServerEvent.LOSE): Phase.RESCUED_SHUTOFF,
    **{(phase, ServerEvent.RESET_ERROR): Phase.ERROR for phase in _BUILT},
    **{
        (phase, ServerEvent.RESET_ACTIVE): Phase.ACTIVE for phase in (*_HELD, *_RESCUED)
    },
    **{(phase, ServerEvent.RESET_RESIZED): Phase.RESIZED for phase in _MAY_RUN},
    **{(phase, ServerEvent.RESET_RESIZED): Phase.RESIZED_SHUTOFF for phase in _OFF},
    (Phase.ERROR, ServerEvent.FAIL): Phase.ERROR,
    (Phase.ERROR, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.ERROR, ServerEvent.RESET_ERROR): Phase.ERROR,
    (Phase.ERROR, ServerEvent.RESET_ACTIVE): Phase.ACTIVE,
    (Phase.DELETING, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.DELETING, ServerEvent.FAIL): Phase.ERROR,
    (Phase.DELETING, ServerEvent.FINISH_DELETE): Phase.DELETED,
}
SERVER_LIFE: Final = {
    **BUILD_LIFE,
    **{(errand.origin, errand.asked): errand.way for errand in ERRANDS},
    **{(errand.way, ServerEvent.FINISH): errand.goal for errand in ERRANDS},
    **{(errand.way, ServerEvent.UNDO): errand.origin for errand in ERRANDS},
    **{(errand.way, ServerEvent.FAIL): Phase.ERROR for errand in ERRANDS},
    **{(errand.way, ServerEvent.ASK_DELETE): Phase.DELETING for errand in ERRANDS},
    # A server that is unshelved is placed as a new one is.
    (Phase.UNSHELVING, ServerEvent.PLACE): Phase.UNSHELVING,
    (Phase.UNSHELVING, ServerEvent.START): Phase.ACTIVE,
}
