"""What a server's phase means after a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from sundog.core.errors import HostRefusedError, SundogError, waits_for
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import ServerEvent
from sundog.core.lives.server_life import ERRAND_OF, MOVE_EVENTS
from sundog.workflows.actions.deeds import rebuild, shelve
from sundog.workflows.actions.errand import GUEST_OF, hold_of, run, undo
from sundog.workflows.delete_server import give_back
from sundog.workflows.devices.plug import take_back
from sundog.workflows.moves.settle_move import settle_move

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def settle_server(conductor: Conductor, server: Server) -> None:
    """Bring a server that was built to where its record says.

    A job that was cut off ends as ENDINGS says, or goes back to where it was asked.
    The guest then follows the record. While an outside service is away that is
    raised.
    """
    errand = ERRAND_OF.get(server.phase)
    # Records from before there were intents have only their phase to tell.
    asked = errand.asked.value if errand else ""
    job = server.intent.job if server.intent else asked
    try:
        if job in ENDINGS:
            server = ENDINGS[job](conductor, server)
        elif errand is not None:
            server = undo(conductor, server)
        # An attach that was cut off is undone, and a detach goes on.
        take_back(conductor, server, [one.id for one in server.attached])
        _follow(conductor, server)
    except SundogError as error:
        if waits_for(error):
            raise
        conductor.fail(server.id, f"Settling after a restart failed: {error}")


def _go_on_shelving(conductor: Conductor, server: Server) -> Server:
    """Shelve to the end: what was given back may be another's."""
    run(conductor, server.id, shelve)
    return conductor.servers.get(server.id)


def _undo_unshelving(conductor: Conductor, server: Server) -> Server:
    """Give back what the server was to have; it is shelved as before."""
    _forget_claim(conductor, server)
    return undo(conductor, server)


def _end_rebuilding(conductor: Conductor, server: Server) -> Server:
    """Go back, unless the new image is what there is: the old disk went before."""
    if server.intent is None or server.intent.is_undone:
        return undo(conductor, server)
    run(conductor, server.id, rebuild)
    return conductor.servers.get(server.id)


def _undo_rescuing(conductor: Conductor, server: Server) -> Server:
    """End the guest, for nobody knows which disk it booted from; it starts anew."""
    hold = hold_of(conductor, server)
    hold.agent.bring(hold.order, GuestState.OFF)
    return undo(conductor, server)


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
        if state is not GuestState.OFF:
            conductor.advance(server.id, ServerEvent.LOSE)
            hold.agent.bring(hold.order, GuestState.OFF)


ENDINGS: Final[Mapping[str, Callable[[Conductor, Server], Server]]] = {
    ServerEvent.SHELVE.value: _go_on_shelving,
    ServerEvent.UNSHELVE.value: _undo_unshelving,
    ServerEvent.REBUILD.value: _end_rebuilding,
    ServerEvent.RESCUE.value: _undo_rescuing,
    ServerEvent.UNRESCUE.value: _undo_rescuing,
    **{event.value: settle_move for event in MOVE_EVENTS},
}
"""How a job that was cut off ends, by its name; the others just go back.

Each returns the server in the steady phase that it then stands in.
"""
