"""What each errand does; every step brings its undo."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase
from sundog.core.requests.server_request import after_detaching, server_request
from sundog.workflows.actions.errand import (
    GUEST_OF,
    Job,
    bring_back,
    hold_of,
    stuck_if_it_fails,
)
from sundog.workflows.boot_server import place_server
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from sundog.workflows.actions.errand import Hold

# How long a guest that is asked to shut down may take (Nova's shutdown_timeout).
GRACE_SECONDS: Final = 60.0


def change_power(job: Job) -> None:
    """Start, stop, pause, unpause, suspend or resume: bring the guest to the goal."""
    hold = hold_of(job.conductor, job.server)
    with ExitStack() as undo:
        undo.callback(bring_back, job, hold)
        goal = GUEST_OF[job.errand.goal]
        snapshot = hold.agent.bring(hold.order, goal, GRACE_SECONDS)
        _finish(job)
        undo.pop_all()
    job.conductor.reports.take(snapshot)


def reboot(job: Job, grace_seconds: float = 0.0) -> None:
    """End the guest and start it anew from its claim; devices are checked before."""
    hold = hold_of(job.conductor, job.server)
    hold.agent.prepare(hold.order)
    with ExitStack() as undo:
        undo.callback(bring_back, job, hold)
        _restart(hold, grace_seconds)
        _finish(job)
        undo.pop_all()


def rebuild(job: Job) -> None:
    """Define the guest anew as the record now says; one that was off stays off."""
    conductor = job.conductor
    hold = hold_of(conductor, job.server)
    hold.agent.prepare(hold.order)
    with ExitStack() as undo:
        undo.callback(bring_back, job, _as_before(job, hold))
        # Its disk goes with it: the next start copies the image that is recorded then.
        hold.agent.bring(hold.order, GuestState.ABSENT)
        undo.callback(hold.agent.bring, hold.order, GuestState.ABSENT)
        job.reach("start the guest")
        if job.errand.goal is Phase.ACTIVE:
            hold.agent.bring(hold.order, GuestState.RUNNING)
        job.finish(launched=conductor.clock(), fault=None)
        undo.pop_all()


def rescue(job: Job) -> None:
    """Boot from another image, or from the server's own again; the devices stay."""
    hold = hold_of(job.conductor, job.server)
    hold.agent.prepare(hold.order)
    with ExitStack() as undo:
        undo.callback(bring_back, job, _as_before(job, hold))
        # What runs then may have booted from the other disk.
        undo.callback(hold.agent.bring, hold.order, GuestState.OFF)
        _restart(hold, 0.0)
        _finish(job)
        undo.pop_all()


def shelve(job: Job) -> None:
    """Give back everything that the server holds; its record stays."""
    conductor, server = job.conductor, job.server
    if conductor.claims.get(server.id) is None:
        # A restart cut an earlier attempt off behind its last step but one.
        job.finish(host=None)
        return
    hold = hold_of(conductor, server)
    assignment = hold.claim.assignment
    owner = Owner(project_id=server.project_id, user_id=server.user_id)
    with ExitStack() as undo:
        undo.callback(bring_back, job, hold)
        snapshot = hold.agent.remove(server.id, assignment)
        job.reach("release the charge")
        held = conductor.ledger.allocation(server.id)
        if held:
            undo.callback(
                stuck_if_it_fails, conductor.ledger.claim, server.id, held, owner
            )
        conductor.ledger.release(server.id)
        # What was to go is not what the server comes back with.
        leaving = {share.slot for share in assignment.restless}
        conductor.servers.change(server.id, lambda old: after_detaching(old, leaving))
        undo.callback(stuck_if_it_fails, conductor.claims.put, hold.claim)
        conductor.claims.remove(server.id)
        job.finish(host=None)
        undo.pop_all()
    conductor.fleet.drop(server.id, assignment.host)
    conductor.reports.take(snapshot)


def unshelve(job: Job, host: str | None = None) -> None:
    """Choose anew, and boot there; ``host`` forces one."""
    request = server_request(job.server, job.conductor.aliases)
    place_server(job.conductor, job.server, request, host)


soft_reboot = partial(reboot, grace_seconds=GRACE_SECONDS)


def _as_before(job: Job, hold: Hold) -> Hold:
    """Return what a server holds, with the server as it was before the errand."""
    before = job.server.intent.before if job.server.intent else {}
    was = replace(hold.order.server, **before)  # type: ignore[arg-type]  # replace is untyped
    return replace(hold, order=replace(hold.order, server=was))


def _restart(hold: Hold, grace_seconds: float) -> None:
    hold.agent.bring(hold.order, GuestState.OFF, grace_seconds)
    hold.agent.bring(hold.order, GuestState.RUNNING)


def _finish(job: Job) -> None:
    job.finish(fault=None)
