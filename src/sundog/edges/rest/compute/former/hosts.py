"""``/os-hosts``, up to 2.42."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec
from msgspec import UNSET, UnsetType

from sundog.core.projects.aggregates import DEFAULT_ZONE
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.hypervisors import amounts
from sundog.edges.rest.errors import Fault
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask
    from sundog.workflows.hosts import HostView
    from sundog.workflows.ports import ServiceRecord

_WORDS: Final = {"enable": True, "disable": False}
_UNSERVED: Final = (
    "The requested functionality is not supported: libvirt neither powers hosts nor "
    "takes them into maintenance."
)


class HostChange(msgspec.Struct, forbid_unknown_fields=True):
    """``PUT /os-hosts/{host}``."""

    status: str | UnsetType = UNSET
    maintenance_mode: str | UnsetType = UNSET


def index(ask: Ask) -> Answer:
    """``GET /os-hosts``: those whose service is enabled, of a zone if one is told."""
    wanted = ask.query.text("zone")
    zones = ask.books.aggregates.zones()
    shown = []
    for service in ask.books.hosts.service_list():
        zone = zones.get(service.host, DEFAULT_ZONE)
        if not service.disabled and (not wanted or zone == wanted):
            shown.append(
                {"host_name": service.host, "service": "compute", "zone": zone}
            )
    return Answer(body={"hosts": shown})


def show(ask: Ask, host: str) -> Answer:
    """``GET /os-hosts/{host}``: all it has, what is used, and by which project."""
    view = _view(ask, host)
    told = amounts(view.state)
    rows = [
        _row(host, "(total)", told["vcpus"], told["memory_mb"], told["local_gb"]),
        _row(
            host,
            "(used_now)",
            told["vcpus_used"],
            told["memory_mb_used"],
            told["local_gb_used"],
        ),
    ]
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for server in ask.books.servers.list(ServerQuery(host=host)):
        flavor = server.flavor
        sizes = (flavor.vcpus, flavor.memory_mb, flavor.disk_gb + flavor.ephemeral_gb)
        for name in ("(used_max)", server.project_id):
            sums[name] = [old + new for old, new in zip(sums[name], sizes, strict=True)]
    highest = sums.pop("(used_max)", [0, 0, 0])
    rows.append(_row(host, "(used_max)", *highest))
    rows += [_row(host, project, *sizes) for project, sizes in sums.items()]
    return Answer(body={"host": rows})


def update(ask: Ask, host: str) -> Answer:
    """``PUT /os-hosts/{host}``: enable or disable its service."""
    change = ask.read(HostChange)
    status = _flag("status", change.status)
    maintenance = _flag("maintenance_mode", change.maintenance_mode)
    if status is None and maintenance is None:
        raise Fault(400, "status or maintenance_mode is needed.")
    service = _service(ask, host)
    if maintenance is not None:
        raise Fault(501, _UNSERVED)
    ask.books.hosts.set_service(service.id, disabled=not status)
    return Answer(body={"host": host, "status": "enabled" if status else "disabled"})


def power(ask: Ask, host: str) -> NoReturn:
    """``GET /os-hosts/{host}/startup`` and its like: libvirt does none of them."""
    _service(ask, host)
    raise Fault(501, _UNSERVED)


def _flag(field: str, value: str | UnsetType) -> bool | None:
    if value is UNSET:
        return None
    word = value.strip().lower()
    if word not in _WORDS:
        raise Fault(
            400,
            f"Invalid input for field/attribute {field}. Value: {value[:80]!r} is not "
            "one of enable and disable.",
        )
    return _WORDS[word]


def _service(ask: Ask, host: str) -> ServiceRecord:
    for service in ask.books.hosts.service_list():
        if service.host == host:
            return service
    raise Fault(404, f"Compute host {host} could not be found.")


def _view(ask: Ask, host: str) -> HostView:
    for view in ask.books.hosts.hosts():
        if view.service.host == host:
            return view
    raise Fault(404, f"Compute host {host} could not be found.")


def _row(
    host: str, project: str, cpu: int, memory_mb: int, disk_gb: int
) -> dict[str, object]:
    amount = {"cpu": cpu, "memory_mb": memory_mb, "disk_gb": disk_gb}
    return {"resource": {"host": host, "project": project, **amount}}
