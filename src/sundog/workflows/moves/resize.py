"""Resize and cold migration: off here, on there, then confirmed or reverted."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.errors import (
    HostRefusedError,
    NoValidHostError,
    StuckError,
    SundogError,
)
from sundog.core.lives.guest import GuestState
from sundog.core.moves.migration import Migration, MoveEvent, MoveState
from sundog.workflows.actions.deeds import GRACE_SECONDS
from sundog.workflows.actions.errand import GUEST_OF, Hold, bring_back, hold_of
from sundog.workflows.claiming import asking, try_hosts
from sundog.workflows.moves.choose_sides import way_of
from sundog.workflows.moves.left_side import give_up_new
from sundog.workflows.moves.record import allocate, failing, move_of, prepare_move
from sundog.workflows.moves.two_sides import (
    Sides,
    advance,
    hold_new,
    hold_new_again,
    hold_old,
    hold_old_beside,
    new_of,
    release_rest,
)
from sundog.workflows.projects.groups import one_at_a_time

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment, DeviceShare
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.workflows.actions.errand import Job
    from sundog.workflows.moves.choose_sides import Way
    from sundog.workflows.ports import BootOrder


@dataclass(frozen=True, slots=True)
class Move:
    """One attempt: from what is held to a host that was chosen."""

    job: Job
    hold: Hold
    migration: Migration
    order: BootOrder

    @property
    def goal(self) -> GuestState:
        """What the guest is brought to."""
        return GUEST_OF[self.job.errand.goal]


def resize(job: Job) -> None:
    """Move a server to its new flavor or host; raises NoValidHostError.

    Whatever fails, it is where it was, with what it had.
    """
    conductor, server = job.conductor, job.server
    migration = move_of(conductor, server)
    with failing(conductor, migration):
        hold = hold_of(conductor, server)
        way = way_of(conductor, server, migration)
        with one_at_a_time(conductor, server):
            tried = try_hosts(
                conductor,
                server.id,
                way.choose,
                lambda sides: _attempt(job, hold, way, sides),
            )
        if tried is not None:
            raise NoValidHostError(way.why_not(tried))


def _attempt(job: Job, hold: Hold, way: Way, sides: Sides) -> None:
    conductor, server = job.conductor, job.server
    migration = prepare_move(conductor, way.migration, sides)
    order = way.order(sides.new)
    move = Move(job, hold, migration, order)
    with ExitStack() as undo:
        undo.callback(bring_back, job, hold)
        undo.callback(hold_old, conductor, server, migration)
        hold_new(conductor, server, migration)
        if not migration.stays:
            undo.pop_all()
            undo.callback(bring_back, job, hold)
            undo.callback(give_up_new, conductor, server, migration)
        snapshot = _stay(move, undo) if migration.stays else _cross(move)
        advance(conductor, migration, MoveEvent.ARRIVE)
        allocate(conductor, server)
        job.finish(host=sides.host, flavor=migration.new_flavor, fault=None)
        undo.pop_all()
    conductor.reports.take(snapshot)


def _cross(move: Move) -> HostSnapshot:
    """Make ready there, before anything ends here; then end it here, start it there."""
    conductor, server = move.job.conductor, move.job.server
    source, dest = move.hold.agent, conductor.agent(move.order.assignment.host)
    with asking(dest.name):
        dest.prepare(move.order)
    allocate(conductor, server)
    advance(conductor, move.migration, MoveEvent.BEGIN)
    source.bring(move.hold.order, GuestState.OFF, GRACE_SECONDS)
    conductor.reports.take(source.remove(server.id, move.migration.old))
    if move.goal is GuestState.RUNNING:
        with asking(dest.name):
            return dest.boot(move.order)
    return dest.report()


def _stay(move: Move, undo: ExitStack) -> HostSnapshot:
    """End the guest, change its devices, and start it anew, on the same host."""
    conductor, server = move.job.conductor, move.job.server
    agent, old, new = move.hold.agent, move.migration.old, move.order.assignment
    advance(conductor, move.migration, MoveEvent.BEGIN)
    agent.bring(move.hold.order, GuestState.OFF, GRACE_SECONDS)
    undo.callback(agent.free, server.id, other_devices(new, old))
    agent.free(server.id, other_devices(old, new))
    agent.prepare(move.order)
    if move.goal is GuestState.RUNNING:
        return agent.bring(move.order, GuestState.RUNNING)
    return agent.report()


def confirm(job: Job) -> None:
    """Give up the old side; the server stays as it is now."""
    conductor = job.conductor
    migration = move_of(conductor, job.server)
    if migration.state is not MoveState.CONFIRMED:
        migration = advance(conductor, migration, MoveEvent.CONFIRM)
        try:
            release_rest(conductor, migration)
        except SundogError:
            advance(conductor, migration, MoveEvent.GO_BACK)
            raise
        advance(conductor, migration, MoveEvent.CONFIRMED)
    job.finish()
    conductor.look_again(migration.source)


def revert(job: Job) -> None:
    """Give up the new side; the server is again where it was, as it was.

    Done again after a restart it goes on, wherever it was cut off.
    """
    conductor, server = job.conductor, job.server
    migration = move_of(conductor, server)
    if migration.state is not MoveState.REVERTED:
        _go_back(job, migration)
    job.finish(host=migration.source, flavor=migration.old_flavor, fault=None)


def _go_back(job: Job, migration: Migration) -> None:
    conductor, server = job.conductor, job.server
    there, back = _both_ways(job, migration)
    migration = advance(conductor, migration, MoveEvent.REVERT)
    move = Move(job, there, migration, back.order)
    with ExitStack() as undo:
        undo.callback(advance, conductor, migration, MoveEvent.GO_BACK)
        undo.callback(bring_back, job, there)
        undo.callback(hold_new_again, conductor, server, migration)
        there.agent.bring(there.order, GuestState.OFF, GRACE_SECONDS)
        if migration.stays:
            _stay_back(move, undo)
        else:
            _cross_back(move, back, undo)
        undo.pop_all()
    try:
        release_rest(conductor, migration)
        advance(conductor, migration, MoveEvent.REVERTED)
    except SundogError as stuck:
        raise StuckError(
            f"The guest is back on {migration.source}, but what it gave up on "
            f"{migration.dest} is still held: {stuck}"
        ) from stuck
    conductor.look_again(migration.source)


def _both_ways(job: Job, migration: Migration) -> tuple[Hold, Hold]:
    """Return what a server holds on the new side and on the old, while it reverts."""
    conductor, server = job.conductor, job.server
    new, old = new_of(migration), migration.old
    claim = conductor.claims.get(server.id)
    if claim is None:
        raise HostRefusedError("The server's claim is lost; delete the server.")
    if not any(_is_within(claim.assignment, side) for side in (new, old)):
        # Evacuated since, or given devices: the way back would leave that behind.
        raise HostRefusedError("The server went on from there; confirm the move.")
    there = way_of(conductor, server, migration).order(new)
    turned = replace(migration, new_flavor=migration.old_flavor)
    back = way_of(conductor, server, turned).order(old)
    return (
        Hold(replace(claim, assignment=new), conductor.agent(new.host), there),
        Hold(replace(claim, assignment=old), conductor.agent(old.host), back),
    )


def _cross_back(move: Move, back: Hold, undo: ExitStack) -> None:
    conductor, server = move.job.conductor, move.job.server
    snapshot = move.hold.agent.remove(server.id, new_of(move.migration))
    conductor.reports.take(snapshot)
    undo.callback(back.agent.remove, server.id, move.migration.old)
    hold_old_beside(conductor, server, move.migration)
    if move.goal is GuestState.RUNNING:
        back.agent.boot(back.order)
    else:
        back.agent.prepare(back.order)


def _stay_back(move: Move, undo: ExitStack) -> None:
    agent, new, old = move.hold.agent, new_of(move.migration), move.migration.old
    undo.callback(agent.free, move.job.server.id, other_devices(old, new))
    agent.free(move.job.server.id, other_devices(new, old))
    hold_old_beside(move.job.conductor, move.job.server, move.migration)
    agent.prepare(move.order)
    if move.goal is GuestState.RUNNING:
        agent.bring(move.order, GuestState.RUNNING)


def _is_within(held: Assignment, side: Assignment) -> bool:
    return held.host == side.host and not other_devices(held, side)


def other_devices(those: Assignment, these: Assignment) -> tuple[DeviceShare, ...]:
    """Return the devices of one side that the other has not under the same slot."""
    there = {(share.slot, share.address, share.type_id) for share in these.devices}
    return tuple(
        share
        for share in those.devices
        if (share.slot, share.address, share.type_id) not in there
    )
