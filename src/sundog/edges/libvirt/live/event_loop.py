"""Libvirt's own event loop, in one thread of the process."""

from __future__ import annotations

from functools import cache
from threading import Thread

import libvirt


@cache
def run_event_loop() -> Thread:
    """Start the loop once; only connections that are opened later have events."""
    libvirt.virEventRegisterDefaultImpl()
    # A daemon: the loop knows no end, and holds nothing that must be put away.
    thread = Thread(target=_run, name="libvirt events", daemon=True)
    thread.start()
    return thread


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
