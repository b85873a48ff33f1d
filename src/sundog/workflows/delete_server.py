"""Delete a server: stop its guest, give back what it holds, in that order."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sundog.core.errors import SundogError, UnavailableError
from sundog.core.lives.claim import ClaimEvent, ClaimState
from sundog.core.lives.server import Phase, ServerEvent
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.lives.claim import Claim
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def delete_server(conductor: Conductor, server_id: UUID) -> None:
    """Bring a server that is being deleted to DELETED.

    What fails leaves it in ERROR with its claim still held, so that deleting again
    goes on where this stopped. While an outside service is away it waits.
    """
    with conductor.locks.of(server_id):
        server = conductor.servers.get(server_id)
        if server.phase is not Phase.DELETING:
            return
        try:
            _end_moves(conductor, server_id)
            claim = conductor.claims.get(server_id)
            if claim is not None:
                give_back(conductor, claim)
            conductor.ledger.release(server_id)
            conductor.claims.remove(server_id)
            now = conductor.clock()
            conductor.advance(server_id, ServerEvent.FINISH_DELETE, terminated=now)
        except UnavailableError as away:
            conductor.postpone(server_id, f"Deleting waits: {away}")
        except SundogError as error:
            conductor.fail(server_id, f"Deleting stopped: {error}")
        except Exception:
            LOG.exception("Deleting server %s failed", server_id)
            conductor.fail(server_id, "Deleting the server failed; see the log.")


def _end_moves(conductor: Conductor, server_id: UUID) -> None:
    """Give back the old side of a move that was not confirmed.

    What an evacuation left on a host that is away stays claimed until it is back.
    """
    now = conductor.clock()
    query = MigrationQuery(server_id=server_id, is_over=False)
    for migration in conductor.migrations.list(query):
        if migration.waits_for_host:
            continue
        claim = conductor.claims.get(migration.id)
        if claim is not None:
            give_back(conductor, claim)
        conductor.migrations.change(migration.id, lambda one: one.abandoned(now))


def give_back(conductor: Conductor, claim: Claim) -> None:
    """Take a claim through freeing; its record goes when Placement has let go."""
    host = claim.assignment.host
    agent = conductor.agent(host)
    if claim.state is not ClaimState.FREEING:
        event = (
            ClaimEvent.ABANDON if claim.state is ClaimState.CLAIMED else ClaimEvent.FREE
        )
        conductor.claims.put(claim.after(event))
    snapshot = agent.remove(claim.maker, claim.assignment)
    conductor.ledger.release(claim.consumer)
    conductor.claims.remove(claim.consumer)
    conductor.fleet.drop(claim.consumer, host)
    conductor.reports.take(snapshot)
