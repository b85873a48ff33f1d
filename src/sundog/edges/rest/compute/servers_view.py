"""A server as the request's microversion shows it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, UnsetType

from sundog.core.lives.server import Phase, ServerStatus
from sundog.core.lives.server_life import ERRAND_OF
from sundog.core.projects.aggregates import DEFAULT_ZONE
from sundog.edges.rest.compute.server_bodies import (
    EmbeddedFlavor,
    FaultBody,
    FlavorRef,
    ImageRef,
    ServerBody,
    ServerBrief,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask

# Nova's numbers for whether a guest runs; any other phase has none.
_POWER_STATE: Final = {
    Phase.ACTIVE: 1,
    Phase.DELETING: 1,
    Phase.RESIZED: 1,
    Phase.RESCUED: 1,
    Phase.PAUSED: 3,
    Phase.SHUTOFF: 4,
    Phase.SUSPENDED: 4,
    Phase.RESIZED_SHUTOFF: 4,
    Phase.RESCUED_SHUTOFF: 4,
    Phase.SHELVED_OFFLOADED: 4,
}
_WITH_PROGRESS: Final = frozenset(
    {
        ServerStatus.BUILD,
        ServerStatus.ACTIVE,
        ServerStatus.REBOOT,
        ServerStatus.HARD_REBOOT,
        ServerStatus.REBUILD,
    }
)
_WITH_FAULT: Final = frozenset({ServerStatus.ERROR, ServerStatus.DELETED})


class Occasion(Enum):
    """Where a server is shown; a few fields depend on it."""

    SHOW = "show"
    DETAIL = "detail"
    UPDATE = "update"


def brief(ask: Ask, server: Server) -> ServerBrief:
    """Return a server as the short list shows it."""
    name = str(server.id)
    return ServerBrief(id=name, name=server.name, links=ask.links(f"/servers/{name}"))


@dataclass(frozen=True, slots=True)
class HostSeen:
    """What servers show of their host: ``host_status``, and its zone."""

    status: str
    zone: str


def full(
    ask: Ask, server: Server, occasion: Occasion, hosts: Mapping[str, HostSeen]
) -> ServerBody:
    """Return a server in full; ``hosts`` are as ``hosts_seen`` tells."""
    host = hosts.get(server.host or "")
    name = str(server.id)
    body = ServerBody(
        id=name,
        name=server.name,
        status=server.status.value,
        tenant_id=server.project_id,
        user_id=server.user_id,
        metadata=dict(server.metadata),
        host_id=_host_id(server),
        image=_image(ask, server),
        flavor=_flavor(ask, server),
        created=moment(server.created),
        updated=moment(server.updated),
        addresses={},
        access_ip_v4=server.access_ip_v4,
        access_ip_v6=server.access_ip_v6,
        links=ask.links(f"/servers/{name}"),
        disk_config="AUTO" if server.auto_disk else "MANUAL",
        progress=0 if server.status in _WITH_PROGRESS else UNSET,
        fault=_fault(server),
    )
    # Before 2.75 an update answers with the fields above and the versioned ones.
    whole = occasion is not Occasion.UPDATE or ask.since(75)
    if whole:
        body = _with_extensions(server, body, zone_shown(server, hosts))
        if ask.caller.is_admin:
            body = _with_attributes(ask, server, body)
            status = host.status if host else ""
            body.host_status = status if ask.since(16) else UNSET
        body.pinned_availability_zone = (
            (server.availability_zone or None) if ask.since(96) else UNSET
        )
    return _with_versioned(ask, server, body, occasion)


def zone_shown(server: Server, hosts: Mapping[str, HostSeen]) -> str:
    """Return the zone of a server's host; that asked for, while it has none."""
    host = hosts.get(server.host or "")
    if host is None:
        return DEFAULT_ZONE if server.host else server.availability_zone
    return host.zone


def hosts_seen(ask: Ask) -> dict[str, HostSeen]:
    """Return every host as servers show it."""
    book, zones = ask.books.hosts, ask.books.aggregates.zones()
    seen = {}
    for service in book.service_list():
        if service.forced_down:
            status = "DOWN"
        elif service.disabled:
            status = "MAINTENANCE"
        else:
            status = "UP" if book.is_up(service) else "UNKNOWN"
        seen[service.host] = HostSeen(status, zones.get(service.host, DEFAULT_ZONE))
    return seen


def moment(time: datetime) -> str:
    """Write a time as Nova does, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _with_extensions(server: Server, body: ServerBody, zone: str) -> ServerBody:
    return msgspec.structs.replace(
        body,
        zone=zone,
        config_drive="True" if server.config_drive else "",
        key_name=server.key_name,
        launched=_usage(server.launched),
        terminated=_usage(server.terminated),
        task_state=server.task.value if server.task else None,
        vm_state=server.vm_state,
        power_state=power_state(server),
        volumes=[],
    )


def _with_attributes(ask: Ask, server: Server, body: ServerBody) -> ServerBody:
    """Add what only the admin is shown."""
    recent = ask.since(3)
    return msgspec.structs.replace(
        body,
        host=server.host,
        instance_name=f"sundog-{server.id}",
        node=server.host,
        hostname=server.hostname if recent else UNSET,
        kernel_id="" if recent else UNSET,
        launch_index=server.launch_index if recent else UNSET,
        ramdisk_id="" if recent else UNSET,
        reservation_id=server.reservation_id if recent else UNSET,
        root_device_name=None if recent else UNSET,
        user_data=server.user_data if recent else UNSET,
    )


def _with_versioned(
    ask: Ask, server: Server, body: ServerBody, occasion: Occasion
) -> ServerBody:
    in_group_view = ask.since(71) and occasion is not Occasion.DETAIL
    return msgspec.structs.replace(
        body,
        locked=server.locked if ask.since(9) else UNSET,
        description=server.description if ask.since(19) else UNSET,
        tags=sorted(server.tags) if ask.since(26) else UNSET,
        trusted_image_certificates=None if ask.since(63) else UNSET,
        server_groups=_groups(server) if in_group_view else UNSET,
        locked_reason=server.locked_reason if ask.since(73) else UNSET,
        hostname=server.hostname if ask.since(90) else body.hostname,
        scheduler_hints=_hints(server) if ask.since(100) else UNSET,
    )


def power_state(server: Server) -> int:
    """Return Nova's number for whether the guest runs."""
    errand = ERRAND_OF.get(server.phase)
    return _POWER_STATE.get(errand.origin if errand else server.phase, 0)


def _groups(server: Server) -> list[str]:
    return [server.group] if server.group else []


def _hints(server: Server) -> dict[str, object]:
    hints: dict[str, object] = {"group": server.group} if server.group else {}
    for name, ids in (("same_host", server.near), ("different_host", server.apart)):
        if ids:
            hints[name] = ids[0] if len(ids) == 1 else list(ids)
    return hints


def _usage(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _host_id(server: Server) -> str:
    """Hide the host's name, yet tell a project which of its servers share one."""
    if server.host is None:
        return ""
    return hashlib.sha224(f"{server.project_id}{server.host}".encode()).hexdigest()


def _image(ask: Ask, server: Server) -> ImageRef:
    link = {"rel": "bookmark", "href": ask.bookmark(f"/images/{server.image_id}")}
    properties = dict(server.image_properties) if ask.since(98) else UNSET
    return ImageRef(id=server.image_id, links=[link], properties=properties)


def _flavor(ask: Ask, server: Server) -> FlavorRef | EmbeddedFlavor:
    flavor = server.flavor
    if not ask.since(47):
        link = {"rel": "bookmark", "href": ask.bookmark(f"/flavors/{flavor.id}")}
        return FlavorRef(id=flavor.id, links=[link])
    return EmbeddedFlavor(
        vcpus=flavor.vcpus,
        ram=flavor.memory_mb,
        disk=flavor.disk_gb,
        ephemeral=flavor.ephemeral_gb,
        swap=flavor.swap_mb,
        original_name=flavor.name,
        extra_specs=dict(flavor.extra_specs),
    )


def _fault(server: Server) -> FaultBody | UnsetType:
    if server.fault is None or server.status not in _WITH_FAULT:
        return UNSET
    fault = server.fault
    return FaultBody(
        code=fault.code, message=fault.message, created=moment(fault.created)
    )
