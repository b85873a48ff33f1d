"""Libvirt's own event loop, in one thread of the process."""

from __future__ import annotations

import logging
import time
from functools import cache
from threading import Thread
from typing import Final

import libvirt

from sundog.edges.libvirt.connection import one_line

LOG: Final = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0


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
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError as error:
            # Without the loop a connection would neither hear nor notice its end.
            LOG.warning("libvirt's event loop: %s", one_line(error))
            time.sleep(_PAUSE_SECONDS)
