"""``/os-simple-tenant-usage``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.projects.usage import Period, usages
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sundog.core.projects.usage import Usage
    from sundog.edges.rest.ask import Ask

_PATH: Final = "/os-simple-tenant-usage"
_PAGED_SINCE: Final = 40
_KNOWN: Final = frozenset({"start", "end", "detailed", "limit", "marker"})
_Links = list[dict[str, str]]


def index(ask: Ask) -> Answer:
    """``GET /os-simple-tenant-usage``: of all projects."""
    if ask.request.path.endswith("/"):
        raise Fault(404, "The resource could not be found: it names no project.")
    if ask.since(75):
        ask.query.refuse_unknown(_KNOWN)
    period = _period(ask)
    found, links = _paged(ask, _usages(ask, period, None), _PATH)
    is_detailed = ask.query.text("detailed") == "1"
    projects = dict.fromkeys(one.server.project_id for one in found)
    shown = [
        _of_project(
            project,
            [one for one in found if one.server.project_id == project],
            period,
            is_detailed=is_detailed,
        )
        for project in projects
    ]
    more = {"tenant_usages_links": links} if links else {}
    return Answer(body={"tenant_usages": shown, **more})


def show(ask: Ask, project_id: str) -> Answer:
    """``GET /os-simple-tenant-usage/{project}``: empty where nothing ran."""
    if ask.since(75):
        ask.query.refuse_unknown(_KNOWN)
    if not ask.caller.sees(project_id):
        raise Fault(403, "Policy doesn't allow the usage of another project.")
    period = _period(ask)
    every = _usages(ask, period, project_id)
    found, links = _paged(ask, every, f"{_PATH}/{project_id}")
    shown = _of_project(project_id, found, period, is_detailed=True) if found else {}
    more = {"tenant_usage_links": links} if links else {}
    return Answer(body={"tenant_usage": shown, **more})


def _period(ask: Ask) -> Period:
    now = ask.books.hosts.clock()
    start = ask.query.moment("start") if ask.query.text("start") else now
    stop = ask.query.moment("end") if ask.query.text("end") else now
    if start is None or stop is None or start >= stop:
        raise Fault(
            400,
            "Invalid start time. The start time cannot occur after the end time.",
        )
    return Period(start=start, stop=min(stop, now))


def _usages(ask: Ask, period: Period, project_id: str | None) -> list[Usage]:
    query = ServerQuery(project_id=project_id, deleted=None)
    servers = reversed(ask.books.servers.list(query))
    return usages(servers, period, ask.books.hosts.clock())


def _paged(
    ask: Ask, found: Sequence[Usage], path: str
) -> tuple[Sequence[Usage], _Links]:
    if not ask.since(_PAGED_SINCE):
        return found, []
    return page(ask, found, lambda one: str(one.server.id), path)


def _of_project(
    project_id: str, found: Sequence[Usage], period: Period, *, is_detailed: bool
) -> dict[str, object]:
    details = {"server_usages": [_of_server(one) for one in found]}
    return {
        "tenant_id": project_id,
        "start": _time(period.start),
        "stop": _time(period.stop),
        "total_hours": sum(one.hours for one in found),
        "total_vcpus_usage": sum(one.hours * one.server.flavor.vcpus for one in found),
        "total_memory_mb_usage": sum(
            one.hours * one.server.flavor.memory_mb for one in found
        ),
        "total_local_gb_usage": sum(one.hours * one.disk_gb for one in found),
        **(details if is_detailed else {}),
    }


def _of_server(one: Usage) -> dict[str, object]:
    server = one.server
    ended = server.terminated
    return {
        "instance_id": str(server.id),
        "name": server.name,
        "tenant_id": server.project_id,
        "flavor": server.flavor.name,
        "vcpus": server.flavor.vcpus,
        "memory_mb": server.flavor.memory_mb,
        "local_gb": one.disk_gb,
        "hours": one.hours,
        "started_at": _time(one.launched),
        "ended_at": _time(ended) if ended else None,
        "state": "terminated" if ended else server.vm_state,
        "uptime": one.uptime,
    }


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")
