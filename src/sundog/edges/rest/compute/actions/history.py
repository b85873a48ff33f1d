"""``/servers/{id}/os-instance-actions``: what was asked of a server."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sundog.core.lives.instance_action import ActionEvent, InstanceAction
    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask

_KNOWN = frozenset({"limit", "marker", "changes-since", "changes-before"})


def index(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/os-instance-actions``, newest first."""
    server = _find(ask, server_id)
    actions = ask.books.actions.history.list(server.id)
    if not ask.since(58):
        return Answer(body={"instanceActions": [_brief(ask, a) for a in actions]})
    ask.query.refuse_unknown(_KNOWN if ask.since(66) else _KNOWN - {"changes-before"})
    path = f"/servers/{server.id}/os-instance-actions"
    part, links = page(
        ask, _within(ask, actions), lambda action: action.asked.request_id, path
    )
    body: dict[str, object] = {"instanceActions": [_brief(ask, one) for one in part]}
    return Answer(body=body | ({"links": links} if links else {}))


def show(ask: Ask, server_id: str, request_id: str) -> Answer:
    """``GET /servers/{id}/os-instance-actions/{request_id}``, with its events."""
    server = _find(ask, server_id)
    action = ask.books.actions.history.get(server.id, request_id)
    body = _brief(ask, action)
    if ask.caller.is_admin or ask.since(51):
        body["events"] = [_event(ask, server, event) for event in action.events]
    return Answer(body={"instanceAction": body})


def _find(ask: Ask, server_id: str) -> Server:
    """Return a server, from 2.21 on a deleted one too; raises Fault 404."""
    missing = Fault(404, f"Instance {server_id} could not be found.")
    try:
        key = UUID(server_id)
    except ValueError:
        raise missing from None
    book = ask.books.servers
    server = book.servers.get(key) if ask.since(21) else book.get(key)
    if not ask.caller.sees(server.project_id):
        raise missing
    return server


def _within(ask: Ask, actions: Sequence[InstanceAction]) -> list[InstanceAction]:
    since = ask.query.moment("changes-since")
    before = ask.query.moment("changes-before")
    if since and before and since > before:
        raise Fault(
            400,
            "The value of changes-since must be less than or equal to changes-before.",
        )
    return [
        action
        for action in actions
        if (since is None or action.updated >= since)
        and (before is None or action.updated <= before)
    ]


def _brief(ask: Ask, action: InstanceAction) -> dict[str, object]:
    body: dict[str, object] = {
        "action": action.action,
        "instance_uuid": str(action.server_id),
        "request_id": action.asked.request_id,
        "user_id": action.asked.user_id,
        "project_id": action.asked.project_id,
        "start_time": _time(action.started),
        "message": "Error" if action.has_failed else None,
    }
    if ask.since(58):
        body["updated_at"] = _time(action.updated)
    return body


def _event(ask: Ask, server: Server, event: ActionEvent) -> dict[str, object]:
    result = "Error" if event.error else "Success"
    body: dict[str, object] = {
        "event": event.name,
        "start_time": _time(event.started),
        "finish_time": _time(event.finished) if event.finished else None,
        "result": result if event.finished else None,
    }
    if ask.caller.is_admin:
        body["traceback"] = None
    if ask.since(62):
        name = f"{server.project_id}{event.host}".encode()
        body["hostId"] = hashlib.sha224(name).hexdigest() if event.host else ""
        if ask.caller.is_admin:
            body["host"] = event.host
    if ask.since(84):
        body["details"] = event.error or None
    return body


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")
