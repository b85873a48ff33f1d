"""Hypervisors: every host that has reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.services import numeric
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.hosts.host_snapshot import HostState
    from sundog.edges.rest.ask import Ask
    from sundog.workflows.hosts import HostView

_QUERY: Final = frozenset(
    {"limit", "marker", "hypervisor_hostname_pattern", "with_servers"}
)
_KIB_PER_MIB: Final = 1024
# The address that names no address: how hosts are reached is not recorded.
_NO_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - shown, not bound to


class HypervisorService(msgspec.Struct, kw_only=True):
    """The compute service of a hypervisor."""

    id: int | str
    host: str
    disabled_reason: str | None


class HypervisorServer(msgspec.Struct, kw_only=True):
    """A server on a hypervisor."""

    name: str
    uuid: str


class HypervisorBody(msgspec.Struct, kw_only=True):
    """A hypervisor. Amounts are shown up to 2.87; memory in MiB, disk in GiB."""

    id: int | str
    hypervisor_hostname: str
    state: str
    status: str
    hypervisor_type: str | UnsetType = UNSET
    hypervisor_version: int | UnsetType = UNSET
    host_ip: str | UnsetType = UNSET
    service: HypervisorService | UnsetType = UNSET
    uptime: str | UnsetType | None = UNSET
    cpu_info: str | dict[str, object] | UnsetType = UNSET
    vcpus: int | UnsetType = UNSET
    vcpus_used: int | UnsetType = UNSET
    memory_mb: int | UnsetType = UNSET
    memory_mb_used: int | UnsetType = UNSET
    free_ram_mb: int | UnsetType = UNSET
    local_gb: int | UnsetType = UNSET
    local_gb_used: int | UnsetType = UNSET
    free_disk_gb: int | UnsetType = UNSET
    disk_available_least: int | UnsetType | None = UNSET
    current_workload: int | UnsetType = UNSET
    running_vms: int | UnsetType = UNSET
    servers: list[HypervisorServer] | UnsetType = UNSET


def index(ask: Ask) -> Answer:
    """``GET /os-hypervisors``."""
    return _listed(ask, "/os-hypervisors", in_full=False)


def detail(ask: Ask) -> Answer:
    """``GET /os-hypervisors/detail``."""
    return _listed(ask, "/os-hypervisors/detail", in_full=True)


def show(ask: Ask, key: str) -> Answer:
    """``GET /os-hypervisors/{id}``: a uuid from 2.53 on, a number before."""
    body = _body(ask, _found(ask, key), in_full=True)
    return Answer(body={"hypervisor": body})


def search(ask: Ask, key: str) -> Answer:
    """``GET /os-hypervisors/{pattern}/search``, up to 2.52."""
    shown = [_body(ask, view, in_full=False) for view in _matching(ask, key)]
    return Answer(body={"hypervisors": shown})


def servers(ask: Ask, key: str) -> Answer:
    """``GET /os-hypervisors/{pattern}/servers``, up to 2.52."""
    shown = []
    for view in _matching(ask, key):
        body = _body(ask, view, in_full=False)
        body.servers = _servers(ask, view) or UNSET
        shown.append(body)
    return Answer(body={"hypervisors": shown})


def uptime(ask: Ask, key: str) -> Answer:
    """``GET /os-hypervisors/{id}/uptime``, up to 2.87; then it stands in ``show``."""
    view = _found(ask, key)
    body = _body(ask, view, in_full=False)
    told = _uptime(ask, view)
    if told is None:
        raise Fault(501, "The requested functionality is not supported.")
    body.uptime = told
    return Answer(body={"hypervisor": body})


def statistics(ask: Ask) -> Answer:
    """``GET /os-hypervisors/statistics``, up to 2.87."""
    every = [amounts(view.state) for view in ask.books.hosts.hosts()]
    total = {name: sum(one[name] for one in every) for name in amounts(None)}
    return Answer(body={"hypervisor_statistics": {"count": len(every), **total}})


def _found(ask: Ask, key: str) -> HostView:
    if ask.since(53):
        try:
            UUID(key)
        except ValueError:
            raise Fault(400, f"Invalid uuid {key}") from None
    for view in ask.books.hosts.hosts():
        if key.lower() == str(_id(ask, view)):
            return view
    raise Fault(404, f"Hypervisor with ID '{key}' could not be found.")


def _uptime(ask: Ask, view: HostView) -> str | None:
    """Say it as ``uptime`` does; None for a host that is down or does not tell."""
    booted = view.state.snapshot.booted
    if booted is None or not view.up:
        return None
    now = ask.books.hosts.clock()
    minutes = int((now - booted).total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    return f"{now:%H:%M:%S} up {days} days, {hours:2}:{minutes % 60:02}"


def _listed(ask: Ask, path: str, *, in_full: bool) -> Answer:
    if ask.since(75):
        ask.query.refuse_unknown(_QUERY)
    query = ask.query
    pattern = query.text("hypervisor_hostname_pattern") if ask.since(53) else None
    links: list[dict[str, str]] = []
    views: Sequence[HostView]
    if pattern is not None:
        if "limit" in query or "marker" in query:
            raise Fault(
                400,
                "Paging over hypervisors with the hypervisor_hostname_pattern query "
                "parameter is not supported.",
            )
        views = _matching(ask, pattern)
    else:
        views = ask.books.hosts.hosts()
        if ask.since(33):
            views, links = page(ask, views, lambda view: str(_id(ask, view)), path)
    more = {"hypervisors_links": links} if links else {}
    shown = [_body(ask, view, in_full=in_full) for view in views]
    return Answer(body={"hypervisors": shown, **more})


def _matching(ask: Ask, pattern: str) -> list[HostView]:
    found = [view for view in ask.books.hosts.hosts() if pattern in view.service.host]
    if not found:
        raise Fault(404, f"No hypervisor matching '{pattern[:80]}' could be found.")
    return found


def _id(ask: Ask, view: HostView) -> int | str:
    uuid = view.state.snapshot.uuid
    return str(uuid) if ask.since(53) else numeric(uuid)


def _body(ask: Ask, view: HostView, *, in_full: bool) -> HypervisorBody:
    service = view.service
    body = HypervisorBody(
        id=_id(ask, view),
        hypervisor_hostname=service.host,
        state="up" if view.up else "down",
        status="disabled" if service.disabled else "enabled",
    )
    if in_full:
        body.hypervisor_type = "libvirt"
        body.hypervisor_version = view.state.snapshot.libvirt_version
        body.host_ip = _NO_ADDRESS
        body.service = HypervisorService(
            id=str(service.id) if ask.since(53) else numeric(service.id),
            host=service.host,
            disabled_reason=service.disabled_reason,
        )
        body = _with_amounts(ask, view, body)
    if ask.since(53) and ask.query.flag("with_servers"):
        # Before 2.75 a host without servers is silent about them.
        body.servers = _servers(ask, view) or ([] if ask.since(75) else UNSET)
    return body


def _with_amounts(ask: Ask, view: HostView, body: HypervisorBody) -> HypervisorBody:
    if ask.since(88):
        body.uptime = _uptime(ask, view)
        return body
    return msgspec.structs.replace(
        body, cpu_info={} if ask.since(28) else "{}", **amounts(view.state)
    )


def _servers(ask: Ask, view: HostView) -> list[HypervisorServer]:
    found = ask.books.servers.list(ServerQuery(host=view.service.host))
    return [HypervisorServer(name=one.name, uuid=str(one.id)) for one in found]


def amounts(state: HostState | None) -> dict[str, int]:
    """Sum up a host as Nova did before 2.88; huge pages count as memory."""
    cells = state.snapshot.cells if state else ()
    held = [holding.assignment for holding in state.holdings] if state else []
    shares = [share for assignment in held for share in assignment.cells]
    memory = sum(cell.memory_mb for cell in cells) + sum(
        pool.size_kb * pool.total // _KIB_PER_MIB
        for cell in cells
        for pool in cell.pages
        if pool.size_kb != SMALL_PAGE_KB
    )
    memory_used = sum(share.memory_mb for share in shares)
    disk = state.snapshot.disk_gb if state else 0
    disk_used = sum(assignment.disk_gb for assignment in held)
    return {
        "vcpus": sum(len(cell.shared | cell.dedicated) for cell in cells),
        "vcpus_used": sum(share.shared_cpus + len(share.pins) for share in shares),
        "memory_mb": memory,
        "memory_mb_used": memory_used,
        "free_ram_mb": memory - memory_used,
        "local_gb": disk,
        "local_gb_used": disk_used,
        "free_disk_gb": disk - disk_used,
        "disk_available_least": disk - disk_used,
        "current_workload": 0,
        "running_vms": len(held),
    }
