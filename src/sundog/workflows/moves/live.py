"""Live migration: both sides are claimed and ready before the guest crosses."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

from sundog.core.errors import (
    HostRefusedError,
    NoValidHostError,
    StuckError,
    SundogError,
    UnavailableError,
)
from sundog.core.moves.live_rules import cannot_arrive, cannot_leave, same_devices
from sundog.core.moves.migration import Migration, MoveEvent
from sundog.workflows.actions.errand import Hold, hold_of
from sundog.workflows.claiming import asking, try_hosts
from sundog.workflows.moves.choose_sides import Way, way_of
from sundog.workflows.moves.left_side import clean_left, give_up_new
from sundog.workflows.moves.ports import Crossing
from sundog.workflows.moves.record import allocate, failing, move_of, prepare_move
from sundog.workflows.moves.two_sides import Sides, advance, hold_new, hold_old
from sundog.workflows.projects.groups import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sundog.core.lives.server import Server
    from sundog.workflows.actions.errand import Job
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Crossings:
    """The live migrations under way in this process, to abort or to hurry them."""

    _open: dict[UUID, Crossing] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, migration_id: UUID) -> Crossing:
        """Return a migration's crossing, a new one before it began."""
        with self._lock:
            return self._open.setdefault(migration_id, Crossing())

    @contextmanager
    def begun(self, migration_id: UUID) -> Iterator[Crossing]:
        """Give a migration's crossing, and forget it at the end."""
        try:
            yield self.of(migration_id)
        finally:
            with self._lock:
                self._open.pop(migration_id, None)


def check_leaving(conductor: Conductor, server: Server) -> str:
    """Tell why a server cannot be migrated live from its host, whatever the other."""
    hold = hold_of(conductor, server)
    state = conductor.fleet.state(hold.claim.assignment.host)
    if state is None:
        return f"host {hold.claim.assignment.host} has not reported"
    for share in hold.claim.assignment.restless:
        return f"its device {share.slot} is {share.plug.value}"
    request = conductor.request_of(server)
    return cannot_leave(request, hold.claim.assignment, state.snapshot)


def migrate_live(job: Job, crossings: Crossings) -> None:
    """Move a running server to another host; raises NoValidHostError.

    Whatever fails before it has arrived, it runs on where it is, with what it has.
    """
    conductor, server = job.conductor, job.server
    migration = move_of(conductor, server)
    with one_at_a_time(conductor, server), crossings.begun(migration.id) as crossing:
        with failing(conductor, migration):
            hold = hold_of(conductor, server)
            way = way_of(conductor, server, migration)
            narrowed = same_devices(way.request, hold.claim.assignment)
            way = replace(way, request=narrowed)
            tried = try_hosts(
                conductor,
                server.id,
                way.choose,
                lambda sides: _attempt(job, hold, way, sides, crossing),
            )
            if tried is not None:
                raise NoValidHostError(way.why_not(tried))
        # From here on it has not failed, whatever of it cannot be written down now.
        arrive(job, move_of(conductor, server))


def _attempt(job: Job, hold: Hold, way: Way, sides: Sides, crossing: Crossing) -> None:
    conductor, server = job.conductor, job.server
    state = conductor.fleet.state(sides.host)
    if state is None:
        raise HostRefusedError(f"Host {sides.host} is gone.")
    order, dest = way.order(sides.new), conductor.agent(sides.host)
    with ExitStack() as undo:
        migration = prepare_move(conductor, way.migration, sides)
        undo.callback(hold_old, conductor, server, migration)
        problem = cannot_arrive(hold.claim.assignment, sides.new, state.snapshot)
        if problem:
            raise HostRefusedError(problem)
        hold_new(conductor, server, migration)
        undo.pop_all()
        undo.callback(give_up_new, conductor, server, migration)
        with asking(sides.host):
            dest.prepare(order)
        advance(conductor, migration, MoveEvent.BEGIN)
        hold.agent.send(order, state.snapshot, crossing)
        undo.pop_all()


def arrive(job: Job, migration: Migration) -> None:
    """Take note that the guest runs on the new side, and clean the old.

    Done again after a restart it goes on, wherever it was cut off. Raises StuckError
    while that cannot be written down.
    """
    try:
        _arrive(job, migration)
    except UnavailableError as away:
        raise StuckError(
            f"The guest is on {migration.dest}, and that is not recorded yet: {away}"
        ) from away
    job.conductor.look_again(str(migration.dest))


def _arrive(job: Job, migration: Migration) -> None:
    conductor, server = job.conductor, job.server
    if not migration.is_over and not migration.waits_for_host:
        migration = advance(conductor, migration, MoveEvent.ARRIVE)
    allocate(conductor, server)
    try:
        if not migration.is_over:
            clean_left(conductor, migration)
    except SundogError as stuck:
        # It is cleaned with the next report of the host.
        LOG.warning("Server %s left something on its old host: %s", server.id, stuck)
    job.finish(host=migration.dest, fault=None)
