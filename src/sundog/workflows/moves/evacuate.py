"""Evacuation: a server is made anew elsewhere, because its host is down.

Nothing is asked of the old host. What the server had there stays claimed until that
host is back, for nobody knows what runs on it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from sundog.core.errors import ConflictError, NoValidHostError
from sundog.core.lives.guest import GuestState
from sundog.core.moves.migration import MoveEvent
from sundog.workflows.actions.errand import GUEST_OF
from sundog.workflows.claiming import asking, try_hosts
from sundog.workflows.moves.choose_sides import way_of
from sundog.workflows.moves.left_side import give_up_new
from sundog.workflows.moves.record import allocate, failing, move_of, prepare_move
from sundog.workflows.moves.two_sides import Sides, advance, hold_new, hold_old
from sundog.workflows.projects.groups import one_at_a_time

if TYPE_CHECKING:
    from sundog.workflows.actions.errand import Job
    from sundog.workflows.moves.choose_sides import Way


def evacuate(job: Job) -> None:
    """Boot a server on another host than the one that is down.

    Raises NoValidHostError; the server then is as it was, on a host that is down.
    """
    conductor, server = job.conductor, job.server
    migration = move_of(conductor, server)
    with failing(conductor, migration):
        if conductor.claims.get(server.id) is None:
            raise ConflictError(f"Instance {server.id} holds nothing to evacuate.")
        way = way_of(conductor, server, migration)
        with one_at_a_time(conductor, server):
            tried = try_hosts(
                conductor,
                server.id,
                way.choose,
                lambda sides: _attempt(job, way, sides),
            )
        if tried is not None:
            raise NoValidHostError(way.why_not(tried))


def _attempt(job: Job, way: Way, sides: Sides) -> None:
    conductor, server = job.conductor, job.server
    order, dest = way.order(sides.new), conductor.agent(sides.host)
    with ExitStack() as undo:
        migration = prepare_move(conductor, way.migration, sides)
        undo.callback(hold_old, conductor, server, migration)
        hold_new(conductor, server, migration)
        undo.pop_all()
        undo.callback(give_up_new, conductor, server, migration)
        advance(conductor, migration, MoveEvent.BEGIN)
        with asking(sides.host):
            if GUEST_OF[job.errand.goal] is GuestState.RUNNING:
                dest.boot(order)
            else:
                dest.prepare(order)
        advance(conductor, migration, MoveEvent.ARRIVE)
        allocate(conductor, server)
        job.finish(host=sides.host, fault=None)
        undo.pop_all()
    conductor.look_again(sides.host)
