"""``/os-migrations`` and ``/servers/{id}/migrations``."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from sundog.core.moves.migration import MoveKind, MoveState
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sundog.core.moves.migration import Migration
    from sundog.core.requests.flavor import Flavor
    from sundog.edges.rest.ask import Ask

_FILTERS: Final = {
    "hidden": 1,
    "host": 1,
    "instance_uuid": 1,
    "migration_type": 1,
    "source_compute": 1,
    "status": 1,
    "limit": 59,
    "marker": 59,
    "changes-since": 59,
    "changes-before": 66,
    "user_id": 80,
    "project_id": 80,
}
_LIVE_LINKS: Final = (MoveState.ASKED, MoveState.PREPARING, MoveState.UNDER_WAY)


class Action(msgspec.Struct, forbid_unknown_fields=True):
    """What may be asked of a live migration: that it be over soon."""

    force_complete: None


def index(ask: Ask) -> Answer:
    """``GET /os-migrations``, newest first."""
    if ask.since(59):
        known = {name for name, minor in _FILTERS.items() if ask.since(minor)}
        ask.query.refuse_unknown(known)
    found = _wanted(ask, ask.books.moves.list(_query(ask)))
    if not ask.since(59):
        return Answer(body={"migrations": [_body(ask, one) for one in found]})
    part, links = page(ask, found, lambda one: str(one.id), "/os-migrations")
    body: dict[str, object] = {"migrations": [_body(ask, one) for one in part]}
    return Answer(body=body | ({"migrations_links": links} if links else {}))


def of_server(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/migrations``: live ones that are not over."""
    server = find(ask, server_id)
    found = ask.books.moves.under_way(server.id)
    return Answer(body={"migrations": [_live_body(ask, one) for one in found]})


def show(ask: Ask, server_id: str, number: str) -> Answer:
    """``GET /servers/{id}/migrations/{number}``."""
    server = find(ask, server_id)
    found = ask.books.moves.one_under_way(server.id, _number(number))
    return Answer(body={"migration": _live_body(ask, found)})


def act(ask: Ask, server_id: str, number: str) -> Answer:
    """``POST /servers/{id}/migrations/{number}/action``: force_complete."""
    ask.read(Action)
    server = find(ask, server_id)
    ask.books.moves.hurry(server.id, _number(number))
    return Answer(status=202)


def abort(ask: Ask, server_id: str, number: str) -> Answer:
    """``DELETE /servers/{id}/migrations/{number}``; before it begins from 2.65 on."""
    server = find(ask, server_id)
    ask.books.moves.abort(server.id, _number(number), early=ask.since(65))
    return Answer(status=202)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004 - fits 64 bits
        raise Fault(404, f"Migration {text[:80]!r} could not be found.")
    return int(text)


def _query(ask: Ask) -> MigrationQuery:
    wanted = ask.query.text("instance_uuid")
    if wanted is None:
        return MigrationQuery()
    try:
        return MigrationQuery(server_id=UUID(wanted))
    except ValueError:
        # No server has such an id; Nova finds none, too.
        return MigrationQuery(server_id=UUID(int=0))


def _wanted(ask: Ask, found: Sequence[Migration]) -> list[Migration]:
    """Keep those that the filters name."""
    text = ask.query.text
    host, source, status = text("host"), text("source_compute"), text("status")
    kind, user, project = (
        text("migration_type"),
        text("user_id") if ask.since(80) else None,
        text("project_id") if ask.since(80) else None,
    )
    since = ask.query.moment("changes-since") if ask.since(59) else None
    before = ask.query.moment("changes-before") if ask.since(66) else None
    if since and before and since > before:
        raise Fault(
            400,
            "The value of changes-since must be less than or equal to changes-before.",
        )
    return [
        one
        for one in found
        if host in (None, one.source, one.dest)
        and source in (None, one.source)
        and status in (None, one.status)
        and kind in (None, one.kind.value)
        and user in (None, one.user_id)
        and project in (None, one.project_id)
        and (since is None or one.updated >= since)
        and (before is None or one.updated <= before)
    ]


def _body(ask: Ask, one: Migration) -> dict[str, object]:
    body = _common(ask, one) | {
        "instance_uuid": str(one.server_id),
        "old_instance_type_id": _flavor_number(one.old_flavor),
        "new_instance_type_id": _flavor_number(one.new_flavor),
    }
    if ask.since(23):
        body["migration_type"] = one.kind.value
        if one.kind is MoveKind.LIVE and one.state in _LIVE_LINKS:
            path = f"/servers/{one.server_id}/migrations/{one.number}"
            body["links"] = ask.links(path)
    return body


def _live_body(ask: Ask, one: Migration) -> dict[str, object]:
    counts = {
        f"{what}_{how}_bytes": None
        for what in ("disk", "memory")
        for how in ("processed", "remaining", "total")
    }
    return _common(ask, one) | {"server_uuid": str(one.server_id)} | counts


def _common(ask: Ask, one: Migration) -> dict[str, object]:
    body: dict[str, object] = {
        "id": one.number,
        "status": one.status,
        "source_compute": one.source,
        "source_node": one.source,
        "dest_compute": one.dest,
        "dest_node": one.dest,
        "dest_host": one.dest,
        "created_at": _time(one.created),
        "updated_at": _time(one.updated),
    }
    if ask.since(59):
        body["uuid"] = str(one.id)
    if ask.since(80):
        body |= {"user_id": one.user_id, "project_id": one.project_id}
    return body


def _flavor_number(flavor: Flavor) -> int:
    """Return a number as Nova's database has it; ours knows flavors by their ids."""
    if flavor.id.isascii() and flavor.id.isdecimal() and len(flavor.id) < 10:  # noqa: PLR2004 - fits 32 bits
        return int(flavor.id)
    return zlib.crc32(flavor.id.encode()) & 0x7FFFFFFF


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")
