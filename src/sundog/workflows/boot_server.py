"""Boot servers: choose, claim, act; each step brings its undo.

Servers that are asked for at once are claimed at once, in one write to Placement.
When that is refused, or a host refuses its part, each server goes on by itself with
the next alternate.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.choosing.choose_host import check
from sundog.core.errors import (
    ClaimConflictError,
    ConflictError,
    HostRefusedError,
    NoValidHostError,
    OutbidError,
    StuckError,
    SundogError,
    UnavailableError,
    waits_for,
)
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.lives.claim import Claim, ClaimEvent
from sundog.core.lives.server import Phase, ServerEvent
from sundog.core.requests.extra_specs import guest_request
from sundog.workflows.delete_server import give_back
from sundog.workflows.ports import BootOrder, Owner
from sundog.workflows.projects.groups import one_at_a_time, reserve
from sundog.workflows.projects.zones import closed_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import Allocation
    from sundog.core.lives.server import Server
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)

# How often a server chooses anew because another chooser was faster. Each time the
# other one got on, so that many in a row mean hosts that are all but full.
MOST_OUTBIDS: Final = 20


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
        request = guest_request(
            server.flavor, server.image_properties, conductor.aliases
        )
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
    chosen: list[_Boot] = []
    for boot in boots:
        server = boot.server
        # Where a group lets a server go depends on where the one before it went.
        found = None if server.group else reserve(conductor, server, boot.request)
        chosen.append(_Boot(server, boot.request, found))
    claims = [
        Claim(consumer=boot.server.id, assignment=boot.claimed)
        for boot in chosen
        if boot.claimed is not None
    ]
    try:
        with ExitStack() as undo:
            undo.callback(_forget, conductor, claims)
            for claim in claims:
                _record(conductor, claim)
            conductor.ledger.claim_many(_allocations(conductor, chosen))
            undo.pop_all()
    except SundogError as refused:
        LOG.info("Claiming %d servers one by one: %s", len(boots), refused)
        return list(boots)
    return chosen


def _forget(conductor: Conductor, claims: Sequence[Claim]) -> None:
    for claim in claims:
        conductor.claims.remove(claim.consumer)
        conductor.fleet.drop(claim.consumer, claim.assignment.host)


def _allocations(
    conductor: Conductor, boots: Sequence[_Boot]
) -> dict[UUID, tuple[Allocation, Owner]]:
    return {
        boot.server.id: _allocation(conductor, boot.server, boot.claimed)
        for boot in boots
        if boot.claimed is not None
    }


def _allocation(
    conductor: Conductor, server: Server, assignment: Assignment
) -> tuple[Allocation, Owner]:
    state = conductor.fleet.state(assignment.host)
    if state is None:
        raise HostRefusedError(f"Host {assignment.host} is gone.")
    owner = Owner(project_id=server.project_id, user_id=server.user_id)
    return allocation_of(assignment, state.snapshot), owner


def place_server(
    conductor: Conductor, server: Server, request: GuestRequest, host: str | None
) -> None:
    """Choose a host for one server anew, or take ``host``, and boot it there.

    Raises NoValidHostError, and leaves nothing then.
    """
    _place(conductor, _Boot(replace(server, wanted_host=host), request))


def _place(conductor: Conductor, boot: _Boot) -> None:
    """Try hosts, the one already claimed first; each that refuses is not asked again.

    Raises NoValidHostError when none is left or the attempts are used up.
    """
    with one_at_a_time(conductor, boot.server):
        _try_hosts(conductor, boot)


def _try_hosts(conductor: Conductor, boot: _Boot) -> None:
    server, tried, outbids = boot.server, dict[str, str](), 0
    claimed = boot.claimed
    while len(tried) < conductor.max_attempts and outbids < MOST_OUTBIDS:
        assignment = claimed or reserve(conductor, server, boot.request, tried)
        if assignment is None:
            break
        try:
            _attempt(conductor, boot, assignment, is_claimed=claimed is not None)
        except OutbidError as outbid:
            LOG.info("Server %s: %s", server.id, outbid)
            outbids += 1
            conductor.look_again(assignment.host)
        except (ClaimConflictError, HostRefusedError) as refused:
            LOG.warning("Server %s on %s: %s", server.id, assignment.host, refused)
            tried[assignment.host] = str(refused)
            conductor.look_again(assignment.host)
        else:
            return
        claimed = None
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
    reasons = "; ".join(f"{host}: {reason}" for host, reason in tried.items())
    return f"No valid host was found. {len(tried)} tried, each refused: {reasons}"


def _attempt(
    conductor: Conductor, boot: _Boot, assignment: Assignment, *, is_claimed: bool
) -> None:
    """Claim and boot on one host; whatever fails, nothing of it is left."""
    server, host = boot.server, assignment.host
    claim = Claim(consumer=server.id, assignment=assignment)
    with ExitStack() as undo:
        undo.callback(conductor.fleet.drop, server.id, host)
        undo.callback(conductor.claims.remove, server.id)
        if not is_claimed:
            _record(conductor, claim)
        undo.pop_all()
        undo.callback(_take_back, conductor, claim)
        if not is_claimed:
            allocation, owner = _allocation(conductor, server, assignment)
            conductor.ledger.claim(server.id, allocation, owner)
        conductor.advance(server.id, ServerEvent.PLACE, host=host)
        order = BootOrder(
            server=server, assignment=assignment, guest_cells=boot.request.cells
        )
        snapshot = _boot_on(conductor, host, order)
        conductor.claims.put(claim.after(ClaimEvent.ALLOCATE))
        now = conductor.clock()
        conductor.advance(server.id, ServerEvent.START, launched=now)
        undo.pop_all()
    conductor.reports.take(snapshot)


def _boot_on(conductor: Conductor, host: str, order: BootOrder) -> HostSnapshot:
    """Boot on a host; one that is away refuses, so that the next one is tried."""
    try:
        return conductor.agents[host].boot(order)
    except UnavailableError as away:
        raise HostRefusedError(f"Host {host} is away: {away}") from away


def _record(conductor: Conductor, claim: Claim) -> None:
    """Write a claim down, and yield to another chooser who was there before.

    Placement counts amounts: two choosers that take the same device of a card with
    room are both let through, and the host would have to refuse one of them. Of two
    at the same moment both step back and choose anew: that costs less than a write
    to Placement in vain.
    """
    host = claim.assignment.host
    conductor.claims.put(claim)
    conductor.fleet.recorded(claim.consumer)
    state = conductor.fleet.state(host)
    first = tuple(
        Holding(consumer=other.consumer, assignment=other.assignment)
        for other in conductor.claims.of_host(host)
        if other.consumer != claim.consumer
    )
    if state is None:
        raise HostRefusedError(f"Host {host} is gone.")
    reason = check(claim.assignment, HostState(snapshot=state.snapshot, holdings=first))
    if reason:
        raise OutbidError(f"Another server was first on host {host}: {reason}")


def _take_back(conductor: Conductor, claim: Claim) -> None:
    """Undo everything that a claim began; what cannot be undone stays claimed."""
    try:
        give_back(conductor, claim)
    except SundogError as stuck:
        raise StuckError(
            f"Booting failed on {claim.assignment.host}, and giving back what it had "
            f"failed too: {stuck}; delete the server to try again"
        ) from stuck
