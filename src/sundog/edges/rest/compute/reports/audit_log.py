"""``/os-instance_usage_audit_log``: audits of usage that hosts make by themselves.

As in a Nova where ``instance_usage_audit`` is off no host has made one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

_FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


def index(ask: Ask) -> Answer:
    """``GET /os-instance_usage_audit_log``: of the last whole month."""
    log = _log(ask, ask.books.hosts.clock())
    return Answer(body={"instance_usage_audit_logs": log})


def show(ask: Ask, before: str) -> Answer:
    """``GET /os-instance_usage_audit_log/{time}``: of the month before a time's."""
    for form in _FORMATS:
        try:
            moment = datetime.strptime(before, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return Answer(body={"instance_usage_audit_log": _log(ask, moment)})
    raise Fault(400, f"Invalid timestamp for date {before}")


def _log(ask: Ask, before: datetime) -> dict[str, object]:
    hosts = sorted(service.host for service in ask.books.hosts.service_list())
    month = before.year * 12 + before.month - 1
    return {
        "period_beginning": _first_of(month - 1),
        "period_ending": _first_of(month),
        "num_hosts": len(hosts),
        "num_hosts_done": 0,
        "num_hosts_running": 0,
        "num_hosts_not_run": len(hosts),
        "hosts_not_run": hosts,
        "total_instances": 0,
        "total_errors": 0,
        "overall_status": f"0 of {len(hosts)} hosts done. 0 errors.",
        "log": {},
    }


def _first_of(month: int) -> str:
    return f"{month // 12:04}-{month % 12 + 1:02}-01 00:00:00"
