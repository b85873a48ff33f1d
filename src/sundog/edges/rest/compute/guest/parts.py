"""What a guest might have and has not: a password, ports, volumes, security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

_NO_NETWORKS: Final = "Sundog serves no Neutron ports yet."
_NO_VOLUMES: Final = "Sundog serves no Cinder volumes yet."


def password(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/os-server-password``.

    A guest would post it to the metadata service, which is not served: none has.
    """
    find(ask, server_id)
    return Answer(body={"password": ""})


def clear_password(ask: Ask, server_id: str) -> Answer:
    """``DELETE /servers/{id}/os-server-password``."""
    find(ask, server_id)
    return Answer(status=204)


def ports(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/os-interface``: there are none."""
    find(ask, server_id)
    return Answer(body={"interfaceAttachments": []})


def port(ask: Ask, server_id: str, port_id: str) -> NoReturn:
    """``GET`` and ``DELETE /servers/{id}/os-interface/{port}``: not there."""
    find(ask, server_id)
    raise Fault(404, f"No interface attachment {port_id}. {_NO_NETWORKS}")


def attach_port(ask: Ask, server_id: str) -> NoReturn:
    """``POST /servers/{id}/os-interface``: refused."""
    find(ask, server_id)
    raise Fault(400, _NO_NETWORKS)


def addresses_of(ask: Ask, server_id: str, network: str) -> NoReturn:
    """``GET /servers/{id}/ips/{network}``: not there."""
    find(ask, server_id)
    raise Fault(404, f"Network {network} could not be found for server {server_id}")


def volumes(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/os-volume_attachments``: there are none."""
    find(ask, server_id)
    return Answer(body={"volumeAttachments": []})


def volume(ask: Ask, server_id: str, volume_id: str) -> NoReturn:
    """``GET``, ``PUT``, ``DELETE`` of ``os-volume_attachments/{volume}``: not there."""
    find(ask, server_id)
    raise Fault(404, f"Instance {server_id} is not attached to volume {volume_id}")


def attach_volume(ask: Ask, server_id: str) -> NoReturn:
    """``POST /servers/{id}/os-volume_attachments``: refused."""
    find(ask, server_id)
    raise Fault(400, _NO_VOLUMES)


def security_groups(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/os-security-groups``: there are none without ports."""
    find(ask, server_id)
    return Answer(body={"security_groups": []})


class CreateInfo(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How Cinder wants a snapshot to be taken."""

    snapshot_id: str
    type: str
    new_file: str
    id: str | None = None


class Snapshot(msgspec.Struct, forbid_unknown_fields=True):
    """``snapshot`` of ``POST /os-assisted-volume-snapshots``."""

    volume_id: str
    create_info: CreateInfo


class SnapshotBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /os-assisted-volume-snapshots``."""

    snapshot: Snapshot


def snapshot(ask: Ask) -> NoReturn:
    """``POST /os-assisted-volume-snapshots``: no server has a volume."""
    raise _no_such_volume(ask.read(SnapshotBody).snapshot.volume_id)


def delete_snapshot(ask: Ask, snapshot_id: str) -> NoReturn:
    """``DELETE /os-assisted-volume-snapshots/{id}``: no server has a volume."""
    text = ask.query.text("delete_info") or ""
    try:
        volume_id = msgspec.json.decode(text, type=dict[str, object])["volume_id"]
    except (msgspec.DecodeError, KeyError, UnicodeError, RecursionError):
        raise Fault(
            400, f"delete_info of snapshot {snapshot_id} is no JSON with a volume_id."
        ) from None
    raise _no_such_volume(str(volume_id))


def _no_such_volume(volume_id: str) -> Fault:
    return Fault(
        404,
        f"No volume Block Device Mapping with id {volume_id[:80]}. {_NO_VOLUMES}",
    )
