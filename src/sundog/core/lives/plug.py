"""The life of a device in its server, as one transition table.

A device of a flavor begins ATTACHED. One that is asked for later is ATTACHING until
the guest has it; one that is to go is DETACHING until libvirt says that the guest has
let go of it, and held all the while.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class PlugState(Enum):
    """Where a device of a server stands; the values are public."""

    ATTACHED = "attached"
    ATTACHING = "attaching"
    DETACHING = "detaching"
    GONE = "gone"


class PlugEvent(Enum):
    """What can happen to it."""

    FINISH = "finish attaching"
    DETACH = "detach"
    KEEP = "keep"
    LET_GO = "let go"


PLUG_LIFE: Final = {
    (PlugState.ATTACHING, PlugEvent.FINISH): PlugState.ATTACHED,
    # An attach that failed, or was cut off, is undone by detaching.
    (PlugState.ATTACHING, PlugEvent.DETACH): PlugState.DETACHING,
    (PlugState.ATTACHED, PlugEvent.DETACH): PlugState.DETACHING,
    (PlugState.DETACHING, PlugEvent.DETACH): PlugState.DETACHING,
    (PlugState.DETACHING, PlugEvent.KEEP): PlugState.ATTACHED,
    (PlugState.DETACHING, PlugEvent.LET_GO): PlugState.GONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Devices that a server asks for beside its flavor's: ``count`` of them.

    ``id`` is that of the request (``vGPU+1``), and ``asks`` is what was asked, in a
    flavor's words: ``vGPU:2``, ``resources:VGPU=1``.
    """

    id: str
    asks: str
    count: int

    @property
    def slots(self) -> frozenset[str]:
        """The names of its devices, the detached ones too."""
        return frozenset(f"{self.id}/{number}" for number in range(self.count))
