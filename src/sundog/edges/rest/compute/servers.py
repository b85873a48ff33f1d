"""Servers: list, show, change, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from msgspec import UNSET

from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.server_bodies import ServerChange, ServerChangeBody
from sundog.edges.rest.compute.server_fields import is_auto
from sundog.edges.rest.compute.servers_filters import chosen
from sundog.edges.rest.compute.servers_view import (
    Occasion,
    brief,
    full,
    hosts_seen,
    zone_shown,
)
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page

if TYPE_CHECKING:
    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.compute.actions.bodies import Rebuild


_SINCE: Final = {"description": 19, "hostname": 90, "pinned_availability_zone": 104}


def index(ask: Ask) -> Answer:
    """``GET /servers``."""
    part, links = page(ask, chosen(ask), _id_of, "/servers")
    more = {"servers_links": links} if links else {}
    return Answer(body={"servers": [brief(ask, one) for one in part], **more})


def detail(ask: Ask) -> Answer:
    """``GET /servers/detail``."""
    part, links = page(ask, chosen(ask), _id_of, "/servers/detail")
    hosts = hosts_seen(ask)
    more = {"servers_links": links} if links else {}
    shown = [full(ask, one, Occasion.DETAIL, hosts) for one in part]
    return Answer(body={"servers": shown, **more})


def show(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}``."""
    return _shown(ask, find(ask, server_id), Occasion.SHOW)


def update(ask: Ask, server_id: str) -> Answer:
    """``PUT /servers/{id}``: name, description, hostname, the zone it stays in."""
    change = ask.read(ServerChangeBody).server
    checks.refuse_early(change, _SINCE, ask.version)
    server = find(ask, server_id)
    _check(ask, change)
    noted = noted_changes(change)
    zone = zone_shown(server, hosts_seen(ask))
    changed = ask.books.servers.change(
        server.id, lambda old: _pinned(_edited(old, change, noted), change, zone)
    )
    return _shown(ask, changed, Occasion.UPDATE)


def delete(ask: Ask, server_id: str) -> Answer:
    """``DELETE /servers/{id}``."""
    server = find(ask, server_id)
    ask.books.servers.delete(server.id, ask.asked, over_lock=ask.is_over_locks)
    return Answer(status=204)


def find(ask: Ask, server_id: str) -> Server:
    """Return a server by the id in a path; raises Fault or NotFoundError (404)."""
    try:
        key = UUID(server_id)
    except ValueError:
        raise Fault(404, f"Instance {server_id} could not be found.") from None
    server = ask.books.servers.get(key)
    if not ask.caller.sees(server.project_id):
        raise Fault(404, f"Instance {server_id} could not be found.")
    return server


def _id_of(server: Server) -> str:
    return str(server.id)


def _shown(ask: Ask, server: Server, occasion: Occasion) -> Answer:
    return Answer(body={"server": full(ask, server, occasion, hosts_seen(ask))})


def _check(ask: Ask, change: ServerChange) -> None:
    if change.name is not UNSET:
        checks.name("name", change.name)
    if change.description is not UNSET:
        checks.description("description", change.description)
    if change.hostname is not UNSET:
        checks.hostname(change.hostname, domain=ask.since(94))


def noted_changes(change: ServerChange | Rebuild) -> dict[str, Any]:
    """Return what else a body changes of a server's record; raises Fault 400."""
    changes: dict[str, Any] = {}
    if change.disk_config is not UNSET:
        changes["auto_disk"] = is_auto(change.disk_config)
    if change.access_ip_v4 is not UNSET:
        address = checks.address("accessIPv4", change.access_ip_v4, 4)
        changes["access_ip_v4"] = address
    if change.access_ip_v6 is not UNSET:
        address = checks.address("accessIPv6", change.access_ip_v6, 6)
        changes["access_ip_v6"] = address
    return changes


def _edited(old: Server, change: ServerChange, noted: dict[str, Any]) -> Server:
    text = change.description
    return replace(
        old,
        name=old.name if change.name is UNSET else change.name,
        description=old.description if text is UNSET else text,
        hostname=old.hostname if change.hostname is UNSET else change.hostname,
        **noted,
    )


def _pinned(server: Server, change: ServerChange, zone: str) -> Server:
    """Keep a server in the zone that it is in, or let it go to any."""
    wanted = change.pinned_availability_zone
    if wanted is UNSET or wanted == (server.availability_zone or None):
        return server
    if wanted is not None and server.availability_zone:
        raise Fault(
            409,
            "Cannot change pinned availability zone directly. Unpin first by setting "
            "pinned_availability_zone to null.",
        )
    if wanted is not None and wanted != zone:
        raise Fault(
            409,
            "Server can only be pinned to its current availability zone "
            f"{zone!r}, but {wanted[:80]!r} was requested.",
        )
    return replace(server, availability_zone=wanted or "")
