"""Booting and deleting, with the record of how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.lives.phases import Phase
from sundog.core.lives.server_life import ERRANDS
from sundog.workflows.actions.book import history_word
from sundog.workflows.boot_server import boot_servers
from sundog.workflows.delete_server import delete_server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sundog.core.lives.instance_action import InstanceAction
    from sundog.core.lives.server import Server
    from sundog.workflows.actions.history import History
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import ServerStore

_CUT_OFF: Final = "The service stopped meanwhile."


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
    """Before and after settling: end what a stop of the service left under way.

    What settling will undo has failed. What had ended, or went on to its end, is
    told by where its server stands.
    """
    for action in history.under_way():
        server = servers.get(action.server_id)
        if not server.is_busy:
            history.finish(server.id, action.action, _outcome(action, server))
        elif server.intent is None or server.intent.is_undone:
            history.finish(server.id, action.action, _CUT_OFF)


def end_settled(servers: ServerStore, history: History, server_id: UUID) -> None:
    """End what a server waited with, once it was settled; not what it still does."""
    server = servers.get(server_id)
    if server.task is not None:
        return
    for action in history.list(server_id):
        if action.is_under_way:
            history.finish(server_id, action.action, _outcome(action, server))


def _outcome(action: InstanceAction, server: Server) -> str:
    """Return why an action has failed whose end was not recorded; empty: it did not."""
    if server.phase is Phase.ERROR:
        return server.fault.message if server.fault else _CUT_OFF
    goals = {one.goal for one in ERRANDS if history_word(one.asked) == action.action}
    return _CUT_OFF if goals and server.phase not in goals else ""


def _finish(conductor: Conductor, history: History, server_id: UUID, word: str) -> None:
    server = conductor.servers.get(server_id)
    has_failed = server.phase is Phase.ERROR and server.fault is not None
    error = server.fault.message if has_failed and server.fault else ""
    history.finish(server_id, word, error, server.host)
