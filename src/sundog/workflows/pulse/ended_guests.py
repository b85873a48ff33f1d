"""Guests that ended by themselves: their servers are shut off, as in Nova.

One that is resized or rescued stays so: it is confirmed, reverted or unrescued as ever.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sundog.core.errors import (
    ConflictError,
    HostRefusedError,
    NotFoundError,
    UnavailableError,
)
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.lives.server_life import SERVER_LIFE
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)

_RUNNING: Final = frozenset(
    phase for phase, event in SERVER_LIFE if event is ServerEvent.LOSE
) - {Phase.SUSPENDED}


def note_ended(conductor: Conductor, server_id: UUID) -> None:
    """Shut a server off whose guest ended; one under an errand is the errand's.

    When the host does not tell what runs, nothing is known to have ended.
    """
    with conductor.locks.of(server_id):
        try:
            server = conductor.servers.get(server_id)
        except NotFoundError:
            return
        agent = conductor.agents.get(server.host or "")
        if server.phase not in _RUNNING or agent is None:
            return
        try:
            has_ended = server_id not in agent.running()
        except (HostRefusedError, UnavailableError) as error:
            LOG.warning("Server %s: %s", server_id, error)
            return
        if has_ended:
            LOG.info("Server %s: its guest ended by itself", server_id)
            with suppress(ConflictError):
                # An errand that was asked for meanwhile finds out by itself.
                conductor.advance(server_id, ServerEvent.LOSE)


def look_for_ended(conductor: Conductor, host: str) -> None:
    """Do so for every server of a host: what ended while nobody listened."""
    for server in conductor.servers.list(ServerQuery(host=host)):
        if server.phase in _RUNNING:
            note_ended(conductor, server.id)
