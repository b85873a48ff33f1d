"""At start: hosts report, claims are taken up, unfinished jobs end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from sundog.core.errors import SundogError, UnavailableError, waits_for
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.server import Phase
from sundog.workflows.actions.settle_errand import settle_server
from sundog.workflows.delete_server import give_back
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)
_STOPPED: Final = "The service stopped while the server was built."


def settle(conductor: Conductor, begin_delete: Callable[[UUID], None]) -> None:
    """Make the records agree again after a restart; see ``settle_one``."""
    for server in conductor.servers.list(ServerQuery()):
        settle_one(conductor, server.id, begin_delete, _STOPPED)


def settle_one(
    conductor: Conductor,
    server_id: UUID,
    begin_delete: Callable[[UUID], None],
    why: str,
) -> None:
    """Bring a server whose job was cut off to where its record says.

    The guest of an ACTIVE server is started again with the devices that it holds;
    where that fails the server goes to ERROR and keeps its claim. Actions that were
    cut off go back or end. A server whose building was cut off goes to ERROR, because
    of ``why``, and holds nothing. Deletes go on, and so does giving back what a
    failed job had begun to. While an outside service is away the server waits. What
    else goes wrong, foreseen or not, is that server's trouble only: it goes to ERROR.
    """
    try:
        server = conductor.servers.get(server_id)
        _settle(conductor, server, begin_delete, why)
    except SundogError as error:
        if waits_for(error):
            conductor.postpone(server_id, why)
        else:
            conductor.fail(server_id, f"Settling failed: {error}")
    except Exception:
        LOG.exception("Settling server %s failed", server_id)
        conductor.fail(server_id, "Settling failed; the service's log says why.")


def _settle(
    conductor: Conductor,
    server: Server,
    begin_delete: Callable[[UUID], None],
    why: str,
) -> None:
    match server.phase:
        case Phase.DELETED:
            pass
        case Phase.SHELVED_OFFLOADED | Phase.ERROR:
            _end_giving_back(conductor, server)
        case Phase.SCHEDULING | Phase.SPAWNING:
            _undo_building(conductor, server, why)
        case Phase.DELETING:
            begin_delete(server.id)
        case _:
            settle_server(conductor, server)
            after = conductor.servers.get(server.id)
            if after.phase is Phase.ERROR:
                _end_giving_back(conductor, after)


def _undo_building(conductor: Conductor, server: Server, why: str) -> None:
    try:
        _give_back(conductor, server)
    except UnavailableError:
        raise
    except SundogError as stuck:
        why += f" Giving back what it had failed: {stuck}; delete it to try again."
    conductor.fail(server.id, why)


def _end_giving_back(conductor: Conductor, server: Server) -> None:
    """End what a failed building or delete left half given back.

    What a finished claim of a server in ERROR holds stays held; a shelved server
    needs nothing.
    """
    claim = conductor.claims.get(server.id)
    stays = server.phase is Phase.ERROR
    if claim is None or (stays and claim.state is ClaimState.ALLOCATED):
        return
    try:
        _give_back(conductor, server)
    except UnavailableError:
        raise
    except SundogError as stuck:
        LOG.warning("Server %s still holds its claim: %s", server.id, stuck)


def _give_back(conductor: Conductor, server: Server) -> None:
    claim = conductor.claims.get(server.id)
    if claim is not None:
        give_back(conductor, claim)
    conductor.ledger.release(server.id)
