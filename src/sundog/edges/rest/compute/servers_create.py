"""``POST /servers``: read it, refuse what is not served, hand it on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import UNSET

from sundog.core.errors import NotFoundError
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.server_bodies import NewServerBody
from sundog.edges.rest.compute.server_fields import (
    admin_password,
    check_flavor,
    check_personality,
    check_user_data,
    check_zone,
    is_auto,
    key_name_of,
    metadata,
    tags,
)
from sundog.edges.rest.errors import Fault
from sundog.workflows.servers import NewServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.compute.server_bodies import BlockDevice, NewServerFields

_MOST_SERVERS: Final = 1000
_SINCE: Final = {
    "description": 19,
    "tags": 52,
    "trusted_image_certificates": 63,
    "host": 74,
    "hypervisor_hostname": 74,
    "hostname": 90,
}
_HINTS: Final = frozenset({"group", "same_host", "different_host"})
_NO_NETWORKS: Final = (
    "Sundog serves no Neutron networks or ports yet. Ask for networks 'none'."
)
_NO_VOLUMES: Final = (
    "Sundog serves no Cinder volumes, snapshots or extra disks yet. Boot from an image "
    "to a local disk: one block_device_mapping_v2 entry with source_type image, "
    "destination_type local and boot_index 0, or none."
)


def create(ask: Ask) -> Answer:
    """``POST /servers``."""
    body = ask.read(NewServerBody)
    server = body.server
    _check_version(ask, server)
    _refuse_unserved(body)
    _check_networks(ask, server)
    hints = {**body.old_hints, **body.hints}
    order = replace(
        _order(ask, server),
        group=_group(ask, body, hints),
        near=_servers_of(hints, "same_host"),
        apart=_servers_of(hints, "different_host"),
    )
    check_flavor(ask, order.flavor_id)
    made = ask.books.servers.create(order)
    if checks.flag("return_reservation_id", server.return_reservation_id):
        return Answer(body={"reservation_id": made[0].reservation_id}, status=202)
    path = f"/servers/{made[0].id}"
    shown = {
        "id": str(made[0].id),
        "links": ask.links(path),
        "OS-DCF:diskConfig": server.disk_config,
        "security_groups": [{"name": "default"}],
        "adminPass": admin_password(server.admin_pass),
    }
    return Answer(
        body={"server": shown}, status=202, headers={"Location": ask.link(path)}
    )


def _check_version(ask: Ask, server: NewServerFields) -> None:
    checks.refuse_early(server, _SINCE, ask.version)
    check_personality(ask, server.personality)


def _refuse_unserved(body: NewServerBody) -> None:
    """Refuse in words what Nova knows and Sundog does not do yet."""
    server = body.server
    given = {
        "trusted_image_certificates": server.trusted_image_certificates or None,
    }
    for field, value in given.items():
        if value:
            raise Fault(400, f"Sundog does not serve {field} yet; leave it out.")
    if server.block_device_mapping:
        raise Fault(400, _NO_VOLUMES)
    if any(group != {"name": "default"} for group in server.security_groups):
        raise Fault(400, f"security_groups: {_NO_NETWORKS}")


def _check_networks(ask: Ask, server: NewServerFields) -> None:
    networks = server.networks
    if networks is UNSET:
        if ask.since(37):
            raise Fault(400, "'networks' is a required property")
        return
    if isinstance(networks, str):
        if not ask.since(37) or networks not in ("none", "auto"):
            raise Fault(
                400,
                f"Invalid input for field/attribute networks. Value: {networks[:80]!r}."
                " It is 'none' or 'auto' (from 2.37 on), or a list.",
            )
    elif networks:
        raise Fault(400, _NO_NETWORKS)


def _order(ask: Ask, server: NewServerFields) -> NewServer:
    least, most = _counts(server)
    zone, host = _destination(ask, server)
    text = None if server.description is UNSET else server.description
    domain = ask.since(94)
    return NewServer(
        name=checks.name("name", server.name),
        flavor_id=checks.name("flavorRef", str(server.flavor_ref)),
        image_id=_image_id(server),
        project_id=ask.caller.project_id,
        user_id=ask.caller.user_id,
        key_name=key_name_of(ask, server.key_name),
        min_count=least,
        max_count=most,
        metadata=metadata(ask, server.metadata),
        tags=tags(() if server.tags is UNSET else server.tags),
        description=checks.description("description", text),
        hostname=(
            None
            if server.hostname is UNSET
            else checks.hostname(server.hostname, domain=domain)
        ),
        config_drive=checks.flag("config_drive", server.config_drive or False),
        availability_zone=zone,
        user_data=check_user_data(server.user_data),
        wanted_host=host,
        access_ip_v4=checks.address("accessIPv4", server.access_ip_v4, 4),
        access_ip_v6=checks.address("accessIPv6", server.access_ip_v6, 6),
        auto_disk=is_auto(server.disk_config),
        request_id=ask.request_id,
    )


def _group(ask: Ask, body: NewServerBody, hints: dict[str, object]) -> str | None:
    """Return the server group of the hints; hints that nothing obeys are refused."""
    others = sorted(hints.keys() - _HINTS)
    if others:
        raise Fault(
            400,
            f"os:scheduler_hints: Sundog does not serve {others[0][:80]!r}; it serves "
            f"{', '.join(sorted(_HINTS))}.",
        )
    wanted = hints.get("group")
    if wanted is None:
        return None
    project = ask.caller.project_id
    try:
        group = ask.books.groups.get(str(UUID(str(wanted))), project)
    except ValueError:
        raise Fault(
            400, "Invalid input for field/attribute group: it is not a uuid."
        ) from None
    except NotFoundError as error:
        raise Fault(400, str(error)) from None
    most = ask.books.quotas.limits(project)["server_group_members"]
    least, _ = _counts(body.server)
    if 0 <= most < len(ask.books.groups.members(group)) + least:
        raise Fault(403, "Quota exceeded, too many servers in group")
    return group.id


def _servers_of(hints: dict[str, object], hint: str) -> tuple[str, ...]:
    """Return the servers that a hint names: an id, or a list of them."""
    wanted = hints.get(hint, [])
    ids = wanted if isinstance(wanted, list) else [wanted]
    try:
        return tuple(dict.fromkeys(str(UUID(str(one))) for one in ids))
    except ValueError:
        raise Fault(
            400, f"Invalid input for field/attribute {hint}: it is not a uuid."
        ) from None


def _counts(server: NewServerFields) -> tuple[int, int]:
    asked_least, asked_most = server.min_count, server.max_count
    least = 1
    if asked_least is not UNSET:
        least = checks.whole("min_count", asked_least, least=1)
    most = least
    if asked_most is not UNSET:
        most = checks.whole("max_count", asked_most, least=1)
    if least > most:
        raise Fault(400, "min_count must be <= max_count")
    if most > _MOST_SERVERS:
        raise Fault(
            400, f"max_count: at most {_MOST_SERVERS} servers are made at once."
        )
    if most > 1 and server.hostname is not UNSET:
        raise Fault(400, "Unable to allocate a single hostname to multiple instances")
    return least, most


def _image_id(server: NewServerFields) -> str:
    from_disk = _boot_image(server.block_device_mapping_v2)
    if from_disk and server.image_ref and from_disk != server.image_ref:
        raise Fault(
            400,
            f"imageRef {server.image_ref[:80]!r} and the boot disk's image "
            f"{from_disk[:80]!r} differ.",
        )
    image = server.image_ref or from_disk
    if not image:
        raise Fault(400, "Invalid imageRef provided: name an image to boot from.")
    return checks.name("imageRef", image)


def _boot_image(disks: Sequence[BlockDevice]) -> str:
    """Return the image of the one local boot disk that may be told; else empty."""
    if not disks:
        return ""
    disk = disks[0]
    local = (disk.source_type, disk.destination_type) == ("image", "local")
    first = str(disk.boot_index)[:2] == "0"
    more = (
        disk.volume_id,
        disk.snapshot_id,
        disk.volume_size,
        disk.device_name,
        disk.device_type,
        disk.disk_bus,
        disk.guest_format,
        disk.virtual_name,
        disk.no_device,
        disk.tag or None,
        disk.volume_type or None,
    )
    if len(disks) > 1 or not local or not first or any(more):
        raise Fault(400, _NO_VOLUMES)
    checks.flag("delete_on_termination", disk.delete_on_termination)
    return disk.uuid or disk.image_id or ""


def _destination(ask: Ask, server: NewServerFields) -> tuple[str, str | None]:
    """Return the zone asked for, and the host (``zone:host:node`` or 2.74's way)."""
    text = server.availability_zone or ""
    if text.count(":") > 2:  # noqa: PLR2004 - zone:host:node
        raise Fault(400, "Unable to parse availability_zone")
    zone, _, rest = text.partition(":")
    forced = [part for part in rest.split(":") if part]
    asked = [
        name for name in (server.host, server.hypervisor_hostname) if name is not UNSET
    ]
    if forced and asked:
        raise Fault(400, "Name the host by availability_zone or by host, not by both.")
    if (forced or asked) and not ask.caller.is_admin:
        raise Fault(403, "Policy doesn't allow a host to be named. It is the admin's.")
    if zone and not forced:
        check_zone(ask, zone)
    hosts = set(forced or asked)
    known = {service.host for service in ask.books.hosts.service_list()}
    if len(hosts) > 1 or not hosts <= known:
        raise Fault(
            400,
            f"Compute host {' and node '.join(sorted(hosts))[:160]!r} could not be "
            "found; openstack compute service list names them.",
        )
    return zone, next(iter(hosts), None)
