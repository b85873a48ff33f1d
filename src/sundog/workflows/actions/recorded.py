"""Booting and deleting, with the record of how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.lives.phases import Phase
from sundog.workflows.boot_server import boot_servers
from sundog.workflows.delete_server import delete_server
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sundog.workflows.actions.history import History
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import ServerStore


def boot_recorded(
    conductor: Conductor, history: History, server_ids: Sequence[UUID]
) -> None:
    """Boot servers; each one's history then says how it went."""
    boot_servers(conductor, server_ids)
    for server_id in server_ids:
        _finish(conductor, history, server_id, "create")


def delete_recorded(conductor: Conductor, history: History, server_id: UUID) -> None:
    """Delete a server; its history then says how it went."""
    delete_server(conductor, server_id)
    _finish(conductor, history, server_id, "delete")


def end_cut_off(servers: ServerStore, history: History) -> None:
    """Before settling: what a stop of the service cut off has failed.

    Deletes go on.
    """
    for server in servers.list(ServerQuery()):
        if server.task is not None and server.phase is not Phase.DELETING:
            history.cut_off(server.id)


def _finish(conductor: Conductor, history: History, server_id: UUID, word: str) -> None:
    server = conductor.servers.get(server_id)
    has_failed = server.phase is Phase.ERROR and server.fault is not None
    error = server.fault.message if has_failed and server.fault else ""
    history.finish(server_id, word, error, server.host)
