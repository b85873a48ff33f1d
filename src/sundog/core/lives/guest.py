"""What a guest can be brought to on its host."""

from __future__ import annotations

from enum import Enum


class GuestState(Enum):
    """A guest as its host's libvirt tells it.

    ``SAVED`` is off with its memory on disk, ``ABSENT`` is not even defined.
    """

    RUNNING = "running"
    PAUSED = "paused"
    OFF = "off"
    SAVED = "saved"
    ABSENT = "absent"
