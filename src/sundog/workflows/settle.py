"""At start: hosts report, claims are taken up, unfinished jobs end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sundog.core.errors import SundogError
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.server import Phase
from sundog.core.requests.extra_specs import guest_request
from sundog.workflows.delete_server import give_back
from sundog.workflows.ports import BootOrder, ServerQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def settle(conductor: Conductor, begin_delete: Callable[[UUID], None]) -> None:
    """Make the records agree again after a restart.

    Guests of ACTIVE servers are started again with the devices that they hold;
    where that fails the server goes to ERROR and keeps its claim. Servers whose
    building was cut off go to ERROR and hold nothing. Deletes go on.
    """
    for server in conductor.servers.list(ServerQuery()):
        match server.phase:
            case Phase.ACTIVE:
                _start_again(conductor, server)
            case Phase.SCHEDULING | Phase.SPAWNING:
                _undo_building(conductor, server)
            case Phase.DELETING:
                begin_delete(server.id)
            case _:
                pass


def _start_again(conductor: Conductor, server: Server) -> None:
    claim = conductor.claims.get(server.id)
    if claim is None or claim.state is not ClaimState.ALLOCATED:
        conductor.fail(server.id, "The server's claim is lost; delete the server.")
        return
    try:
        agent = conductor.agents[claim.assignment.host]
        request = guest_request(
            server.flavor, server.image_properties, conductor.aliases
        )
        order = BootOrder(
            server=server, assignment=claim.assignment, guest_cells=request.cells
        )
        conductor.reports.take(agent.boot(order))
    except KeyError:
        host = claim.assignment.host
        conductor.fail(server.id, f"Its host {host} is not configured any more.")
    except SundogError as error:
        conductor.fail(server.id, f"Starting again after a restart failed: {error}")


def _undo_building(conductor: Conductor, server: Server) -> None:
    claim = conductor.claims.get(server.id)
    if claim is not None:
        give_back(conductor, claim)
    conductor.ledger.release(server.id)
    conductor.fail(server.id, "The service stopped while the server was built.")
