"""Boot a server: choose, claim, act; each step brings its undo."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sundog.core.errors import (
    ClaimConflictError,
    ConflictError,
    HostRefusedError,
    NoValidHostError,
    SundogError,
)
from sundog.core.hosts.allocation import allocation_of
from sundog.core.lives.claim import Claim, ClaimEvent
from sundog.core.lives.server import Phase, ServerEvent
from sundog.core.requests.extra_specs import guest_request
from sundog.workflows.ports import BootOrder, Owner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.lives.server import Server
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def boot_server(conductor: Conductor, server_id: UUID) -> None:
    """Bring a server from BUILD to ACTIVE, or to ERROR with the reason."""
    with conductor.locks.of(server_id):
        server = conductor.servers.get(server_id)
        if server.phase is not Phase.SCHEDULING:
            return
        try:
            request = guest_request(
                server.flavor, server.image_properties, conductor.aliases
            )
            _place(conductor, server, request)
        except ConflictError as gone:
            LOG.info("Server %s was deleted while it was built: %s", server_id, gone)
        except SundogError as error:
            conductor.fail(server_id, str(error))
        except Exception:
            LOG.exception("Building server %s failed", server_id)
            conductor.fail(server_id, "Building the server failed; see the log.")


def _place(conductor: Conductor, server: Server, request: GuestRequest) -> None:
    tried: dict[str, str] = {}
    while len(tried) < conductor.max_attempts:
        assignment = conductor.fleet.reserve(
            server.id, request, tried, server.wanted_host
        )
        if assignment is None:
            break
        try:
            _attempt(conductor, server, request, assignment)
        except (ClaimConflictError, HostRefusedError) as refused:
            LOG.warning("Server %s on %s: %s", server.id, assignment.host, refused)
            tried[assignment.host] = str(refused)
            conductor.reports.take(conductor.agents[assignment.host].report())
        else:
            return
    raise NoValidHostError(_why(conductor, request, tried))


def _why(conductor: Conductor, request: GuestRequest, tried: Mapping[str, str]) -> str:
    if not tried:
        return conductor.fleet.why_not(request)
    reasons = "; ".join(f"{host}: {reason}" for host, reason in tried.items())
    return f"No valid host was found. {len(tried)} tried, each refused: {reasons}"


def _attempt(
    conductor: Conductor, server: Server, request: GuestRequest, assignment: Assignment
) -> None:
    """Claim and boot on one host; whatever fails, nothing of it is left."""
    host = assignment.host
    with ExitStack() as undo:
        undo.callback(conductor.fleet.drop, server.id, host)
        claim = Claim(consumer=server.id, assignment=assignment)
        undo.callback(conductor.claims.remove, server.id)
        conductor.claims.put(claim)
        undo.callback(conductor.ledger.release, server.id)
        _claim(conductor, server, assignment)
        conductor.advance(server.id, ServerEvent.PLACE, host=host)
        agent = conductor.agents[host]
        undo.callback(agent.remove, server.id, assignment)
        order = BootOrder(
            server=server, assignment=assignment, guest_cells=request.cells
        )
        snapshot = agent.boot(order)
        conductor.claims.put(claim.after(ClaimEvent.ALLOCATE))
        now = conductor.clock()
        conductor.advance(server.id, ServerEvent.START, launched=now)
        undo.pop_all()
    conductor.reports.take(snapshot)


def _claim(conductor: Conductor, server: Server, assignment: Assignment) -> None:
    state = conductor.fleet.state(assignment.host)
    if state is None:
        raise HostRefusedError(f"Host {assignment.host} is gone.")
    owner = Owner(project_id=server.project_id, user_id=server.user_id)
    allocation = allocation_of(assignment, state.snapshot)
    conductor.ledger.claim(server.id, allocation, owner)
