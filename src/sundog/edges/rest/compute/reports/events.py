"""``/os-server-external-events``: what other services tell of a server.

No server has a port or a volume, so nothing waits for an event: each is answered as
Nova answers one that nobody waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from sundog.core.errors import NotFoundError
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

# Each name, and the microversion that it came with.
_NAMES: Final = {
    "network-changed": 1,
    "network-vif-plugged": 1,
    "network-vif-unplugged": 1,
    "network-vif-deleted": 1,
    "volume-extended": 51,
    "power-update": 76,
    "accelerator-request-bound": 82,
    "volume-reimaged": 93,
}
_NEED_TAG: Final = frozenset(
    {"volume-extended", "power-update", "accelerator-request-bound", "volume-reimaged"}
)
_STATUSES: Final = frozenset({"failed", "completed", "in-progress"})
_OK: Final = 200
_SOME_FAILED: Final = 207


class Event(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One event."""

    server_uuid: str
    name: str
    status: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET


class Events(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /os-server-external-events``."""

    events: list[Event]


def create(ask: Ask) -> Answer:
    """``POST /os-server-external-events``."""
    events = ask.read(Events).events
    if not events:
        raise Fault(400, "Invalid input for field/attribute events: [] is too short")
    for event in events:
        _check(ask, event)
    shown = [_answered(ask, event) for event in events]
    failed = any(one["code"] != _OK for one in shown)
    return Answer(body={"events": shown}, status=_SOME_FAILED if failed else _OK)


def _check(ask: Ask, event: Event) -> None:
    if not ask.since(_NAMES.get(event.name, ask.version + 1)):
        known = sorted(name for name, first in _NAMES.items() if ask.since(first))
        raise Fault(
            400,
            f"Invalid input for field/attribute name. Value: {event.name[:80]!r} is "
            f"not one of {known}",
        )
    if event.status is not UNSET and event.status not in _STATUSES:
        raise Fault(
            400,
            f"Invalid input for field/attribute status. Value: {event.status[:80]!r} "
            f"is not one of {sorted(_STATUSES)}",
        )
    try:
        UUID(event.server_uuid)
    except ValueError:
        raise Fault(
            400,
            "Invalid input for field/attribute server_uuid. Value: "
            f"{event.server_uuid[:80]!r} is not a 'uuid'",
        ) from None


def _answered(ask: Ask, event: Event) -> dict[str, Any]:
    try:
        server = ask.books.servers.get(UUID(event.server_uuid))
    except NotFoundError:
        code = 404
    else:
        without_tag = event.name in _NEED_TAG and event.tag is UNSET
        code = 400 if without_tag else _OK if server.host else 422
    told = {**msgspec.to_builtins(event), "code": code}
    return {**told, "status": "completed" if code == _OK else "failed"}
