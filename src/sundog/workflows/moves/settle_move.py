"""What a move means that a stop of the service cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import ServerEvent
from sundog.core.lives.server_life import ERRAND_OF
from sundog.workflows.actions.errand import Job, run, undo
from sundog.workflows.moves.choose_sides import way_of
from sundog.workflows.moves.evacuate import evacuate
from sundog.workflows.moves.left_side import give_up_new
from sundog.workflows.moves.live import arrive
from sundog.workflows.moves.record import fail_move, move_of
from sundog.workflows.moves.resize import confirm, other_devices, revert
from sundog.workflows.moves.two_sides import hold_old

if TYPE_CHECKING:
    from sundog.core.lives.server import Server
    from sundog.core.lives.server_life import Errand
    from sundog.core.moves.migration import Migration
    from sundog.workflows.conductor import Conductor


def settle_move(conductor: Conductor, server: Server) -> Server:
    """End or undo a move that was cut off; returns the server where it then stands.

    Confirming, reverting and evacuating go on. A guest that had crossed stays where
    it arrived; any other move is undone.
    """
    errand = ERRAND_OF[server.phase]
    _settle(conductor, server, errand)
    return conductor.servers.get(server.id)


def _settle(conductor: Conductor, server: Server, errand: Errand) -> None:
    if errand.asked in (ServerEvent.CONFIRM, ServerEvent.REVERT):
        goes_on = confirm if errand.asked is ServerEvent.CONFIRM else revert
        run(conductor, server.id, goes_on)
        return
    migration = move_of(conductor, server)
    if errand.asked is ServerEvent.MIGRATE_LIVE and _has_arrived(conductor, migration):
        arrive(Job(conductor, server, errand), migration)
        return
    _undo(conductor, server, migration)
    if errand.asked in (ServerEvent.EVACUATE, ServerEvent.EVACUATE_OFF):
        run(conductor, server.id, evacuate)
        return
    fail_move(conductor, migration)
    undo(conductor, server)


def _has_arrived(conductor: Conductor, migration: Migration) -> bool:
    """Whether a guest runs where it was to go, and not where it came from."""
    if migration.dest is None:
        return False
    there, here = conductor.agent(migration.dest), conductor.agent(migration.source)
    return (
        migration.server_id in there.running()
        and migration.server_id not in here.running()
    )


def _undo(conductor: Conductor, server: Server, migration: Migration) -> None:
    new = migration.new
    if new is None:
        return
    agent = conductor.agent(new.host)
    if migration.stays:
        order = way_of(conductor, server, migration).order(new)
        agent.bring(order, GuestState.OFF)
        agent.free(server.id, other_devices(new, migration.old))
        hold_old(conductor, server, migration)
    else:
        give_up_new(conductor, server, migration)
