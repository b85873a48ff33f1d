"""Plug devices into servers that are there, and take them out again.

The claim's assignment says of each device whether the guest has it. What fails or is
cut off on its way in is taken out again; what is on its way out is held until libvirt
says that the guest has let go of it, however long that takes: ``tidy`` looks again.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sundog.core.choosing.fit_plug import PlugRequest
from sundog.core.errors import (
    ClaimConflictError,
    HostRefusedError,
    NotAskedError,
    NotFoundError,
    NoValidHostError,
    OutbidError,
    SundogError,
)
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.plug import PlugEvent, PlugState
from sundog.core.requests.server_request import (
    after_detaching,
    attached_requests,
    server_request,
)
from sundog.workflows.actions.errand import hold_of
from sundog.workflows.claiming import MOST_OUTBIDS, charge, yield_to_others

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from uuid import UUID

    from sundog.core.lives.claim import Claim
    from sundog.core.lives.server import Server
    from sundog.workflows.actions.errand import Job
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def attach(job: Job, ids: Collection[str]) -> None:
    """Choose, claim and plug in what was asked for under these ids, all or nothing."""
    conductor, server = job.conductor, job.server
    with ExitStack() as undo:
        undo.callback(take_back, conductor, server, ids)
        hold = hold_of(conductor, server)
        grown = _claim(conductor, server, hold.claim, ids)
        job.reach("attach devices")
        snapshot = hold.agent.attach(replace(hold.order, assignment=grown.assignment))
        slots = _slots(grown, PlugState.ATTACHING)
        steady = grown.assignment.plugging(slots, PlugEvent.FINISH)
        _keep(conductor, replace(grown, assignment=steady))
        job.finish()
        undo.pop_all()
    conductor.reports.take(snapshot)


def detach(job: Job, slot: str) -> None:
    """Take a device out of the guest and give it back, once the guest lets go of it."""
    conductor, server = job.conductor, job.server
    hold = hold_of(conductor, server)
    if slot not in {share.slot for share in hold.claim.assignment.devices}:
        raise HostRefusedError(f"The server has no device {slot} any more.")
    leaving = hold.claim.assignment.plugging({slot}, PlugEvent.DETACH)
    claim = replace(hold.claim, assignment=leaving)
    _keep(conductor, claim)
    order = replace(hold.order, assignment=leaving)
    try:
        left, snapshot = hold.agent.detach(order, conductor.detach_seconds)
    except NotAskedError:
        _keep(conductor, hold.claim)
        raise
    job.reach("release the charge")
    _give_up(conductor, server, claim, left)
    conductor.reports.take(snapshot)
    if slot in left:
        raise HostRefusedError(
            f"{slot} is held until it can be given back: {left[slot]}; it goes by "
            "itself then, or when the server is stopped"
        )
    job.finish()


def tidy(conductor: Conductor, server_id: UUID) -> None:
    """Take out what is on its way, if nothing is under way with the server."""
    claim = conductor.claims.get(server_id)
    if claim is None or not claim.assignment.restless:
        return
    with conductor.locks.of(server_id):
        try:
            server = conductor.servers.get(server_id)
        except NotFoundError:
            return
        if server.task is None and server.intent is None:
            take_back(conductor, server)


def tidy_all(
    conductor: Conductor, begin: Callable[[Callable[[], object]], None]
) -> None:
    """Begin to tidy every server that a device is on its way into or out of."""
    for state in conductor.fleet.states():
        for held in state.holdings:
            if held.assignment.restless:
                begin(partial(tidy, conductor, held.consumer))


def take_back(
    conductor: Conductor, server: Server, asked: Collection[str] = ()
) -> None:
    """Take out what is on its way in or out; what cannot be yet stays held.

    Called with the server's lock held. What was ``asked`` for, by ids, and is not held
    is asked for no more.
    """
    try:
        claim = conductor.claims.get(server.id)
        if claim is None or claim.state is not ClaimState.ALLOCATED:
            return
        _forget_unheld(conductor, claim, asked)
        slots = {share.slot for share in claim.assignment.restless}
        if slots:
            leaving = claim.assignment.plugging(slots, PlugEvent.DETACH)
            claim = replace(claim, assignment=leaving)
            _keep(conductor, claim)
            hold = hold_of(conductor, server)
            left, snapshot = hold.agent.detach(hold.order, 0.0)
            _give_up(conductor, server, claim, left)
            conductor.reports.take(snapshot)
    except SundogError as stuck:
        LOG.warning("Server %s keeps a device for now: %s", server.id, stuck)


def settle_detaching(conductor: Conductor, server: Server) -> Server:
    """Ask no more for what is DETACHING, before a server is made anew elsewhere."""
    claim = conductor.claims.get(server.id)
    leaving = _slots(claim, PlugState.DETACHING) if claim else frozenset()
    if not leaving:
        return server
    return conductor.servers.change(
        server.id, lambda old: after_detaching(old, leaving)
    )


def _claim(
    conductor: Conductor, server: Server, claim: Claim, ids: Collection[str]
) -> Claim:
    """Choose devices and write them down: the claim, then Placement.

    Raises NoValidHostError when there are none.
    """
    wanted = [one for one in server.attached if one.id in ids]
    request = PlugRequest(
        devices=attached_requests(server, wanted, conductor.aliases),
        held=claim.assignment,
        isolate=server_request(server, conductor.aliases).isolate_groups,
    )
    conflicts = outbids = 0
    while conflicts < conductor.max_attempts and outbids < MOST_OUTBIDS:
        grown = conductor.fleet.reserve_more(server.id, request)
        if grown is None:
            break
        try:
            new = replace(claim, assignment=grown)
            _keep(conductor, new)
            yield_to_others(conductor, new, claim.assignment)
            allocation, owner = charge(conductor, server, grown)
            conductor.ledger.rewrite(server.id, allocation, owner)
        except ClaimConflictError as refused:
            LOG.info("Server %s: %s", server.id, refused)
            is_outbid = isinstance(refused, OutbidError)
            outbids, conflicts = outbids + is_outbid, conflicts + (not is_outbid)
            _keep(conductor, claim)
            conductor.refresh(grown.host)
        else:
            return new
    raise NoValidHostError(
        f"Nothing is attached: {conductor.fleet.why_no_more(request)}."
    )


def _give_up(
    conductor: Conductor, server: Server, claim: Claim, left: Collection[str]
) -> None:
    """Let go of all that is DETACHING but what is left."""
    gone = _slots(claim, PlugState.DETACHING).difference(left)
    if not gone:
        return
    rest = replace(claim, assignment=claim.assignment.plugging(gone, PlugEvent.LET_GO))
    allocation, owner = charge(conductor, server, rest.assignment)
    conductor.ledger.rewrite(server.id, allocation, owner)
    conductor.servers.change(server.id, lambda old: after_detaching(old, gone))
    _keep(conductor, rest)


def _forget_unheld(conductor: Conductor, claim: Claim, asked: Collection[str]) -> None:
    held = {share.slot.rpartition("/")[0] for share in claim.assignment.devices}
    vain = set(asked) - held

    def without(server: Server) -> Server:
        kept = tuple(one for one in server.attached if one.id not in vain)
        return replace(server, attached=kept)

    if vain:
        conductor.servers.change(claim.consumer, without)


def _slots(claim: Claim, state: PlugState) -> frozenset[str]:
    devices = claim.assignment.devices
    return frozenset(share.slot for share in devices if share.plug is state)


def _keep(conductor: Conductor, claim: Claim) -> None:
    conductor.claims.put(claim)
    conductor.fleet.hold(claim.holding)
