"""At start: hosts report, claims are taken up, unfinished jobs end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.lives.server import Phase
from sundog.workflows.actions.settle_errand import settle_server
from sundog.workflows.delete_server import give_back
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor


def settle(conductor: Conductor, begin_delete: Callable[[UUID], None]) -> None:
    """Make the records agree again after a restart.

    Guests of ACTIVE servers are started again with the devices that they hold;
    where that fails the server goes to ERROR and keeps its claim. Actions that were
    cut off go back or end. Servers whose building was cut off go to ERROR and hold
    nothing. Deletes go on.
    """
    for server in conductor.servers.list(ServerQuery()):
        match server.phase:
            case Phase.ERROR | Phase.SHELVED_OFFLOADED | Phase.DELETED:
                pass
            case Phase.SCHEDULING | Phase.SPAWNING:
                _undo_building(conductor, server)
            case Phase.DELETING:
                begin_delete(server.id)
            case _:
                settle_server(conductor, server)


def _undo_building(conductor: Conductor, server: Server) -> None:
    claim = conductor.claims.get(server.id)
    if claim is not None:
        give_back(conductor, claim)
    conductor.ledger.release(server.id)
    conductor.fail(server.id, "The service stopped while the server was built.")
