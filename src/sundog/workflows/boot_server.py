"""Boot servers: choose, claim, act; each step brings its undo.

Servers that are asked for at once are claimed at once, in one write to Placement.
When that is refused, or a host refuses its part, each server goes on by itself with
the next alternate.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.errors import (
    ConflictError,
    NoValidHostError,
    StuckError,
    SundogError,
    waits_for,
)
from sundog.core.lives.claim import Claim, ClaimEvent
from sundog.core.lives.server import Phase, ServerEvent
from sundog.core.requests.server_request import server_request
from sundog.workflows.claiming import (
    asking,
    charge,
    stands_no_more,
    tried_in_vain,
    try_hosts,
    yield_to_others,
)
from sundog.workflows.delete_server import give_back
from sundog.workflows.ports import BootOrder
from sundog.workflows.projects.groups import one_at_a_time, reserve
from sundog.workflows.projects.zones import closed_to

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.provider_tree import Allocation
    from sundog.core.lives.server import Server
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import Owner

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Boot:
    """A server on its way, with the assignment that is claimed for it already."""

    server: Server
    request: GuestRequest
    claimed: Assignment | None = None


def boot_servers(conductor: Conductor, server_ids: Sequence[UUID]) -> None:
    """Bring servers from BUILD to ACTIVE, or to ERROR with the reason."""
    with ExitStack() as locks:
        for server_id in sorted(server_ids):
            locks.enter_context(conductor.locks.of(server_id))
        boots = [
            boot
            for server_id in server_ids
            if (boot := _begin(conductor, server_id)) is not None
        ]
        for boot in _claim_together(conductor, boots) if len(boots) > 1 else boots:
            with _Failing(conductor, boot.server.id):
                _place(conductor, boot)


def _begin(conductor: Conductor, server_id: UUID) -> _Boot | None:
    with _Failing(conductor, server_id):
        server = conductor.servers.get(server_id)
        if server.phase is not Phase.SCHEDULING:
            return None
        request = server_request(server, conductor.aliases)
        return _Boot(server, request)
    return None


@dataclass(frozen=True, slots=True)
class _Failing:
    """Puts a server into ERROR with what was raised within, and goes on."""

    conductor: Conductor
    server_id: UUID

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: object, error: BaseException | None, _trace: object
    ) -> bool:
        if isinstance(error, ConflictError):
            LOG.info("Server %s went while it was built: %s", self.server_id, error)
        elif isinstance(error, StuckError) and waits_for(error):
            self.conductor.postpone(self.server_id, str(error))
        elif isinstance(error, SundogError):
            self.conductor.fail(self.server_id, str(error))
        elif isinstance(error, Exception):
            LOG.error("Building server %s failed", self.server_id, exc_info=error)
            message = "Building the server failed; the service's log says why."
            self.conductor.fail(self.server_id, message)
        return isinstance(error, Exception)


def _claim_together(conductor: Conductor, boots: Sequence[_Boot]) -> list[_Boot]:
    """Choose for each server and write all claims at once; undone if refused."""
    try:
        with ExitStack() as undo:
            chosen = [_choose(conductor, boot, undo) for boot in boots]
            claims = [
                Claim(consumer=boot.server.id, assignment=boot.claimed)
                for boot in chosen
                if boot.claimed is not None
            ]
            undo.callback(_forget, conductor, claims)
            for claim in claims:
                _record(conductor, claim)
            conductor.ledger.claim_many(_allocations(conductor, chosen))
            undo.pop_all()
    except SundogError as refused:
        LOG.info("Claiming %d servers one by one: %s", len(boots), refused)
    except Exception:
        LOG.exception("Claiming %d servers together failed", len(boots))
    else:
        return chosen
    return list(boots)


def _choose(conductor: Conductor, boot: _Boot, undo: ExitStack) -> _Boot:
    """Choose for one of several; where a group lets it go depends on the others."""
    server = boot.server
    found = None if server.group else reserve(conductor, server, boot.request)
    if found is not None:
        undo.callback(conductor.fleet.drop, server.id, found.host)
    return _Boot(server, boot.request, found)


def _forget(conductor: Conductor, claims: Sequence[Claim]) -> None:
    for claim in claims:
        conductor.claims.remove(claim.consumer)
        conductor.fleet.drop(claim.consumer, claim.assignment.host)


def _allocations(
    conductor: Conductor, boots: Sequence[_Boot]
) -> dict[UUID, tuple[Allocation, Owner]]:
    return {
        boot.server.id: charge(conductor, boot.server, boot.claimed)
        for boot in boots
        if boot.claimed is not None
    }


def place_server(
    conductor: Conductor, server: Server, request: GuestRequest, host: str | None
) -> None:
    """Choose a host for one server anew, or take ``host``, and boot it there.

    Raises NoValidHostError, and leaves nothing then.
    """
    _place(conductor, _Boot(replace(server, wanted_host=host), request))


def _place(conductor: Conductor, boot: _Boot) -> None:
    """Try hosts, the one already claimed first, as ``try_hosts`` does.

    Raises NoValidHostError when none is left or the attempts are used up.
    """
    with one_at_a_time(conductor, boot.server):
        _try_hosts(conductor, boot)


def _try_hosts(conductor: Conductor, boot: _Boot) -> None:
    server, claimed = boot.server, boot.claimed

    def choose(closed: Collection[str]) -> Assignment | None:
        return claimed or reserve(conductor, server, boot.request, closed)

    def attempt(assignment: Assignment) -> None:
        nonlocal claimed
        is_claimed, claimed = claimed is not None, None
        _attempt(conductor, boot, assignment, is_claimed=is_claimed)

    def learnt(refused: Assignment) -> bool:
        return stands_no_more(conductor, server.id, refused)

    tried = try_hosts(conductor, server.id, choose, attempt, learnt)
    if tried is not None:
        raise NoValidHostError(_why(conductor, boot, tried))


def _why(conductor: Conductor, boot: _Boot, tried: Mapping[str, str]) -> str:
    closed = closed_to(conductor, boot.server)
    fits = conductor.fleet.fits(boot.request, 1, closed)
    if not tried and boot.server.group and fits:
        return (
            "No valid host was found. The policy of server group "
            f"{boot.server.group} leaves none of those that fit."
        )
    if not tried:
        return conductor.fleet.why_not(boot.request, closed)
    return tried_in_vain(tried)


def _attempt(
    conductor: Conductor, boot: _Boot, assignment: Assignment, *, is_claimed: bool
) -> None:
    """Claim and boot on one host; whatever fails, nothing of it is left."""
    server, host = boot.server, assignment.host
    claim = Claim(consumer=server.id, assignment=assignment)
    with ExitStack() as undo:
        undo.callback(_forget_record, conductor, claim)
        if not is_claimed:
            _record(conductor, claim)
        undo.pop_all()
        undo.callback(_take_back, conductor, claim)
        if not is_claimed:
            allocation, owner = charge(conductor, server, assignment)
            conductor.ledger.claim(server.id, allocation, owner)
        conductor.advance(server.id, ServerEvent.PLACE, host=host)
        order = BootOrder(
            server=server, assignment=assignment, guest_cells=boot.request.cells
        )
        with asking(host):
            snapshot = conductor.agent(host).boot(order)
        conductor.claims.put(claim.after(ClaimEvent.ALLOCATE))
        now = conductor.clock()
        conductor.advance(server.id, ServerEvent.START, launched=now)
        undo.pop_all()
    conductor.reports.take(snapshot)


def _record(conductor: Conductor, claim: Claim) -> None:
    """Write a claim down, and yield to another chooser who was there before."""
    conductor.claims.put(claim)
    yield_to_others(conductor, claim)


def _forget_record(conductor: Conductor, claim: Claim) -> None:
    try:
        conductor.claims.remove(claim.consumer)
    except SundogError as stuck:
        raise StuckError(f"A claim could not be taken back: {stuck}") from stuck
    conductor.fleet.drop(claim.consumer, claim.assignment.host)


def _take_back(conductor: Conductor, claim: Claim) -> None:
    """Undo everything that a claim began; what cannot be undone stays claimed."""
    try:
        give_back(conductor, claim)
    except SundogError as stuck:
        raise StuckError(
            f"Booting failed on {claim.assignment.host}, and giving back what it had "
            f"failed too: {stuck}; delete the server to try again"
        ) from stuck
