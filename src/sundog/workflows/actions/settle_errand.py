"""What a server's phase means after a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sundog.core.errors import HostRefusedError, SundogError
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.lives.server_life import ERRAND_OF
from sundog.workflows.actions.deeds import shelve
from sundog.workflows.actions.errand import GUEST_OF, hold_of, run
from sundog.workflows.delete_server import give_back

if TYPE_CHECKING:
    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def settle_server(conductor: Conductor, server: Server) -> None:
    """Bring a server that was built to where its record says.

    An errand that was cut off goes back to where it was asked, but a shelving goes
    on: what it gave back may be another's. The guest then follows the record.
    """
    errand = ERRAND_OF.get(server.phase)
    if errand is not None and errand.asked is ServerEvent.SHELVE:
        run(conductor, server.id, shelve)
        return
    try:
        if errand is not None and errand.asked is ServerEvent.UNSHELVE:
            _forget_claim(conductor, server)
            conductor.advance(server.id, ServerEvent.UNDO, host=None)
        elif errand is not None:
            _follow(conductor, conductor.advance(server.id, ServerEvent.UNDO))
        else:
            _follow(conductor, server)
    except SundogError as error:
        conductor.fail(server.id, f"Settling after a restart failed: {error}")


def _forget_claim(conductor: Conductor, server: Server) -> None:
    claim = conductor.claims.get(server.id)
    if claim is not None:
        give_back(conductor, claim)
    conductor.ledger.release(server.id)


def _follow(conductor: Conductor, server: Server) -> None:
    state = GUEST_OF.get(server.phase)
    if state is None:
        return
    hold = hold_of(conductor, server)
    if state is GuestState.RUNNING:
        conductor.reports.take(hold.agent.bring(hold.order, state))
        return
    try:
        hold.agent.prepare(hold.order)
        conductor.reports.take(hold.agent.bring(hold.order, state))
    except HostRefusedError as lost:
        LOG.warning("Server %s: %s", server.id, lost)
        if server.phase is not Phase.SHUTOFF:
            conductor.advance(server.id, ServerEvent.LOSE)
            hold.agent.bring(hold.order, GuestState.OFF)
