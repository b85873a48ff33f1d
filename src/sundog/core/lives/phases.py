"""The words of a server's life: status, task, event and phase."""

from __future__ import annotations

from enum import Enum


class ServerStatus(Enum):
    """A server's ``status`` in the API."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    SHUTOFF = "SHUTOFF"
    PAUSED = "PAUSED"
    SUSPENDED = "SUSPENDED"
    SHELVED_OFFLOADED = "SHELVED_OFFLOADED"
    REBOOT = "REBOOT"
    HARD_REBOOT = "HARD_REBOOT"
    REBUILD = "REBUILD"
    ERROR = "ERROR"
    DELETED = "DELETED"


class ServerTask(Enum):
    """What is under way (``OS-EXT-STS:task_state``)."""

    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    DELETING = "deleting"
    POWERING_ON = "powering-on"
    POWERING_OFF = "powering-off"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    REBUILDING = "rebuilding"
    SHELVING = "shelving"
    UNSHELVING = "unshelving"


class ServerEvent(Enum):
    """What can happen to a server."""

    PLACE = "place"
    START = "start"
    FAIL = "fail"
    ASK_DELETE = "delete"
    FINISH_DELETE = "finish deleting"
    POWER_ON = "power on"
    POWER_OFF = "power off"
    REBOOT = "reboot"
    REBOOT_HARD = "reboot hard"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    SUSPEND = "suspend"
    RESUME = "resume"
    REBUILD = "rebuild"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    FINISH = "finish"
    UNDO = "go back"
    LOSE = "lose its guest"
    RESET_ACTIVE = "reset to active"
    RESET_ERROR = "reset to error"


class Phase(Enum):
    """Every pair of state and task that a server may be in."""

    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    ACTIVE = "active"
    SHUTOFF = "shut off"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    SHELVED_OFFLOADED = "shelved"
    ERROR = "in error"
    DELETING = "being deleted"
    DELETED = "deleted"
    POWERING_ON = "being powered on"
    POWERING_OFF = "being powered off"
    POWERING_OFF_ERROR = "being powered off in error"
    REBOOTING = "being rebooted"
    REBOOTING_HARD = "being rebooted hard"
    REBOOTING_HARD_SHUTOFF = "being rebooted hard from shut off"
    REBOOTING_HARD_PAUSED = "being rebooted hard from paused"
    REBOOTING_HARD_SUSPENDED = "being rebooted hard from suspended"
    REBOOTING_HARD_ERROR = "being rebooted hard in error"
    PAUSING = "being paused"
    UNPAUSING = "being unpaused"
    SUSPENDING = "being suspended"
    RESUMING = "being resumed"
    REBUILDING = "being rebuilt"
    REBUILDING_SHUTOFF = "being rebuilt from shut off"
    REBUILDING_ERROR = "being rebuilt in error"
    SHELVING = "being shelved"
    SHELVING_SHUTOFF = "being shelved from shut off"
    SHELVING_PAUSED = "being shelved from paused"
    SHELVING_SUSPENDED = "being shelved from suspended"
    UNSHELVING = "being unshelved"
