"""``rebuild``: the same flavor, another image, name, metadata or description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET

from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.server_fields import (
    admin_password,
    check_personality,
    check_user_data,
    key_name_of,
    metadata,
)
from sundog.edges.rest.compute.servers import noted_changes
from sundog.edges.rest.compute.servers_view import Occasion, full, hosts_seen
from sundog.edges.rest.errors import Fault
from sundog.workflows.actions.book import Rebuild as Wanted

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.compute.actions.bodies import Rebuild
    from sundog.workflows.actions.book import Call

_SINCE: Final = {
    "description": 19,
    "key_name": 54,
    "user_data": 57,
    "trusted_image_certificates": 63,
    "hostname": 90,
}


def rebuild(ask: Ask, call: Call, body: Rebuild) -> Answer:
    """Begin to rebuild; answers the server as it will be."""
    checks.refuse_early(body, _SINCE, ask.version)
    _refuse_unserved(ask, body)
    wanted = Wanted(
        image_id=checks.name("imageRef", body.image_ref), changes=_changes(ask, body)
    )
    server = ask.books.actions.rebuild(call, wanted)
    shown = full(ask, server, Occasion.UPDATE, hosts_seen(ask))
    said = None if body.admin_pass is UNSET else body.admin_pass
    whole = msgspec.to_builtins(shown) | {"adminPass": admin_password(said)}
    if ask.since(54):
        whole["key_name"] = server.key_name
    if ask.since(57):
        whole.pop("OS-EXT-SRV-ATTR:user_data", None)
        whole["user_data"] = server.user_data
    location = {"Location": ask.link(f"/servers/{server.id}")}
    return Answer(body={"server": whole}, status=202, headers=location)


def _refuse_unserved(ask: Ask, body: Rebuild) -> None:
    checks.flag("preserve_ephemeral", body.preserve_ephemeral)
    check_personality(ask, body.personality)
    given = {
        "trusted_image_certificates": body.trusted_image_certificates,
    }
    for field, value in given.items():
        if value is not UNSET and value:
            raise Fault(
                400, f"Sundog does not serve {field} in a rebuild; leave it out."
            )


def _changes(ask: Ask, body: Rebuild) -> dict[str, object]:
    changes: dict[str, object] = dict(noted_changes(body))
    if body.name is not UNSET:
        changes["name"] = checks.name("name", body.name)
    if body.metadata is not UNSET:
        changes["metadata"] = metadata(ask, body.metadata)
    if body.description is not UNSET:
        changes["description"] = checks.description("description", body.description)
    if body.hostname is not UNSET:
        changes["hostname"] = checks.hostname(body.hostname, domain=ask.since(94))
    if body.user_data is not UNSET:
        changes["user_data"] = check_user_data(body.user_data)
    if body.key_name is not UNSET:
        changes["key_name"] = key_name_of(ask, body.key_name)
    return changes
