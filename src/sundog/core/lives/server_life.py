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


def _errands(
    asked: ServerEvent, task: ServerTask | None, *ways: tuple[Phase, Phase, Phase]
) -> tuple[Errand, ...]:
    return tuple(Errand(asked, origin, way, goal, task) for origin, way, goal in ways)


ERRANDS: Final = (
    *_errands(
        ServerEvent.POWER_ON,
        ServerTask.POWERING_ON,
        (Phase.SHUTOFF, Phase.POWERING_ON, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.POWER_OFF,
        ServerTask.POWERING_OFF,
        (Phase.ACTIVE, Phase.POWERING_OFF, Phase.SHUTOFF),
        (Phase.ERROR, Phase.POWERING_OFF_ERROR, Phase.SHUTOFF),
    ),
    *_errands(
        ServerEvent.REBOOT,
        ServerTask.REBOOTING,
        (Phase.ACTIVE, Phase.REBOOTING, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.REBOOT_HARD,
        ServerTask.REBOOTING_HARD,
        (Phase.ACTIVE, Phase.REBOOTING_HARD, Phase.ACTIVE),
        (Phase.SHUTOFF, Phase.REBOOTING_HARD_SHUTOFF, Phase.ACTIVE),
        (Phase.PAUSED, Phase.REBOOTING_HARD_PAUSED, Phase.ACTIVE),
        (Phase.SUSPENDED, Phase.REBOOTING_HARD_SUSPENDED, Phase.ACTIVE),
        (Phase.ERROR, Phase.REBOOTING_HARD_ERROR, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.PAUSE,
        ServerTask.PAUSING,
        (Phase.ACTIVE, Phase.PAUSING, Phase.PAUSED),
    ),
    *_errands(
        ServerEvent.UNPAUSE,
        ServerTask.UNPAUSING,
        (Phase.PAUSED, Phase.UNPAUSING, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.SUSPEND,
        ServerTask.SUSPENDING,
        (Phase.ACTIVE, Phase.SUSPENDING, Phase.SUSPENDED),
    ),
    *_errands(
        ServerEvent.RESUME,
        ServerTask.RESUMING,
        (Phase.SUSPENDED, Phase.RESUMING, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.REBUILD,
        ServerTask.REBUILDING,
        (Phase.ACTIVE, Phase.REBUILDING, Phase.ACTIVE),
        (Phase.SHUTOFF, Phase.REBUILDING_SHUTOFF, Phase.SHUTOFF),
        (Phase.ERROR, Phase.REBUILDING_ERROR, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.SHELVE,
        ServerTask.SHELVING,
        (Phase.ACTIVE, Phase.SHELVING, Phase.SHELVED_OFFLOADED),
        (Phase.SHUTOFF, Phase.SHELVING_SHUTOFF, Phase.SHELVED_OFFLOADED),
        (Phase.PAUSED, Phase.SHELVING_PAUSED, Phase.SHELVED_OFFLOADED),
        (Phase.SUSPENDED, Phase.SHELVING_SUSPENDED, Phase.SHELVED_OFFLOADED),
    ),
    *_errands(
        ServerEvent.UNSHELVE,
        ServerTask.UNSHELVING,
        (Phase.SHELVED_OFFLOADED, Phase.UNSHELVING, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.RESIZE,
        ServerTask.RESIZING,
        (Phase.ACTIVE, Phase.RESIZING, Phase.RESIZED),
        (Phase.SHUTOFF, Phase.RESIZING_SHUTOFF, Phase.RESIZED_SHUTOFF),
    ),
    *_errands(
        ServerEvent.MIGRATE,
        ServerTask.RESIZING,
        (Phase.ACTIVE, Phase.MIGRATING, Phase.RESIZED),
        (Phase.SHUTOFF, Phase.MIGRATING_SHUTOFF, Phase.RESIZED_SHUTOFF),
    ),
    *_errands(
        ServerEvent.CONFIRM,
        None,
        (Phase.RESIZED, Phase.CONFIRMING, Phase.ACTIVE),
        (Phase.RESIZED_SHUTOFF, Phase.CONFIRMING_SHUTOFF, Phase.SHUTOFF),
    ),
    *_errands(
        ServerEvent.REVERT,
        ServerTask.REVERTING,
        (Phase.RESIZED, Phase.REVERTING, Phase.ACTIVE),
        (Phase.RESIZED_SHUTOFF, Phase.REVERTING_SHUTOFF, Phase.SHUTOFF),
    ),
    *_errands(
        ServerEvent.MIGRATE_LIVE,
        ServerTask.MIGRATING,
        (Phase.ACTIVE, Phase.MIGRATING_LIVE, Phase.ACTIVE),
        (Phase.PAUSED, Phase.MIGRATING_LIVE_PAUSED, Phase.PAUSED),
    ),
    *_errands(
        ServerEvent.EVACUATE,
        ServerTask.REBUILDING,
        (Phase.ACTIVE, Phase.EVACUATING, Phase.ACTIVE),
        (Phase.SHUTOFF, Phase.EVACUATING_SHUTOFF, Phase.SHUTOFF),
        (Phase.ERROR, Phase.EVACUATING_ERROR, Phase.ACTIVE),
    ),
    *_errands(
        ServerEvent.EVACUATE_OFF,
        ServerTask.REBUILDING,
        (Phase.ACTIVE, Phase.EVACUATING_OFF, Phase.SHUTOFF),
        (Phase.SHUTOFF, Phase.EVACUATING_OFF_SHUTOFF, Phase.SHUTOFF),
        (Phase.ERROR, Phase.EVACUATING_OFF_ERROR, Phase.SHUTOFF),
    ),
    *_errands(
        ServerEvent.ATTACH,
        ServerTask.ATTACHING_DEVICE,
        (Phase.ACTIVE, Phase.ATTACHING, Phase.ACTIVE),
        (Phase.SHUTOFF, Phase.ATTACHING_SHUTOFF, Phase.SHUTOFF),
    ),
    *_errands(
        ServerEvent.DETACH,
        ServerTask.DETACHING_DEVICE,
        (Phase.ACTIVE, Phase.DETACHING, Phase.ACTIVE),
        (Phase.SHUTOFF, Phase.DETACHING_SHUTOFF, Phase.SHUTOFF),
    ),
    *_errands(
        ServerEvent.RESCUE,
        ServerTask.RESCUING,
        (Phase.ACTIVE, Phase.RESCUING, Phase.RESCUED),
        (Phase.SHUTOFF, Phase.RESCUING_SHUTOFF, Phase.RESCUED),
    ),
    *_errands(
        ServerEvent.UNRESCUE,
        ServerTask.UNRESCUING,
        (Phase.RESCUED, Phase.UNRESCUING, Phase.ACTIVE),
    ),
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
_BUILT: Final = (*_SETTLED, *RESIZED, Phase.RESCUED)

BUILD_LIFE: Final = {
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
    **{(phase, ServerEvent.RESET_ERROR): Phase.ERROR for phase in _SETTLED},
    **{(phase, ServerEvent.RESET_ACTIVE): Phase.ACTIVE for phase in _HELD},
    (Phase.ERROR, ServerEvent.FAIL): Phase.ERROR,
    (Phase.ERROR, ServerEvent.ASK_DELETE): Phase.DELETING,
    (Phase.ERROR, ServerEvent.RESET_ERROR): Phase.ERROR,
    (Phase.ERROR, ServerEvent.RESET_ACTIVE): Phase.ACTIVE,
    (Phase.ERROR, ServerEvent.RESET_RESIZED): Phase.RESIZED,
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
