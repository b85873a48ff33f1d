"""Compute services: list, disable, enable, force down."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from sundog.core.projects.aggregates import DEFAULT_ZONE
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.edges.rest.ask import Ask
    from sundog.workflows.ports import ServiceRecord

_QUERY = frozenset({"host", "binary"})
_LONGEST_REASON = 255


class ServiceChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``PUT /os-services/{id}``, from 2.53 on."""

    status: str | UnsetType = UNSET
    disabled_reason: str | UnsetType = UNSET
    forced_down: bool | str | int | UnsetType = UNSET


class OldServiceChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``PUT /os-services/enable`` and its like, before 2.53."""

    host: str
    binary: str
    disabled_reason: str | UnsetType = UNSET
    forced_down: bool | str | int | UnsetType = UNSET


class ServiceBody(msgspec.Struct, kw_only=True):
    """A compute service; the id is a number before 2.53."""

    id: int | str
    binary: str
    host: str
    zone: str
    status: str
    state: str
    updated_at: str | None
    disabled_reason: str | None
    forced_down: bool | UnsetType = UNSET


def index(ask: Ask) -> Answer:
    """``GET /os-services``."""
    if ask.since(75):
        ask.query.refuse_unknown(_QUERY)
    host, binary = ask.query.text("host"), ask.query.text("binary")
    zones = ask.books.aggregates.zones()
    shown = [
        _body(ask, service, zones)
        for service in ask.books.hosts.service_list()
        if (not host or service.host == host)
        and (not binary or service.binary == binary)
    ]
    return Answer(body={"services": shown})


def update(ask: Ask, key: str) -> Answer:
    """``PUT /os-services/{id}``; before 2.53 the last part is what to do."""
    if not ask.since(53):
        return _update_old(ask, key)
    service_id = _check_uuid(key)
    change = ask.read(ServiceChange)
    if change.status is UNSET and change.forced_down is UNSET:
        raise Fault(
            400,
            "No updates were requested. Fields 'status' or 'forced_down' should be "
            "specified.",
        )
    changed = _changed(ask, service_id, change)
    zones = ask.books.aggregates.zones()
    return Answer(body={"service": _body(ask, changed, zones)})


def delete(ask: Ask, key: str) -> Answer:
    """``DELETE /os-services/{id}``; its host leaves its aggregates.

    A host whose agent lives is heard of again, and has a service again.
    """
    for service in ask.books.hosts.service_list():
        name = str(service.id) if ask.since(53) else str(numeric(service.id))
        if name == key.lower():
            ask.books.aggregates.forget_host(service)
            return Answer(status=204)
    if ask.since(53):
        _check_uuid(key)
    elif not key.isdecimal():
        raise Fault(400, "Invalid input received: id must be an integer")
    raise Fault(404, f"Service {key} not found.")


def _check_uuid(key: str) -> UUID:
    try:
        return UUID(key)
    except ValueError:
        raise Fault(400, f"Invalid uuid {key}") from None


def numeric(uuid: UUID) -> int:
    """Return the number that stands for a uuid before 2.53: its first 31 bits."""
    return uuid.int >> 97


def _changed(ask: Ask, service_id: UUID, change: ServiceChange) -> ServiceRecord:
    disabled: bool | None = None
    reason = None if change.disabled_reason is UNSET else change.disabled_reason
    if change.status is not UNSET:
        if change.status not in ("enabled", "disabled"):
            raise Fault(
                400,
                f"Invalid input for field/attribute status. Value: "
                f"{change.status[:80]!r} is not one of ['enabled', 'disabled']",
            )
        disabled = change.status == "disabled"
    if reason is not None:
        if not disabled:
            raise Fault(
                400,
                "Specifying 'disabled_reason' when status is 'enabled' is invalid.",
            )
        if not 1 <= len(reason) <= _LONGEST_REASON:
            raise Fault(400, "disabled_reason must have 1 to 255 characters.")
        checks.description("disabled_reason", reason)
    down = change.forced_down
    service = ask.books.hosts.set_service(
        service_id,
        disabled=disabled,
        reason=reason,
        forced_down=None if down is UNSET else checks.flag("forced_down", down),
    )
    ask.books.moves.clean(service)
    return service


def _update_old(ask: Ask, deed: str) -> Answer:
    body = ask.read(OldServiceChange)
    change = _old_change(ask, deed, body)
    service = next(
        (
            one
            for one in ask.books.hosts.service_list()
            if (one.host, one.binary) == (body.host, body.binary)
        ),
        None,
    )
    if service is None:
        raise Fault(
            404, f"Could not find binary {body.binary[:80]} on host {body.host[:80]}."
        )
    _changed(ask, service.id, change)
    shown: dict[str, object] = {"host": service.host, "binary": service.binary}
    if change.status is not UNSET:
        shown["status"] = change.status
    if change.disabled_reason is not UNSET:
        shown["disabled_reason"] = change.disabled_reason
    if change.forced_down is not UNSET:
        shown["forced_down"] = checks.flag("forced_down", change.forced_down)
    return Answer(body={"service": shown})


def _old_change(ask: Ask, deed: str, body: OldServiceChange) -> ServiceChange:
    if deed == "enable":
        return ServiceChange(status="enabled")
    if deed == "disable":
        return ServiceChange(status="disabled")
    if deed == "disable-log-reason":
        if body.disabled_reason is UNSET:
            raise Fault(400, "Missing disabled reason field")
        return ServiceChange(status="disabled", disabled_reason=body.disabled_reason)
    if deed == "force-down" and ask.since(11):
        if body.forced_down is UNSET:
            raise Fault(400, "Missing forced_down field")
        return ServiceChange(forced_down=body.forced_down)
    raise Fault(404, "Unknown action")


def _body(ask: Ask, service: ServiceRecord, zones: Mapping[str, str]) -> ServiceBody:
    seen = service.last_seen
    return ServiceBody(
        id=str(service.id) if ask.since(53) else numeric(service.id),
        binary=service.binary,
        host=service.host,
        zone=zones.get(service.host, DEFAULT_ZONE),
        status="disabled" if service.disabled else "enabled",
        state="up" if ask.books.hosts.is_up(service) else "down",
        updated_at=seen.strftime("%Y-%m-%dT%H:%M:%S.%f") if seen else None,
        disabled_reason=service.disabled_reason,
        forced_down=service.forced_down if ask.since(11) else UNSET,
    )
